import { describe, expect, it } from 'vitest';
import { errorOf, rig } from './testing/pool-rig.ts';

const large = '/bytes/500000';
const once = { maxAttempts: 1, attemptTimeoutMs: 200 };
const circuitBreaker = { failureThreshold: 1 };

describe('F16d a wait for one of our own connections is not held against the proxy', () => {
  it('a timeout in it is of phase select and neutral: answers that nobody reads open no circuit', async () => {
    const { rotator, target, told } = await rig([{ kind: 'ok' }], {
      connections: 2,
      circuitBreaker,
      retryPolicy: once,
    });
    const unread = [1, 2].map(() => rotator.get(target.origin + large));
    await Promise.all(unread);
    const error = await errorOf(rotator.get(target.url));
    expect(error.cause).toMatchObject({ code: 'ATTEMPT_TIMEOUT', phase: 'select' });
    expect(told('attempt:end')).toMatchObject([
      { outcome: 'timeout', phase: 'select', blame: 'caller', reason: 'timeout' },
    ]);
    expect(rotator.proxies()).toMatchObject([{ state: 'closed', successRate: 0.5 }]);
    for (const { body } of await Promise.all(unread)) await body.dump({ limit: 1e6 });
    expect((await rotator.get(target.url)).statusCode).toBe(200);
  });

  it('it is retried, through another proxy', async () => {
    const { rotator, target, proxies } = await rig([{ kind: 'ok' }, { kind: 'ok' }], {
      connections: 1,
      retryPolicy: { maxAttempts: 2, attemptTimeoutMs: 100, baseDelayMs: 100 },
    });
    const [held, free] = proxies.map(({ id }) => id);
    await rotator.get(target.origin + large, { proxyId: held });
    const response = await rotator.get(target.url);
    expect(response.attempts.map(({ proxyId }) => proxyId)).toEqual([held, free]);
    await response.body.dump();
  });

  it("the attempt's time begins with its connection: a long line before it costs none of it", async () => {
    const { rotator, target, told } = await rig([{ kind: 'ok' }], {
      connections: 1,
      circuitBreaker,
      retryPolicy: { maxAttempts: 1, attemptTimeoutMs: 800 },
    });
    const all = await Promise.allSettled(
      Array.from({ length: 8 }, async () => {
        await (await rotator.get(`${target.origin}/delay/300`)).body.dump();
      }),
    );
    // The third is sent 600 ms after its start, and may take 800 more.
    expect(all.slice(0, 3).map(({ status }) => status)).toEqual(Array(3).fill('fulfilled'));
    const failed = told('attempt:end').filter(({ outcome }) => outcome !== 'success');
    expect(failed.length).toBeGreaterThan(0);
    for (const each of failed) expect(each).toMatchObject({ phase: 'select', blame: 'caller' });
    expect(rotator.proxies()).toMatchObject([{ state: 'closed' }]);
  });

  it('F9 timeoutMs bounds the wait and what follows it, and blames no proxy for the wait', async () => {
    const { rotator, target, told } = await rig([{ kind: 'ok' }], {
      connections: 1,
      circuitBreaker,
      retryPolicy: { maxAttempts: 3, timeoutMs: 250 },
    });
    const first = await rotator.get(target.origin + large, { retryPolicy: null });
    expect(await errorOf(rotator.get(target.url))).toMatchObject({ code: 'REQUEST_TIMEOUT' });
    expect(told('attempt:end')).toMatchObject([{ phase: 'select', blame: 'caller' }]);
    // One that gets its connection late had little of the time.
    const second = errorOf(rotator.get(`${target.origin}/delay/1000`));
    setTimeout(() => void first.body.dump({ limit: 1e6 }), 180);
    expect(await second).toMatchObject({ code: 'REQUEST_TIMEOUT' });
    expect(told('attempt:end').at(-1)).toMatchObject({ phase: 'headers', blame: 'caller' });
    expect(rotator.proxies()).toMatchObject([{ state: 'closed' }]);
  });
});
