import { describe, expect, it, vi } from 'vitest';
import { errorOf, fast, rig } from '../support/pool-rig.ts';

describe('the wait before a retry', () => {
  it('F2 defaults wait 1 s, then 2 s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { rotator, target, next } = await rig([{ kind: 'reset' }], { retryPolicy: {} });
      const failed = errorOf(rotator.get(target.url));
      expect((await next('retry:scheduled')).delayMs).toBe(1000);
      await vi.advanceTimersByTimeAsync(999);
      expect(rotator.inFlight()).toMatchObject([{ attempt: 0 }]);
      const second = next('retry:scheduled');
      await vi.advanceTimersByTimeAsync(1);
      expect((await second).delayMs).toBe(2000);
      await vi.advanceTimersByTimeAsync(2000);
      expect((await failed)['attempts']).toMatchObject([
        { attempt: 0, delayBeforeMs: 0 },
        { attempt: 1, delayBeforeMs: 1000 },
        { attempt: 2, delayBeforeMs: 2000 },
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('F3 a pool of one is tried again after the backoff, not at once', async () => {
    const { rotator, target, told } = await rig([{ kind: 'reset' }]);
    await errorOf(rotator.get(target.url));
    expect(told('retry:scheduled').map(({ delayMs }) => delayMs)).toEqual([100, 100]);
  });

  for (const [failure, behaviour, tls] of [
    ['a reset', { kind: 'reset' }, false],
    ['a listed status', { kind: 'status', statusCode: 503 }, false],
    ['a CONNECT that failed', { kind: 'status', statusCode: 502 }, true],
    ['a refused connection', { kind: 'refuse' }, true],
  ] as const) {
    it(`F1 failoverDelay none: ${failure} that opens the circuit makes the other of two proxies wait for nothing`, async () => {
      const { rotator, target, proxies, told } = await rig(
        [behaviour, { kind: 'ok' }],
        { circuitBreaker: { failureThreshold: 1 }, retryPolicy: { failoverDelay: 'none' } },
        { tls },
      );
      const response = await rotator.get(target.url);
      await response.body.dump();
      expect(response.proxyId).toBe(proxies[1]?.id);
      expect(told('circuit:transition')).toMatchObject([{ name: proxies[0]?.id, to: 'open' }]);
      expect(told('retry:scheduled')).toMatchObject([{ delayMs: 0 }]);
      expect(told('attempt:end')).toMatchObject([{}, { outcome: 'success', delayBeforeMs: 0 }]);
    });
  }

  it('F1 failoverDelay none: with no other proxy the backoff is waited', async () => {
    const { rotator, target, proxies, told } = await rig([{ kind: 'reset' }, { kind: 'ok' }], {
      retryPolicy: { ...fast, maxAttempts: 2 },
    });
    rotator.forceOpenCircuitBreaker(proxies[1]?.id ?? '');
    await errorOf(rotator.get(target.url));
    expect(told('retry:scheduled')).toMatchObject([{ delayMs: 100 }]);
  });

  it('F8 a Retry-After longer than maxRetryAfterMs returns the response now', async () => {
    const { rotator, target, told } = await rig([{ kind: 'ok' }]);
    const response = await rotator.get(`${target.origin}/status/503?retry-after=61`);
    await response.body.dump();
    expect([response.statusCode, response.attempts.length]).toEqual([503, 1]);
    expect(told('retry:refused')).toMatchObject([{ reason: 'retry_after' }]);
  });

  it("F8 a proxy's own Retry-After, with its response to CONNECT, binds no other proxy", async () => {
    const limited = { kind: 'status', statusCode: 429, retryAfter: '120' } as const;
    const options = { retryPolicy: { ...fast, failoverDelay: 'backoff' } } as const;
    const { rotator, target, proxies, told } = await rig([limited, { kind: 'ok' }], options, {
      tls: true,
    });
    const response = await rotator.get(target.url);
    await response.body.dump();
    expect([response.statusCode, response.proxyId]).toEqual([200, proxies[1]?.id]);
    expect(told('retry:scheduled')).toMatchObject([{ delayMs: 100, reason: 'connect' }]);
    // Where it is that proxy or none, it counts.
    const error = await errorOf(rotator.get(target.url, { proxyId: proxies[0]?.id }));
    expect(error['attempts']).toHaveLength(1);
    expect(told('retry:refused')).toMatchObject([{ reason: 'retry_after' }]);
  });

  it("F8 another proxy owes the target's Retry-After nothing under failoverDelay none", async () => {
    const { rotator, target, told } = await rig([
      { kind: 'status', statusCode: 503, retryAfter: '30' },
      { kind: 'ok' },
    ]);
    const response = await rotator.get(target.url);
    await response.body.dump();
    expect(response.statusCode).toBe(200);
    expect(told('retry:scheduled')).toMatchObject([{ delayMs: 0, reason: 'status' }]);
  });

  it('F8 under failoverDelay none a proxy without the tags of the request is no other one', async () => {
    const { rotator, target, proxies, told } = await rig(
      [{ kind: 'ok' }, { kind: 'ok' }],
      { proxies: [] },
      { tls: true },
    );
    const [a, b] = proxies.map(({ url }) => url);
    rotator.setProxies([
      { url: a, tags: ['home'] },
      { url: b, tags: ['office'] },
    ]);
    const get = async () => {
      const path = '/status/503?retry-after=61';
      const response = await rotator.get(target.origin + path, { tags: ['home'] });
      await response.body.dump();
      return response;
    };
    expect((await get()).attempts).toHaveLength(1);
    expect(told('retry:refused')).toMatchObject([{ reason: 'retry_after' }]);
    rotator.addProxy({ url: b ?? '', id: 'another', tags: ['home'] });
    expect((await get()).attempts).toHaveLength(2);
  });
});
