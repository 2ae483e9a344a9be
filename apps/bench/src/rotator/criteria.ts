import { ProxyRotator, type RotatorOptions } from '@whirl/rotator';
import { ProxyAgent, request } from 'undici';
import { median, quantile } from '../measure.ts';
import { printTable } from '../table.ts';
import { flaky, flawless, startFleet } from './fleet.ts';
import { load } from './load.ts';
import { sendAtRandom } from './random-choice.ts';

interface Seen {
  readonly rotator: ProxyRotator;
  readonly latenciesMs: readonly number[];
  readonly retriedMs: readonly number[];
  /** Attempts through proxies that fail more than 70 % of the time. */
  wasted: number;
}

const quick = { attemptTimeoutMs: 1000, failoverDelay: 'none' } as const;

/** The success criteria of the retry and failover guide, each with its figure. */
export async function criteria(): Promise<void> {
  const rows: { criterion: string; bar: string; measured: string; holds: string }[] = [];
  const row = (criterion: string, bar: string, measured: string, holds: boolean) =>
    rows.push({ criterion, bar, measured, holds: holds ? 'yes' : 'NO' });
  const percent = (value: number) => `${(value * 100).toFixed(1)} %`;

  const behaviours = flaky(40);
  const fleet = await startFleet(behaviours);
  const broken = new Set(
    fleet.proxies.filter((_, i) => behaviours[i]?.kind !== 'ok').map((url) => new URL(url).host),
  );
  /** Traffic through the unreliable fleet, and what the bus said of it. */
  const traffic = async (
    requests: number,
    concurrency: number,
    options: RotatorOptions = {},
    send = (rotator: ProxyRotator) => rotator.get(fleet.target),
  ) => {
    const rotator = new ProxyRotator({ proxies: fleet.proxies, retryPolicy: quick, ...options });
    const retriedMs: number[] = [];
    const seen = { rotator, retriedMs, wasted: 0 };
    rotator.bus.on('attempt:end', ({ proxyId }) => {
      if (broken.has(proxyId)) seen.wasted++;
    });
    rotator.bus.on('request:end', ({ outcome, attemptCount, durationMs }) => {
      if (outcome === 'success' && attemptCount > 1) retriedMs.push(durationMs);
    });
    const result = await load(
      async () => {
        const { statusCode, body } = await send(rotator);
        await body.text();
        if (statusCode !== 200) throw new Error(`status ${statusCode}`);
      },
      { requests, concurrency },
    );
    retriedMs.sort((a, b) => a - b);
    return Object.assign(seen, result) as Seen & typeof result;
  };

  const atRandom = (attempts: number) => (rotator: ProxyRotator) =>
    sendAtRandom(rotator, fleet.target, attempts);
  const single = await traffic(2000, 64, { circuitBreaker: false }, atRandom(1));
  const chance = await traffic(2000, 64, { circuitBreaker: false }, atRandom(3));
  const whirl = await traffic(2000, 64);
  const gain = chance.succeeded / 2000 - single.succeeded / 2000;
  row(
    'retries alone, over one attempt',
    '≥ 15 points',
    `${(gain * 100).toFixed(1)} points`,
    gain >= 0.15,
  );
  const saved = 1 - whirl.wasted / chance.wasted;
  row(
    'attempts wasted on broken proxies, against random',
    '≥ 80 % fewer',
    `${percent(saved)} fewer`,
    saved >= 0.8,
  );
  const p95 = quantile(whirl.retriedMs, 0.95);
  row('p95 of requests that a retry saved', '< 5 s', `${(p95 / 1000).toFixed(2)} s`, p95 < 5000);
  const { successByAttempt } = whirl.rotator.getRetryMetrics().getSummary();
  const wins = Object.values(successByAttempt).reduce((sum, count) => sum + count, 0);
  const early = ((successByAttempt[0] ?? 0) + (successByAttempt[1] ?? 0)) / wins;
  row('successes within two attempts', '≥ 90 %', percent(early), early >= 0.9);

  const better = await firstRetryGain();
  row(
    'first retry succeeds, against random',
    '≥ 20 % better',
    `${percent(better)} better`,
    better >= 0.2,
  );

  const opened = await breachToOpenMs(fleet.target);
  row('from the breach to the open circuit', '< 1 s', `${opened.toFixed(1)} ms`, opened < 1000);

  const crowd = await traffic(10_000, 10_000);
  const { totalRequests, totalAttempts, totalRetries } = crowd.rotator
    .getRetryMetrics()
    .getSummary();
  const byProxy = Object.values(crowd.rotator.getRetryMetrics().getByProxy({ hours: 24 }));
  const sum = byProxy.reduce((total, each) => total + each.totalAttempts, 0);
  const exact =
    totalRequests === 10_000 &&
    totalAttempts === totalRequests + totalRetries &&
    sum === totalAttempts;
  row(
    '10,000 at once: every one settles, the sums agree',
    'exact',
    `${totalRequests} + ${totalRetries} retries = ${totalAttempts}`,
    exact && crowd.succeeded + crowd.failed === 10_000,
  );

  const reads = metricReadMs(crowd.rotator);
  row('the slowest metrics query', '< 100 ms', `${reads.toFixed(2)} ms`, reads < 100);

  const applied = await policyApplies(whirl.rotator, fleet.target);
  row('a policy change takes effect', 'next request', applied, applied === 'next request');
  for (const { rotator } of [single, chance, whirl, crowd]) await rotator.destroy();
  await fleet.close();

  const added = await addedResponseTime();
  row('1,000 at once: added response time over ProxyAgent', '< 5 %', percent(added), added < 0.05);
  printTable("The guide's success criteria", rows);
}

/**
 * The share of first retries that succeed, over that of a random choice: in a pool that is known, where a
 * third of the proxies are broken and the others fail now and then.
 */
async function firstRetryGain(): Promise<number> {
  const fleet = await startFleet(
    Array.from({ length: 40 }, (_, i) =>
      i % 3 === 0
        ? { kind: 'reset' }
        : { kind: 'mix', parts: [{ ratio: 0.1, behaviour: { kind: 'reset' } }] },
    ),
  );
  const rotator = new ProxyRotator({ proxies: fleet.proxies, retryPolicy: quick });
  const send = async () => (await rotator.get(fleet.target)).body.text();
  await load(send, { requests: 500, concurrency: 16 });
  const learned = { retries: 0, succeeded: 0 };
  rotator.bus.on('attempt:end', ({ attempt, outcome }) => {
    if (attempt !== 1) return;
    learned.retries++;
    if (outcome === 'success') learned.succeeded++;
  });
  await load(send, { requests: 3000, concurrency: 16 });
  await rotator.destroy();
  const plain = new ProxyRotator({ proxies: fleet.proxies, circuitBreaker: false });
  const drawn = { retries: 0, succeeded: 0 };
  const count = (attempt: number, succeeded: boolean) => {
    if (attempt !== 1) return;
    drawn.retries++;
    if (succeeded) drawn.succeeded++;
  };
  const sendDrawn = async () => (await sendAtRandom(plain, fleet.target, 3, count)).body.text();
  await load(sendDrawn, { requests: 3000, concurrency: 16 });
  await plain.destroy();
  const chance = drawn.succeeded / drawn.retries;
  const gain = learned.succeeded / learned.retries / chance - 1;
  await fleet.close();
  return gain;
}

async function breachToOpenMs(target: string): Promise<number> {
  const rotator = new ProxyRotator({ proxies: ['127.0.0.1:9'], retryPolicy: null });
  let fifth = 0;
  let opened = NaN;
  rotator.bus.on('circuit:transition', ({ to }) => {
    if (to === 'open') opened = performance.now();
  });
  for (let i = 0; i < 5; i++) {
    fifth = performance.now();
    await rotator.get(target).catch(() => {});
  }
  await rotator.destroy();
  return opened - fifth;
}

function metricReadMs(rotator: ProxyRotator): number {
  const metrics = rotator.getRetryMetrics();
  const reads = [
    () => metrics.getSummary(),
    () => metrics.getTimeseries({ hours: 24 }),
    () => metrics.getByProxy({ hours: 24 }),
    () => metrics.getByPolicy({ hours: 24 }),
  ];
  return Math.max(
    ...reads.map((read) => {
      const start = performance.now();
      read();
      return performance.now() - start;
    }),
  );
}

async function policyApplies(rotator: ProxyRotator, target: string): Promise<string> {
  let seen: string | undefined;
  const off = rotator.bus.on('request:end', ({ policyName }) => (seen = policyName));
  rotator.retryPolicy = { ...quick, name: 'changed' };
  await (await rotator.get(target)).body.dump();
  off();
  return seen === 'changed' ? 'next request' : 'later';
}

/** Mean response time at 1,000 at once over that of ProxyAgents, same proxies, by turns. */
async function addedResponseTime(): Promise<number> {
  const fleet = await startFleet(flawless(8));
  const agents = fleet.proxies.map(
    (uri) => new ProxyAgent({ uri, proxyTunnel: false, connections: 64 }),
  );
  const rotator = new ProxyRotator({ proxies: fleet.proxies });
  let turn = 0;
  const subjects = {
    peer: async () => {
      const dispatcher = agents[turn++ % agents.length] as ProxyAgent;
      await (await request(fleet.target, { dispatcher })).body.text();
    },
    whirl: async () => {
      await (await rotator.get(fleet.target)).body.text();
    },
  };
  const means = { peer: [] as number[], whirl: [] as number[] };
  for (let round = -1; round < 5; round++) {
    for (const name of ['peer', 'whirl'] as const) {
      const { latenciesMs } = await load(subjects[name], { requests: 4000, concurrency: 1000 });
      if (round >= 0)
        means[name].push(latenciesMs.reduce((sum, each) => sum + each, 0) / latenciesMs.length);
    }
  }
  await Promise.all([...agents.map((agent) => agent.destroy()), rotator.destroy()]);
  await fleet.close();
  return median(means.whirl) / median(means.peer) - 1;
}
