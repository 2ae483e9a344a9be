import { roundRobin, type Strategy } from '@whirl/selector';
import { describe, expect, it } from 'vitest';
import { errorOf, fast, rig } from '../support/pool-rig.ts';

const error = new Error('a bug in the strategy');

/** Picks in turn, and throws at the picks with these numbers, the first being 0. */
function throwing(...at: number[]): Strategy {
  const inner = roundRobin();
  let picks = 0;
  return {
    ...inner,
    name: 'throwing',
    pick: (among, ask) => {
      if (at.includes(picks++)) throw error;
      return inner.pick(among, ask);
    },
  };
}

describe('F18 a strategy that throws ends its request with its own error, once, and blames no proxy', () => {
  const listed = { kind: 'status', statusCode: 503 } as const;

  it.each([
    ['at the first pick', 0, [{ kind: 'ok' }], {}, 0],
    ['after a failure and a delay', 1, [{ kind: 'reset' }], {}, 1],
    ['after a failure, at once', 1, [{ kind: 'reset' }, { kind: 'ok' }], {}, 1],
    ['after a listed status, at once', 1, [listed, { kind: 'ok' }], {}, 1],
    ['for a hedge', 1, [{ kind: 'hang' }, { kind: 'ok' }], { hedge: { afterMs: 20 } }, 1],
  ] as const)('%s', async (_, at, behaviours, options, attempts) => {
    const { rotator, target, told } = await rig(behaviours, { strategy: throwing(at), ...options });
    expect(await errorOf(rotator.get(target.url))).toBe(error);
    expect(rotator.inFlight()).toEqual([]);
    expect(told('attempt:end')).toHaveLength(attempts);
    expect(told('request:end')).toMatchObject([{ outcome: 'failure', attemptCount: attempts }]);
    expect(rotator.proxies().every(({ inFlight }) => inFlight === 0)).toBe(true);
    // The next request is none the worse for it.
    if (attempts === 0) await (await rotator.get(target.url)).body.dump();
  });

  it('in the queue, whose other requests are served', async () => {
    const { rotator, target, proxies, next } = await rig([{ kind: 'ok', latencyMs: 100 }], {
      proxies: [],
      // The first request, two that come to a full pool, and then the line.
      strategy: throwing(3),
      queueTimeoutMs: 5000,
      retryPolicy: fast,
    });
    rotator.addProxy({ url: proxies[0]?.url ?? '', maxConcurrent: 1 });
    const started = next('attempt:start');
    const first = rotator.get(target.url);
    await started;
    const second = errorOf(rotator.get(target.url));
    const third = rotator.get(target.url);
    await (await first).body.dump();
    expect(await second).toBe(error);
    expect((await third).statusCode).toBe(200);
  });
});
