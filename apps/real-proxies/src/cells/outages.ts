import {
  AllProxiesUnavailableError,
  AttemptTimeoutError,
  type ProxyRotator,
  type RetryPolicyOptions,
} from '@whirl/rotator';
import type { Phase } from '@whirl/events';
import type { Strategy } from '@whirl/selector';
import { startProxy } from '@whirl/testkit';
import { expect } from 'vitest';
import type { Front, Way } from '../front.ts';
import type { Stage } from '../stage.ts';
import { attemptError, outcomeOf } from '../whirl.ts';
import type { Cell } from './cell.ts';

const ipv4Only: Cell['without'] = (_, { host }) =>
  host === '::1' ? 'it is the proxy that goes, whatever the target' : undefined;

/** The proxy under test whenever it may be picked. */
const frontFirst: Strategy = {
  name: 'frontFirst',
  pick(among) {
    for (let i = 0; i < among.size; i++) if (among.id(among.at(i)) === 'front') return among.at(i);
    return among.any();
  },
};

/** Long enough for the spare on a busy machine, short enough to be waited for. */
const attemptTimeoutMs = 1500;

/** The front and a spare that always works. */
async function withSpare(
  stage: Stage,
  way: Way,
  policy: RetryPolicyOptions,
  use: (rotator: ProxyRotator) => Promise<void>,
): Promise<void> {
  const spare = await startProxy();
  const rotator = stage.rotator(way, {
    proxies: [stage.proxy(), { url: spare.url, id: 'spare' }],
    strategy: frontFirst,
    retryPolicy: { maxAttempts: 2, failoverDelay: 'none', ...policy },
  });
  try {
    await use(rotator);
  } finally {
    await spare.close();
  }
}

/** Where a stopped proxy keeps an attempt waiting: the kernel still accepts connections for it. */
function silentPhase({ scheme }: Front, { tunnel }: Way): Phase {
  if (scheme === 'https') return 'tls_proxy';
  if (scheme.startsWith('socks')) return 'socks';
  return tunnel ? 'connect' : 'headers';
}

const stopped: Cell = {
  name: 'SIGSTOP',
  comparable: false,
  without: ipv4Only,
  async run(stage, way) {
    const url = stage.url(way, '/hello');
    await withSpare(stage, way, { attemptTimeoutMs }, async (rotator) => {
      const before = await rotator.get(url);
      expect([before.proxyId, await before.body.text()]).toEqual(['front', 'hello']);
      const alone = stage.rotator(way, { retryPolicy: { maxAttempts: 1, attemptTimeoutMs } });
      await stage.daemon.pause();
      try {
        const [during, error] = await Promise.all([
          rotator.get(url),
          alone.get(url).catch((e: unknown) => attemptError(e)),
        ]);
        expect([during.proxyId, await during.body.text()]).toEqual(['spare', 'hello']);
        expect(during.attempts.map(({ proxyId, outcome }) => [proxyId, outcome])).toEqual([
          ['front', 'timeout'],
          ['spare', 'success'],
        ]);
        expect(error).toBeInstanceOf(AttemptTimeoutError);
        expect(error).toMatchObject({
          code: 'ATTEMPT_TIMEOUT',
          phase: silentPhase(stage.front, way),
          proxyId: 'front',
        });
      } finally {
        stage.daemon.signal('SIGCONT');
      }
      const after = await rotator.get(url);
      expect([after.proxyId, await after.body.text()]).toEqual(['front', 'hello']);
    });
    return 'ok';
  },
};

const killed: Cell = {
  name: 'SIGKILL',
  comparable: false,
  without: ipv4Only,
  async run(stage, way) {
    const { targets, daemon } = stage;
    if (!daemon.running) await daemon.start();
    const gate = `kill-${way.name}`;
    const post = `kill-post-${way.name}`;
    await withSpare(stage, way, {}, async (rotator) => {
      const reading = rotator.get(stage.url(way, `/hold/${gate}`));
      const writing = rotator
        .post(stage.url(way, `/hold/${post}`), { body: 'once' })
        .catch((e: unknown) => attemptError(e));
      const both = Promise.all([targets.arrived(gate, 1), targets.arrived(post, 1)]);
      await Promise.race([both, reading]);
      await daemon.kill();
      await Promise.race([targets.arrived(gate, 2), reading]);
      targets.open(gate);
      const response = await reading;
      expect([response.proxyId, await response.body.text()]).toEqual(['spare', 'released']);
      expect(response.attempts).toMatchObject([
        { proxyId: 'front', outcome: 'failure', errorCode: 'PROXY_CONNECTION' },
        { proxyId: 'spare', outcome: 'success' },
      ]);
      // A POST that was sent is not sent again.
      expect(await writing).toMatchObject({ code: 'PROXY_CONNECTION', phase: 'headers' });
      expect(targets.arrivals(post)).toBe(1);
    });
    targets.open(post);
    return 'ok';
  },
};

const failureThreshold = 5;
const openMs = 30_000;

const restarted: Cell = {
  name: 'restart',
  comparable: false,
  without: ipv4Only,
  async run(stage, way) {
    const { daemon } = stage;
    const url = stage.url(way, '/hello');
    let time = Date.now();
    const rotator = stage.rotator(way, {
      circuitBreaker: { failureThreshold, openMs },
      now: () => time,
    });
    await daemon.kill();
    for (let i = 0; i < failureThreshold; i++) {
      const error = attemptError(await rotator.get(url).catch((e: unknown) => e));
      expect(error).toMatchObject({ code: 'PROXY_CONNECTION', phase: 'tcp', proxyId: 'front' });
    }
    const refused = async () => {
      const error: unknown = await rotator.get(url).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(AllProxiesUnavailableError);
      expect(error).toMatchObject({ code: 'ALL_PROXIES_UNAVAILABLE', retryAfterMs: openMs });
    };
    await refused();
    await daemon.start();
    await refused();
    time += openMs;
    expect(await outcomeOf(rotator.get(url))).toMatchObject({ status: 200, body: 'hello' });
    expect(rotator.getCircuitBreakerStates().get('front')).toMatchObject({ state: 'closed' });
    return 'ok';
  },
};

export const outages: readonly Cell[] = [stopped, killed, restarted];
