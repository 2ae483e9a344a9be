import { createRetryBudget } from '@whirl/backoff';
import { roundRobin } from '@whirl/selector';
import { seededRandom, startProxy, startTarget } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { errorOf, fast, rig } from '../support/pool-rig.ts';
import { startRotator, use } from '../support/rig.ts';

describe('the retry budget', () => {
  it('G2 a refused retry surfaces the original error itself at once, and is counted', async () => {
    const budget = createRetryBudget({ ratio: 0, minPerSecond: 0 });
    // The default policy would sleep for a second first.
    const { rotator, target, told } = await rig([{ kind: 'reset' }], { budget, retryPolicy: {} });
    const error = await errorOf(rotator.get(target.url));
    expect(error).toMatchObject({ code: 'PROXY_CONNECTION', phase: 'headers' });
    expect(error['attempts']).toHaveLength(1);
    expect(told('retry:scheduled')).toEqual([]);
    expect(told('retry:refused')).toMatchObject([{ reason: 'budget' }]);
    expect(budget.refused).toBe(1);
  });

  it('G2 a listed status is returned when its retry is refused', async () => {
    const { rotator, target } = await rig([{ kind: 'ok' }], {
      budget: { ratio: 0, minPerSecond: 0 },
    });
    const response = await rotator.get(`${target.origin}/status/503`);
    expect(await response.body.text()).toBe('status 503\n');
    expect(response.attempts).toHaveLength(1);
  });

  it('G3 a failover from a proxy that is to blame is free, certain or convicted by the evidence', async () => {
    const { rotator, target } = await rig(
      [{ kind: 'ok' }, { kind: 'refuse' }, { kind: 'status', statusCode: 503 }],
      { budget: { ratio: 0, minPerSecond: 0 } },
      { tls: true },
    );
    for (let i = 0; i < 4; i++) {
      const response = await rotator.get(target.url);
      expect(response.statusCode).toBe(200);
      await response.body.dump();
    }
  });

  it('G3 it earns from successes only', async () => {
    const budget = createRetryBudget({ ratio: 0.5, minPerSecond: 0 });
    const { rotator, target } = await rig([{ kind: 'ok' }], { budget });
    for (let i = 0; i < 4; i++) await (await rotator.get(target.url)).body.dump();
    expect(budget.balance).toBe(2);
    for (const status of [503, 502]) {
      await (
        await rotator.get(`${target.origin}/status/${status}`, { retryPolicy: null })
      ).body.dump();
    }
    expect(budget.balance).toBe(2);
    // A status that no policy lists is an answer like any other.
    for (let i = 0; i < 2; i++) {
      await (await rotator.get(`${target.origin}/status/404`)).body.dump();
    }
    expect(budget.balance).toBe(3);
  });

  it('G3 total outage of an https target at 1,000 requests a second: at most 1.10 attempts each', async () => {
    let now = 1_700_000_000_000;
    const { rotator, target, told } = await rig(
      Array.from({ length: 3 }, () => ({ kind: 'close-after-connect' }) as const),
      { now: () => now, retryPolicy: { ...fast, maxAttempts: 4 }, circuitBreaker: false },
      { tls: true },
    );
    const requests = 500;
    for (let sent = 0; sent < requests; sent += 50) {
      await Promise.all(
        Array.from({ length: 50 }, () => {
          now += 1;
          return errorOf(rotator.get(target.url));
        }),
      );
    }
    const attempts = told('attempt:start').length;
    // Free are those of the first burst alone: while one of its attempts was out, it might have been answered.
    expect(attempts - requests).toBeLessThanOrEqual(50);
    expect(attempts / requests).toBeLessThanOrEqual(1.1);
    expect(told('target:down')).toHaveLength(1);
  });

  it('G3 a dead https target behind proxies that say so: at most 1.10 attempts each', async () => {
    let now = 1_700_000_000_000;
    const { rotator, target, told } = await rig(
      Array.from({ length: 6 }, () => ({ kind: 'status', statusCode: 502 }) as const),
      { now: () => now, retryPolicy: { ...fast, maxAttempts: 4 }, circuitBreaker: false },
      { tls: true },
    );
    const requests = 500;
    for (let sent = 0; sent < requests; sent += 50) {
      await Promise.all(
        Array.from({ length: 50 }, () => {
          now += 1;
          return errorOf(rotator.get(target.url));
        }),
      );
    }
    const attempts = told('attempt:start').length;
    expect(attempts - requests).toBeLessThanOrEqual(50);
    expect(attempts / requests).toBeLessThanOrEqual(1.1);
    expect(told('retry:refused').some(({ reason }) => reason === 'target_down')).toBe(true);
  });

  it('G3 proxies that fail 40 % of attempts before or during connect lose no retry to it', async () => {
    const parts = [
      { ratio: 0.1, behaviour: { kind: 'reset' } },
      { ratio: 0.3, behaviour: { kind: 'status', statusCode: 502 } },
    ] as const;
    const target = use(await startTarget({ tls: true }));
    const random = seededRandom(40);
    const proxies = await Promise.all(
      Array.from({ length: 10 }, async () => use(await startProxy({ random }))),
    );
    // What successes earn, and nothing besides.
    let now = 0;
    const budget = createRetryBudget({ ratio: 0.2, minPerSecond: 0, now: () => now });
    const rotator = startRotator({
      proxies: proxies.map(({ url }) => url),
      strategy: roundRobin(),
      tls: { ca: target.ca },
      // Each request on a tunnel of its own.
      keepAlive: false,
      circuitBreaker: false,
      budget,
      retryPolicy: { ...fast, maxAttempts: 10 },
    });
    const refused: string[] = [];
    rotator.bus.on('retry:refused', ({ reason }) => refused.push(reason));
    let good = 0;
    const ask = async (atOnce: number) => {
      await Promise.all(
        Array.from({ length: atOnce }, async () => {
          const response = await rotator.get(target.url).catch(() => undefined);
          await response?.body.dump();
          if (response !== undefined) good++;
        }),
      );
    };
    // Before the first response a retry draws on the budget: here nothing has been earned yet.
    for (let i = 0; i < 10; i++) await ask(1);
    for (const proxy of proxies) await proxy.behave({ kind: 'mix', parts });
    for (let i = 0; i < 3; i++) await ask(50);
    // What these have earned is gone: the others fail more often than they earn.
    now += 60_000;
    for (let i = 0; i < 40; i++) await ask(1);
    const { totalRetries } = rotator.getRetryMetrics().getSummary();
    expect(totalRetries).toBeGreaterThan(60);
    expect(budget.refused).toBe(0);
    // One request in 10,000 fails through all ten proxies: it has made all of its attempts.
    expect(refused.filter((reason) => reason !== 'attempts')).toEqual([]);
    expect(good + refused.length).toBe(200);
  }, 20_000);

  it('budget: false is no bound', async () => {
    const { rotator, target, told } = await rig([{ kind: 'reset' }], {
      budget: false,
      targetDown: false,
      circuitBreaker: false,
    });
    await Promise.all(Array.from({ length: 30 }, () => errorOf(rotator.get(target.url))));
    expect(told('attempt:start')).toHaveLength(90);
  });
});
