import { ProxyRotator, type RotatorOptions } from '@whirl/rotator';
import { random } from '@whirl/selector';
import { seededRandom, type Behaviour } from '@whirl/testkit';
import { ProxyAgent, request } from 'undici';
import { median, quantile } from '../measure.ts';
import { printTable } from '../table.ts';
import { startFleet, type Fleet } from './fleet.ts';

const size = 1000;
const workingRatio = 0.08;
const trials = 40;
const attemptTimeoutMs = 1000;

/** As public lists are: most refuse, some hang, some respond with something else. */
function scraped(): Behaviour[] {
  const chance = seededRandom(11);
  const dead: Behaviour[] = [
    { kind: 'refuse' },
    { kind: 'refuse' },
    { kind: 'reset' },
    { kind: 'hang' },
    { kind: 'garbage' },
    { kind: 'status', statusCode: 503 },
  ];
  return Array.from({ length: size }, () =>
    chance() < workingRatio
      ? { kind: 'ok', latencyMs: 20 + Math.floor(chance() * 80) }
      : (dead[Math.floor(chance() * dead.length)] as Behaviour),
  );
}

/** Sends requests, one after the other, until one succeeds: how long that takes from the start of the client. */
type Trial = (fleet: Fleet, seed: number) => Promise<{ tookMs: number; requests: number }>;

async function untilSuccess(send: () => Promise<number>) {
  const start = performance.now();
  for (let requests = 1; ; requests++) {
    if ((await send().catch(() => 0)) === 200) {
      return { tookMs: performance.now() - start, requests };
    }
  }
}

const whirl =
  (options: RotatorOptions): Trial =>
  async (fleet, seed) => {
    const rotator = new ProxyRotator({
      proxies: fleet.proxies,
      retryPolicy: { maxAttempts: 10, attemptTimeoutMs, failoverDelay: 'none' },
      random: seededRandom(seed),
      ...options,
    });
    const done = await untilSuccess(async () => {
      const { statusCode, body } = await rotator.get(fleet.target);
      await body.dump();
      return statusCode;
    });
    await rotator.destroy();
    return done;
  };

const proxyAgents: Trial = async (fleet, seed) => {
  const chance = seededRandom(seed);
  return untilSuccess(async () => {
    const uri = fleet.proxies[Math.floor(chance() * size)] as string;
    const dispatcher = new ProxyAgent({ uri, proxyTunnel: false });
    const signal = AbortSignal.timeout(attemptTimeoutMs);
    try {
      const { statusCode, body } = await request(fleet.target, { dispatcher, signal });
      await body.dump();
      return statusCode;
    } finally {
      await dispatcher.destroy();
    }
  });
};

const subjects: Record<string, Trial> = {
  'ProxyAgent, at random': proxyAgents,
  'whirl, random(), no circuits': whirl({ strategy: random(), circuitBreaker: false }),
  whirl: whirl({}),
  'whirl, hedged after 200 ms': whirl({ hedge: { afterMs: 200 } }),
};

/** Time to the first success in a pool that nothing is known of. */
export async function coldPool(): Promise<void> {
  const fleet = await startFleet(scraped());
  const times = new Map<string, { tookMs: number; requests: number }[]>();
  for (let trial = 1; trial <= trials; trial++) {
    for (const [name, run] of Object.entries(subjects)) {
      const done = await run(fleet, trial * 7919);
      times.set(name, [...(times.get(name) ?? []), done]);
    }
  }
  await fleet.close();
  printTable(
    `From the start to the first success: ${size} proxies, ${workingRatio * 100} % of which work, ${trials} trials`,
    [...times].map(([through, done]) => {
      const tookMs = done.map((each) => each.tookMs).sort((a, b) => a - b);
      return {
        through,
        'median, ms': Math.round(quantile(tookMs, 0.5)),
        'p95, ms': Math.round(quantile(tookMs, 0.95)),
        'requests, median': median(done.map(({ requests }) => requests)),
      };
    }),
  );
}
