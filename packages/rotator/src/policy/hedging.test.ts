import { describe, expect, it } from 'vitest';
import { Hedging } from './hedging.ts';
import { errorOf, fast, rig, sums } from '../../test/support/pool-rig.ts';

const slowThenGood = [{ kind: 'hang' }, { kind: 'ok' }] as const;

describe('Hedging', () => {
  it('F12 waits for the percentile of the latest responses, and nothing until 20 are known', () => {
    const hedging = new Hedging({ percentile: 0.9 });
    for (let i = 1; i <= 19; i++) hedging.record(i);
    expect(hedging.delayMs).toBeUndefined();
    hedging.record(20);
    // 18 of 20 came sooner than 19 ms.
    expect(hedging.delayMs).toBe(19);
    for (let i = 0; i < 512; i++) hedging.record(100);
    expect(hedging.delayMs).toBe(100);
  });

  it('F12 until then afterMs counts, if it is given', () => {
    expect(new Hedging({ percentile: 0.9, afterMs: 300 }).delayMs).toBe(300);
    expect(new Hedging({ afterMs: 300 }).delayMs).toBe(300);
  });

  it('refuses what is out of bounds', () => {
    expect(() => new Hedging({})).toThrow(/hedge must have afterMs or percentile/);
    expect(() => new Hedging({ afterMs: 0 })).toThrow(/hedge.afterMs must be a number > 0, got 0/);
    expect(() => new Hedging({ percentile: 95 })).toThrow(/hedge.percentile .* got 95/);
    expect(() => new Hedging({ after: 1 } as never)).toThrow(/unknown option "hedge.after"/);
  });
});

describe('hedged requests', () => {
  it('F12 a slow response is overtaken; the loser is aborted and neutral to its circuit', async () => {
    const { rotator, target, proxies, told } = await rig(slowThenGood, { hedge: { afterMs: 30 } });
    const response = await rotator.get(target.url);
    expect(response.proxyId).toBe(proxies[1]?.id);
    // The loser has ended before the response's headers reach the caller.
    expect(told('attempt:end')[0]).toMatchObject({
      attempt: 0,
      outcome: 'aborted',
      blame: 'caller',
      hedge: false,
    });
    await response.body.dump();
    expect(told('attempt:end')[1]).toMatchObject({ attempt: 1, outcome: 'success', hedge: true });
    expect(told('attempt:start').map(({ hedge }) => hedge)).toEqual([false, true]);
    expect(told('retry:scheduled')).toEqual([]);
    const states = [...rotator.getCircuitBreakerStates().values()];
    expect(states.map(({ failureCount }) => failureCount)).toEqual([0, 0]);
    expect(sums(rotator)).toEqual({ attempts: 2, parts: 2, proxies: 2 });
  });

  it('F12 a failed hedge never beats a pending first attempt', async () => {
    const { rotator, target, proxies, told } = await rig(
      [{ kind: 'ok', latencyMs: 200 }, { kind: 'reset' }],
      { hedge: { afterMs: 20 } },
    );
    const response = await rotator.get(target.url);
    await response.body.dump();
    expect(response.proxyId).toBe(proxies[0]?.id);
    expect(told('attempt:end').map(({ outcome, hedge }) => [outcome, hedge])).toEqual([
      ['failure', true],
      ['success', false],
    ]);
  });

  it('F12 a failed first attempt waits for its hedge, then both are retried', async () => {
    const { rotator, target, proxies, told } = await rig(
      [{ kind: 'reset', latencyMs: 80 }, { kind: 'reset', latencyMs: 80 }, { kind: 'ok' }],
      { hedge: { afterMs: 20 } },
    );
    const response = await rotator.get(target.url);
    await response.body.dump();
    expect(response.proxyId).toBe(proxies[2]?.id);
    expect(told('retry:scheduled')).toMatchObject([{ attempt: 2 }]);
    expect(sums(rotator)).toEqual({ attempts: 3, parts: 3, proxies: 3 });
  });

  it('F12 POST, pinned requests and circuit tests are never hedged', async () => {
    const policy = { ...fast, maxAttempts: 1, attemptTimeoutMs: 300 };
    // It moves: by a clock that stands, every timeout is the work of a late event loop.
    let skippedMs = 0;
    const { rotator, target, proxies, told } = await rig(slowThenGood, {
      hedge: { afterMs: 20 },
      retryPolicy: policy,
      now: () => performance.timeOrigin + performance.now() + skippedMs,
      circuitBreaker: { failureThreshold: 3 },
    });
    const slow = proxies[0]?.id;
    await errorOf(rotator.post(target.url, { body: 'x' }));
    for (let i = 0; i < 2; i++) await errorOf(rotator.get(target.url, { proxyId: slow }));
    expect(rotator.getCircuitBreakerStates().get(slow ?? '')?.state).toBe('open');
    skippedMs += 30_000;
    // Make the slow one's turn come: it is a test now.
    rotator.forceOpenCircuitBreaker(proxies[1]?.id ?? '');
    rotator.bus.once('attempt:start', () => rotator.resetCircuitBreaker(proxies[1]?.id ?? ''));
    await errorOf(rotator.get(target.url));
    expect(told('attempt:start').map(({ hedge }) => hedge)).toEqual([false, false, false, false]);
  });

  it('F12 a circuit test that a hedge may not make is left to the next request', async () => {
    let skippedMs = 0;
    const { rotator, target, proxies, told } = await rig([{ kind: 'hang' }, { kind: 'reset' }], {
      hedge: { afterMs: 20 },
      retryPolicy: { ...fast, maxAttempts: 1, attemptTimeoutMs: 80 },
      now: () => performance.timeOrigin + performance.now() + skippedMs,
      circuitBreaker: { failureThreshold: 1 },
    });
    const [slow, due] = proxies.map(({ id }) => id);
    await errorOf(rotator.get(target.url, { proxyId: due }));
    skippedMs += 30_000;
    await errorOf(rotator.get(target.url));
    expect(told('attempt:start').map(({ proxyId }) => proxyId)).toEqual([due, slow]);
    await errorOf(rotator.get(target.url));
    expect(told('attempt:start').map(({ proxyId }) => proxyId)).toEqual([due, slow, due]);
  });

  it('G4 hedges and retries draw on the same budget', async () => {
    const { rotator, target, proxies, told } = await rig(slowThenGood, {
      hedge: { afterMs: 20 },
      budget: { ratio: 0, minPerSecond: 1, ttlMs: 1000 },
      now: () => 1_700_000_000_000,
      retryPolicy: { ...fast, maxAttempts: 2, attemptTimeoutMs: 100 },
    });
    await (await rotator.get(target.url)).body.dump();
    expect(told('attempt:start').map(({ hedge }) => hedge)).toEqual([false, true]);
    // The one credit is spent: no retry after a failure that may be the target's.
    const pinned = { proxyId: proxies[1]?.id };
    const response = await rotator.get(`${target.origin}/status/503`, pinned);
    await response.body.dump();
    expect(response.statusCode).toBe(503);
    expect(told('attempt:start')).toHaveLength(3);
    expect(told('retry:refused')).toMatchObject([{ reason: 'budget' }]);
  });
});
