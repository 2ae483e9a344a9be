import { consecutiveFailures } from '@whirl/circuit-breaker';
import { createBus, type WhirlEvents } from '@whirl/events';
import { RetryMetrics } from '@whirl/metrics';
import { performance } from '@whirl/selector';
import { seededRandom, startProxy, startTarget } from '@whirl/testkit';
import { describe, expect, it, vi } from 'vitest';
import { banProxy, InvalidProxyError, ProxyRotator } from '../../src/index.ts';
import { errorOf, fast, rig, sums } from '../support/pool-rig.ts';
import { use } from '../support/rig.ts';

const once = { maxAttempts: 1 };
/** What a rotator listens to on its bus. */
const heard = [
  'attempt:start',
  'attempt:end',
  'request:end',
  'circuit:transition',
  'proxy:banned',
] as const;

describe('the pool of a rotator', () => {
  it('F17 setProxies swaps at once, and kept ids keep what was learned', async () => {
    const { rotator, target, proxies, told } = await rig([{ kind: 'reset' }, { kind: 'ok' }]);
    await (await rotator.get(target.url)).body.dump();
    const [bad, good] = proxies.map(({ url }) => url) as [string, string];
    rotator.setProxies([bad, 'http://new.test:1']);
    expect(rotator.proxies().map(({ id }) => id)).toEqual([proxies[0]?.id, 'new.test:1']);
    expect(rotator.proxies()[0]).toMatchObject({ successRate: 0 });
    expect(rotator.getCircuitBreakerStates().get(proxies[0]?.id ?? '')?.failureCount).toBe(1);
    expect(told('proxy:removed')).toMatchObject([{ proxyId: proxies[1]?.id }]);
    expect(told('proxy:added')).toMatchObject([{ proxyId: 'new.test:1' }]);
    // All or nothing.
    expect(() => rotator.setProxies([good, 'nonsense'])).toThrow(/entry 2/);
    expect(() => rotator.setProxies([{ url: good, circuitBreaker: { openMs: 0 } }])).toThrow(
      /openMs/,
    );
    expect(rotator.proxies()).toHaveLength(2);
  });

  it('F17 setProxies with a value that the selection refuses changes nothing', () => {
    const rotator = new ProxyRotator({ proxies: ['h:1', 'h:2'] });
    const before = rotator.proxies();
    for (const bad of [{ weight: 1e16 }, { cost: Infinity }, { maxConcurrent: 2 ** 53 }]) {
      expect(() => rotator.setProxies(['h:3', { url: 'h:1', ...bad }])).toThrow(
        new RegExp(`^entry 2: ${Object.keys(bad)[0]} must be .*, got ${Object.values(bad)[0]}$`),
      );
      expect(rotator.proxies()).toEqual(before);
    }
  });

  it('F17b one proxy and one circuit are read by their id', () => {
    const rotator = new ProxyRotator({ proxies: ['h:1', { url: 'h:2', circuitBreaker: false }] });
    expect([...rotator.proxyIds()]).toEqual(['h:1', 'h:2']);
    expect(rotator.size).toBe(2);
    for (const proxy of rotator.proxies()) expect(rotator.proxy(proxy.id)).toEqual(proxy);
    expect(rotator.circuitBreakerState('h:1')).toEqual(
      rotator.getCircuitBreakerStates().get('h:1'),
    );
    expect(rotator.circuitBreakerState('h:2')).toBeUndefined();
    expect(rotator.proxy('h:3')).toBeUndefined();
    expect(rotator.circuitBreakerState('h:3')).toBeUndefined();
  });

  it('F17b an iterator over the ids goes on when the pool changes', () => {
    const rotator = new ProxyRotator({ proxies: ['h:1', 'h:2', 'h:3'] });
    const seen: string[] = [];
    for (const id of rotator.proxyIds()) {
      seen.push(id);
      if (id === 'h:1') rotator.setProxies(['h:1', 'h:3', 'h:4']);
    }
    expect(seen).toEqual(['h:1', 'h:3', 'h:4']);
  });

  it('F17 the same id twice is refused, and nothing changes', () => {
    const rotator = new ProxyRotator({ proxies: ['h:1'] });
    expect(() => rotator.addProxy('u:secret@h:1')).not.toThrow();
    expect(() => rotator.addProxy('http://h:1')).toThrow(/"h:1" is in the pool already/);
    expect(rotator.proxies().map(({ url }) => url)).toEqual(['http://h:1', 'http://u@h:1']);
  });

  it('F17 what an attempt through a removed proxy comes to is not laid to the next one of that id', async () => {
    for (const path of ['/', '/status/503']) {
      const { rotator, target, proxies, told, next } = await rig([{ kind: 'ok', latencyMs: 100 }], {
        proxies: [],
        retryPolicy: null,
        circuitBreaker: { trip: consecutiveFailures(1) },
        banRules: [{ name: 'blocked', judge: () => (path === '/' ? banProxy(60_000) : undefined) }],
      });
      const url = proxies[0]?.url ?? '';
      rotator.addProxy({ id: 'a', url, maxConcurrent: 1 });
      const running = rotator.get(target.origin + path);
      await next('attempt:start');
      rotator.removeProxy('a');
      rotator.addProxy({ id: 'a', url, maxConcurrent: 1 });
      const fresh = rotator.proxies();
      const circuit = rotator.getCircuitBreakerStates();
      await (await running).body.dump();
      expect(told('attempt:end')).toMatchObject([{ proxyId: 'a', outcome: 'failure' }]);
      expect(told('circuit:transition')).toEqual([]);
      expect(told('proxy:banned')).toEqual([]);
      expect(rotator.proxies()).toEqual(fresh);
      expect(rotator.getCircuitBreakerStates()).toEqual(circuit);
      // It is not banned, and the old attempt does not count against its bound.
      await (await rotator.get(target.url)).body.dump();
    }
  });

  it('F17 clearUnhealthyProxies removes open circuits and those that hardly ever succeed', async () => {
    const { rotator, target, proxies } = await rig(
      [{ kind: 'refuse' }, { kind: 'ok' }, { kind: 'refuse' }],
      {
        retryPolicy: once,
        circuitBreaker: { failureThreshold: 30 },
      },
    );
    const [few, good, hopeless] = proxies.map(({ id }) => id) as [string, string, string];
    for (let i = 0; i < 20; i++) await errorOf(rotator.get(target.url, { proxyId: hopeless }));
    for (let i = 0; i < 19; i++) await errorOf(rotator.get(target.url, { proxyId: few }));
    expect(rotator.clearUnhealthyProxies()).toEqual([hopeless]);
    rotator.forceOpenCircuitBreaker(few);
    expect(rotator.clearUnhealthyProxies()).toEqual([few]);
    expect(rotator.proxies().map(({ id }) => id)).toEqual([good]);
  });

  it('M8 its own metrics know the proxies that it was made with', () => {
    const rotator = new ProxyRotator({ proxies: ['h:1', 'h:2'] });
    expect(rotator.getRetryMetrics().totals().proxies).toBe(2);
  });

  it('a constructor that throws leaves nothing on a bus that is shared', () => {
    const bus = createBus<WhirlEvents>();
    expect(() => new ProxyRotator({ bus, proxies: ['h:0'] })).toThrow(InvalidProxyError);
    for (const type of ['attempt:end', 'circuit:transition', 'proxy:added'] as const) {
      expect(bus.has(type)).toBe(false);
    }
  });

  it('F17b getCircuitBreakerStates shows every proxy, used or not', () => {
    const addedAt = 1_700_000_000_000;
    let now = addedAt;
    const rotator = new ProxyRotator({ proxies: ['h:1'], now: () => now });
    now += 3_600_000;
    expect(rotator.getCircuitBreakerStates().get('h:1')).toEqual({
      state: 'closed',
      failureCount: 0,
      failureThreshold: 5,
      windowMs: 60_000,
      openMs: 30_000,
      nextTestAt: undefined,
      lastTransitionAt: addedAt,
      failureTimes: [],
      provisional: false,
      canAttempt: true,
    });
  });

  it('proxies() shows the score that the strategy in use gives', () => {
    const rotator = new ProxyRotator({ proxies: ['h:1'], strategy: performance() });
    // S1: 0.7 × 0.5 for the unknown success, 0.3 × 1 for the unknown latency.
    expect(rotator.proxies()).toMatchObject([
      { id: 'h:1', score: expect.closeTo(0.65, 12) as number },
    ]);
  });

  it('F22 the default circuit needs 5 failures, in a row or half of the calls; trip and addProxy change it', async () => {
    const { rotator, target, proxies } = await rig([{ kind: 'ok' }], { retryPolicy: once });
    const [proxy] = proxies;
    const id = proxy?.id ?? '';
    const state = () => rotator.getCircuitBreakerStates().get(id)?.state;
    const get = async (path: string) => (await rotator.get(target.origin + path)).body.dump();
    for (let i = 0; i < 20; i++) await get('/');
    for (let i = 0; i < 4; i++) await get('/status/503');
    await get('/');
    for (let i = 0; i < 4; i++) await get('/status/503');
    expect(state()).toBe('closed');
    await get('/status/503');
    expect(state()).toBe('open');

    rotator.removeProxy(id);
    rotator.addProxy({ url: proxy?.url ?? '', circuitBreaker: { trip: consecutiveFailures(2) } });
    await get('/status/503');
    expect(state()).toBe('closed');
    await get('/status/503');
    expect(state()).toBe('open');
    rotator.setProxies([]);
    rotator.addProxy({ url: proxy?.url ?? '', circuitBreaker: false });
    expect(rotator.getCircuitBreakerStates().size).toBe(0);
  });

  it('F21 the logger gets attempts, circuits and failed requests, and no secret', async () => {
    const lines: [string, string, object][] = [];
    const log = (level: string) => (object: object, message: string) =>
      void lines.push([level, message, object]);
    const logger = {
      debug: log('debug'),
      info: log('info'),
      warn: log('warn'),
      error: log('error'),
    };
    const { rotator, target, proxies } = await rig([{ kind: 'reset' }], { logger, proxies: [] });
    rotator.addProxy(`http://ann:hunter2@127.0.0.1:${proxies[0]?.port}`);
    rotator.bus.on('attempt:end', () => {});
    await errorOf(rotator.get(target.url));
    rotator.forceOpenCircuitBreaker(rotator.proxies()[0]?.id ?? '');
    rotator.resetCircuitBreaker(rotator.proxies()[0]?.id ?? '');
    expect(lines.map(([level, message]) => [level, message])).toEqual([
      ['debug', 'Attempt'],
      ['debug', 'Retry attempt'],
      ['debug', 'Retry attempt'],
      ['warn', 'request failed'],
      ['warn', 'circuit breaker closed to forced_open'],
      ['info', 'circuit breaker forced_open to closed'],
    ]);
    expect(lines[1]?.[2]).toMatchObject({ attempt: 1, delayBeforeMs: 100, outcome: 'failure' });
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });

  it('F21 a logger that throws hurts no request; what it threw is shown on the console', async () => {
    const error = new Error('the disk is full');
    const fail = () => {
      throw error;
    };
    const seen = vi.spyOn(console, 'error').mockImplementation(() => {});
    try {
      const { rotator, target } = await rig([{ kind: 'reset' }, { kind: 'ok' }], {
        logger: { debug: fail, info: fail, warn: fail, error: fail },
      });
      // Its delays take longer than its time: worth a warning.
      const retryPolicy = { ...fast, maxAttempts: 10, timeoutMs: 800 };
      const response = await rotator.get(target.url, { retryPolicy });
      expect(await response.body.json()).toMatchObject({ ok: true });
      expect(() => (rotator.retryPolicy = { timeoutMs: 100 })).not.toThrow();
      expect(seen.mock.calls.flat()).toContain(error);
    } finally {
      seen.mockRestore();
    }
  });

  it('bad options are refused by name, and leave nothing on a shared bus', () => {
    for (const [options, message] of [
      [{ proxy: [] }, /unknown option "proxy"/],
      [{ connections: 0 }, /connections must be an integer ≥ 1, got 0/],
      [{ queueTimeoutMs: -1 }, /queueTimeoutMs must be a number ≥ 0, got -1/],
      [{ tunnel: 'never' }, /tunnel must be/],
      [{ circuitBreaker: { openMs: 0 } }, /circuitBreaker.openMs must be a number ≥ 1, got 0/],
      [{ budget: { ratio: -1 } }, /budget.ratio must be a number ≥ 0, got -1/],
      [
        { logger: {} },
        /logger must be a logger with debug\(\), info\(\), warn\(\), error\(\), got an object/,
      ],
      [{ circuitBreaker: true }, /circuitBreaker must be an object or false, got true/],
      [{ circuitBreaker: null }, /circuitBreaker must be an object or false, got null/],
      [
        { metrics: {} },
        /metrics must be a RetryMetrics with listen\(\), getSummary\(\) or false, got an object/,
      ],
      [{ metrics: true }, /metrics must be a RetryMetrics .* or false, got true/],
      [{ hedge: { percentile: '0.5' } }, /hedge.percentile must be a number between .* got "0.5"/],
      [{ hedge: { afterMs: '5' } }, /hedge.afterMs must be a number > 0, got "5"/],
      [{ hedge: null }, /hedge must be an object, got null/],
      [{ healthCheck: null }, /healthCheck must be an object, got null/],
      [{ healthCheck: {} }, /healthCheck.url must be/],
      [{ budget: null }, /budget must be a RetryBudget, its options or false, got null/],
      [{ budget: true }, /budget must be a RetryBudget, its options or false, got true/],
      [
        { budget: { tryWithdraw: 1 } },
        /budget must be a RetryBudget with tryWithdraw\(\), deposit\(\), got an object/,
      ],
      [
        { budget: { tryWithdraw: () => true } },
        /budget must be a RetryBudget with tryWithdraw\(\), deposit\(\), got an object/,
      ],
      [{ bus: {} }, /bus must be a bus with on\(\), once\(\), emit\(\), has\(\), got an object/],
      [{ bus: null }, /bus must be a bus .* got null/],
      [{ strategy: 'random' }, /strategy/],
      [{ retryPolicy: { maxAttempts: 99 } }, /maxAttempts/],
      [{ banRules: {} }, /banRules must be an array of rules, got an object/],
      [{ tls: { ca: 5 } }, /tls.ca must be PEM, a string, a Buffer or an array of them, got 5/],
    ] as const) {
      const bus = createBus<WhirlEvents>();
      expect(() => new ProxyRotator({ bus, ...options } as never)).toThrow(message);
      for (const type of heard)
        expect([message, type, bus.has(type)]).toEqual([message, type, false]);
    }
    for (const circuitBreaker of [true, null, 5]) {
      expect(() =>
        new ProxyRotator().addProxy({ url: 'http://h:1', circuitBreaker: circuitBreaker as never }),
      ).toThrow(/circuitBreaker must be an object or false/);
    }
    expect(() =>
      new ProxyRotator().addProxy({ url: 'http://h:1', circuitBreaker: { openMs: 0 } }),
    ).toThrow(/openMs/);
  });
});

describe('metrics that are shared', () => {
  it('M1 without a bus of their own they listen to the rotator, and stop when it has ended', async () => {
    const metrics = new RetryMetrics();
    const { rotator, target } = await rig([{ kind: 'ok' }], { metrics });
    await (await rotator.get(target.url)).body.dump();
    expect(rotator.getRetryMetrics()).toBe(metrics);
    expect(metrics.getSummary()).toMatchObject({ totalRequests: 1, totalAttempts: 1 });
    expect(metrics.totals().proxies).toBe(1);
    await rotator.destroy();
    expect(rotator.bus.has('retry:refused')).toBe(true); // The rig's own '*'.
    rotator.bus.emit('proxy:added', {
      proxyId: 'x',
      weight: 1,
      tags: [],
      region: undefined,
      at: 0,
    });
    expect(metrics.totals().proxies).toBe(1);
  });

  it('M1 on the same bus already, they count once; two rotators on one bus, too', async () => {
    const bus = createBus<WhirlEvents>();
    const metrics = new RetryMetrics({ bus });
    const first = await rig([{ kind: 'ok' }], { metrics, bus });
    const second = await rig([{ kind: 'ok' }], { metrics, bus });
    await (await first.rotator.get(first.target.url)).body.dump();
    await first.rotator.close();
    await (await second.rotator.get(second.target.url)).body.dump();
    expect(metrics.getSummary()).toMatchObject({ totalRequests: 2, totalAttempts: 2 });
  });

  it('M1 two rotators with a bus each are counted together', async () => {
    const metrics = new RetryMetrics();
    for (let i = 0; i < 2; i++) {
      const { rotator, target } = await rig([{ kind: 'ok' }], { metrics });
      await (await rotator.get(target.url)).body.dump();
      await rotator.close();
    }
    expect(metrics.getSummary()).toMatchObject({ totalRequests: 2, totalAttempts: 2 });
  });
});

describe('the end of a rotator', () => {
  it('F19 close lets running requests finish within graceMs, and refuses new ones', async () => {
    const { rotator, target, next } = await rig([{ kind: 'ok', latencyMs: 100 }]);
    const running = rotator.get(target.url);
    await next('attempt:start');
    const closed = rotator.close({ graceMs: 10_000 });
    expect(await errorOf(rotator.get(target.url))).toMatchObject({
      code: 'CLOSED',
      name: 'ClosedError',
    });
    expect(await (await running).body.json()).toMatchObject({ ok: true });
    await closed;
    expect((await errorOf(rotator.fetch(target.url))).cause).toMatchObject({ code: 'CLOSED' });
  });

  it('F19 B7 a graceMs beyond what timers hold is a long one, not none', async () => {
    const { rotator, target, next } = await rig([{ kind: 'ok', latencyMs: 100 }]);
    const running = rotator.get(target.url);
    await next('attempt:start');
    const closed = rotator.close({ graceMs: 2 ** 31 });
    expect(await (await running).body.json()).toMatchObject({ ok: true });
    await closed;
    await expect(rotator.close({ graceMs: -1 })).rejects.toThrow(/graceMs .* got -1/);
  });
});

it('F20 1,000 concurrent requests through 20 flaky proxies all settle, and the counts add up', async () => {
  const random = seededRandom(20);
  const target = use(await startTarget());
  const proxies = await Promise.all(
    Array.from({ length: 20 }, async () =>
      use(
        await startProxy({
          random,
          behaviour: {
            kind: 'mix',
            parts: [
              { ratio: 0.1, behaviour: { kind: 'reset' } },
              { ratio: 0.05, behaviour: { kind: 'close' } },
              { ratio: 0.05, behaviour: { kind: 'garbage' } },
              { ratio: 0.05, behaviour: { kind: 'status', statusCode: 503 } },
              { ratio: 0.05, behaviour: { kind: 'cut-body', afterBytes: 5 } },
            ],
          },
        }),
      ),
    ),
  );
  const rotator = new ProxyRotator({
    proxies: proxies.map(({ url }) => url),
    retryPolicy: fast,
    random,
    hedge: { afterMs: 500 },
  });
  use({ close: () => rotator.destroy() });
  const results = await Promise.allSettled(
    Array.from({ length: 1000 }, async () => {
      const response = await rotator.get(target.url);
      return (await response.body.json()) as { ok: boolean };
    }),
  );
  expect(results).toHaveLength(1000);
  expect(rotator.inFlight()).toEqual([]);
  expect(rotator.proxies().reduce((sum, each) => sum + each.inFlight, 0)).toBe(0);
  const { attempts, parts, proxies: byProxy } = sums(rotator);
  expect(parts).toBe(attempts);
  expect(byProxy).toBe(attempts);
  const { totalRequests, refusedRequests, successByAttempt } = rotator
    .getRetryMetrics()
    .getSummary();
  expect(totalRequests + refusedRequests).toBe(1000);
  const good = results.filter(({ status }) => status === 'fulfilled').length;
  expect(Object.values(successByAttempt).reduce((sum, n) => sum + n, 0)).toBe(good);
  await rotator.close();
  for (const proxy of proxies) expect(proxy.openSockets()).toBeLessThanOrEqual(64);
});
