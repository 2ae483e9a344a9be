import { describe, expect, it } from 'vitest';
import { errorOf, rig } from '../support/pool-rig.ts';

const large = '/bytes/500000';
const once = { maxAttempts: 1, attemptTimeoutMs: 200 };
/** For what must not depend on the speed of the machine. */
const patient = { retryPolicy: null };
const circuitBreaker = { failureThreshold: 1 };

describe('F16d a wait for one of our own connections is not held against the proxy', () => {
  it('a timeout in it is of phase select and neutral: unread responses open no circuit', async () => {
    const { rotator, target, told } = await rig([{ kind: 'ok' }], {
      connections: 2,
      circuitBreaker,
      retryPolicy: once,
    });
    const unread = [1, 2].map(() => rotator.get(target.origin + large, patient));
    await Promise.all(unread);
    const error = await errorOf(rotator.get(target.url));
    expect(error.cause).toMatchObject({ code: 'ATTEMPT_TIMEOUT', phase: 'select' });
    expect(told('attempt:end')).toMatchObject([
      { outcome: 'timeout', phase: 'select', blame: 'caller', reason: 'timeout' },
    ]);
    expect(rotator.proxies()).toMatchObject([{ state: 'closed', successRate: 0.5 }]);
    for (const { body } of await Promise.all(unread)) await body.dump({ limit: 1e6 });
    expect((await rotator.get(target.url, patient)).statusCode).toBe(200);
  });

  it('it is retried, through another proxy', async () => {
    const { rotator, target, proxies } = await rig([{ kind: 'ok' }, { kind: 'ok' }], {
      connections: 1,
      retryPolicy: { maxAttempts: 2, attemptTimeoutMs: 1000, baseDelayMs: 100 },
    });
    const [held, free] = proxies.map(({ id }) => id);
    await rotator.get(target.origin + large, { ...patient, proxyId: held });
    const response = await rotator.get(target.url);
    expect(response.attempts.map(({ proxyId }) => proxyId)).toEqual([held, free]);
    await response.body.dump();
  });

  it("the attempt's time begins with its connection: a long line before it costs none of it", async () => {
    const { rotator, target, told } = await rig([{ kind: 'ok' }], {
      connections: 1,
      circuitBreaker,
      retryPolicy: { maxAttempts: 1, attemptTimeoutMs: 2000 },
    });
    const first = await rotator.get(target.origin + large, patient);
    const second = rotator.get(`${target.origin}/delay/1200`);
    const third = errorOf(rotator.get(target.url));
    setTimeout(() => void first.body.dump({ limit: 1e6 }), 1200);
    // The second is sent 1,200 ms after its start, and may take 2,000 more.
    expect((await second).statusCode).toBe(200);
    expect((await third).cause).toMatchObject({ code: 'ATTEMPT_TIMEOUT', phase: 'select' });
    const failed = told('attempt:end').filter(({ outcome }) => outcome !== 'success');
    expect(failed).toMatchObject([{ phase: 'select', blame: 'caller' }]);
    expect(rotator.proxies()).toMatchObject([{ state: 'closed' }]);
  });

  it('F9 timeoutMs bounds the wait and what follows it, and blames no proxy for the wait', async () => {
    const { rotator, target, told } = await rig([{ kind: 'ok' }], {
      connections: 1,
      circuitBreaker,
      retryPolicy: { maxAttempts: 3, timeoutMs: 2000 },
    });
    const first = await rotator.get(target.origin + large, patient);
    expect(await errorOf(rotator.get(target.url))).toMatchObject({ code: 'REQUEST_TIMEOUT' });
    expect(told('attempt:end')).toMatchObject([{ phase: 'select', blame: 'caller' }]);
    // One that gets its connection late had little of the time: a quarter, and half would be enough to blame it.
    const second = errorOf(rotator.get(`${target.origin}/delay/5000`));
    setTimeout(() => void first.body.dump({ limit: 1e6 }), 1500);
    expect(await second).toMatchObject({ code: 'REQUEST_TIMEOUT' });
    expect(told('attempt:end').at(-1)).toMatchObject({ phase: 'headers', blame: 'caller' });
    expect(rotator.proxies()).toMatchObject([{ state: 'closed' }]);
  });
});
