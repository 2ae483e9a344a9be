import { createBus, type Phase, type WhirlEvents } from '@whirl/events';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  attemptEnd,
  circuitTransition,
  midnight,
  requestEnd,
  requestStart,
} from './facts.fixture.ts';
import { hourMs } from './tables/hour-ring.ts';
import { bucketOf, middleOf } from './latency/latency-scale.ts';
import { RetryMetrics } from './retry-metrics.ts';

/** What a quantile reads for this latency. */
const shown = (ms: number) => middleOf(bucketOf(ms));

describe('RetryMetrics', () => {
  let at: number;
  let metrics: RetryMetrics;
  beforeEach(() => {
    at = midnight;
    metrics = new RetryMetrics({ now: () => at });
  });

  const attempt = (changes: Partial<WhirlEvents['attempt:end']> = {}) =>
    metrics.record('attempt:end', attemptEnd({ at, ...changes }));
  const request = (changes: Partial<WhirlEvents['request:end']> = {}) =>
    metrics.record('request:end', requestEnd({ at, ...changes }));
  const transition = (changes: Partial<WhirlEvents['circuit:transition']> = {}) =>
    metrics.record('circuit:transition', circuitTransition({ at, ...changes }));

  describe('getSummary', () => {
    it('M2 is all zeros and empty at first', () => {
      expect(metrics.getSummary()).toEqual({
        totalRequests: 0,
        refusedRequests: 0,
        totalAttempts: 0,
        totalRetries: 0,
        totalHedges: 0,
        successByAttempt: {},
        retriesRefused: {},
        failureByReason: {},
        failureByBlame: {},
        circuitBreakerEventsCount: 0,
        retentionHours: 24,
      });
    });

    it('M2 counts successes by the attempt that succeeded; first tries are not retries', () => {
      attempt();
      request();
      attempt({ outcome: 'failure', reason: 'connect', blame: 'proxy' });
      attempt({ attempt: 1, outcome: 'timeout', reason: 'timeout', blame: 'unknown' });
      attempt({ attempt: 2 });
      request({ attemptCount: 3 });
      metrics.record('retry:refused', { requestId: 'r3', attempt: 0, reason: 'budget', at });
      transition();
      expect(metrics.getSummary()).toEqual({
        totalRequests: 2,
        refusedRequests: 0,
        totalAttempts: 4,
        totalRetries: 2,
        totalHedges: 0,
        successByAttempt: { 0: 1, 2: 1 },
        retriesRefused: { budget: 1 },
        failureByReason: { connect: 1, timeout: 1 },
        failureByBlame: { proxy: 1, unknown: 1 },
        circuitBreakerEventsCount: 1,
        retentionHours: 24,
      });
    });

    it('M2 attempts from the sixteenth on count as the sixteenth', () => {
      attempt({ attempt: 14 });
      attempt({ attempt: 15 });
      attempt({ attempt: 99 });
      expect(metrics.getSummary().successByAttempt).toEqual({ 14: 1, 15: 2 });
    });

    it('M2 a failure without a reason gets the nearest of the closed set', () => {
      const cases: [Phase, number | undefined, string][] = [
        ['dns', undefined, 'dns'],
        ['socks', undefined, 'socks'],
        ['connect', 403, 'connect'],
        ['headers', undefined, 'reset'],
        ['headers', 503, 'status'],
        ['body', undefined, 'body'],
        ['body', 503, 'status'],
        ['select', undefined, 'banned'],
      ];
      for (const [phase, statusCode] of cases) attempt({ outcome: 'failure', phase, statusCode });
      attempt({ outcome: 'timeout', phase: 'tcp' });
      attempt({ outcome: 'aborted', phase: 'tcp' });
      expect(metrics.getSummary().failureByReason).toEqual({
        dns: 1,
        socks: 1,
        connect: 1,
        reset: 1,
        status: 2,
        body: 1,
        banned: 1,
        timeout: 1,
        aborted: 1,
      });
    });

    it('M2 covers the retention, while the counts since the start never fall', () => {
      attempt();
      request();
      transition();
      at = midnight + 24 * hourMs - 1;
      expect(metrics.getSummary().totalRequests).toBe(1);
      at++;
      expect(metrics.getSummary()).toMatchObject({
        totalRequests: 0,
        totalAttempts: 0,
        successByAttempt: {},
        circuitBreakerEventsCount: 0,
      });
      expect(metrics.totals()).toMatchObject({
        requests: { success: 1 },
        attempts: { success: 1 },
        successByAttempt: { 0: 1 },
        circuitTransitions: { open: 1 },
      });
    });
  });

  describe('getTimeseries', () => {
    it('M3 has one point per started hour, ascending, the last the current one', () => {
      at = midnight + 10 * 60_000;
      attempt({ latencyMs: 100 });
      attempt({ latencyMs: 300, outcome: 'failure', reason: 'tcp' });
      attempt({ latencyMs: 200, attempt: 1 });
      request();
      request({ outcome: 'failure' });
      request({ outcome: 'circuit_open', attemptCount: 0 });
      at += 2 * hourMs;
      const idle = {
        totalRequests: 0,
        totalRetries: 0,
        successRate: null,
        avgLatencyMs: null,
        p50Ms: null,
        p95Ms: null,
        p99Ms: null,
      };
      expect(metrics.getTimeseries({ hours: 24 })).toEqual([
        {
          timestamp: '2023-11-15T00:00:00.000Z',
          totalRequests: 2,
          totalRetries: 1,
          successRate: 0.5,
          avgLatencyMs: 200,
          p50Ms: shown(200),
          p95Ms: shown(300),
          p99Ms: shown(300),
        },
        { timestamp: '2023-11-15T01:00:00.000Z', ...idle },
        { timestamp: '2023-11-15T02:00:00.000Z', ...idle },
      ]);
      expect(metrics.getTimeseries({ hours: 1 })).toEqual([
        { timestamp: '2023-11-15T02:00:00.000Z', ...idle },
      ]);
    });

    it('M3 asked for more than the retention, gives what there is', () => {
      at += 100 * hourMs;
      const points = metrics.getTimeseries({ hours: 168 });
      expect(points.length).toBe(24);
      expect(points[0]?.timestamp).toBe('2023-11-18T05:00:00.000Z');
      expect(points.at(-1)?.timestamp).toBe('2023-11-19T04:00:00.000Z');
    });
  });

  describe('getByProxy', () => {
    it('M4 counts attempts, successes, failures and opens; latencies are of successes', () => {
      attempt({ latencyMs: 100 });
      attempt({ latencyMs: 400 });
      attempt({ latencyMs: 9000, outcome: 'timeout', reason: 'timeout' });
      attempt({ proxyId: 'p2', latencyMs: 5, outcome: 'failure', reason: 'tcp' });
      transition({ name: 'p2' });
      transition({ name: 'p2', from: 'open', to: 'half_open', reason: 'timeout' });
      transition({ name: 'p2', from: 'half_open', to: 'open', reason: 'probe_failed' });
      expect(metrics.getByProxy()).toEqual({
        p1: {
          totalAttempts: 3,
          successCount: 2,
          failureCount: 1,
          avgLatencyMs: 250,
          p50Ms: shown(100),
          p95Ms: shown(400),
          p99Ms: shown(400),
          circuitBreakerOpens: 0,
        },
        p2: {
          totalAttempts: 1,
          successCount: 0,
          failureCount: 1,
          avgLatencyMs: null,
          p50Ms: null,
          p95Ms: null,
          p99Ms: null,
          circuitBreakerOpens: 2,
        },
      });
    });

    it('M4 adds up the hours asked for, finished ones and the current one', () => {
      for (let hour = 0; hour < 30; hour++) {
        at = midnight + hour * hourMs;
        for (let i = 0; i < 10; i++) attempt({ latencyMs: 100 + hour });
        transition();
      }
      expect(metrics.getByProxy({ hours: 1 })['p1']).toMatchObject({
        totalAttempts: 10,
        avgLatencyMs: 129,
        p50Ms: shown(129),
        circuitBreakerOpens: 1,
      });
      // The hours from 6 to 29.
      expect(metrics.getByProxy()['p1']).toMatchObject({
        totalAttempts: 240,
        successCount: 240,
        avgLatencyMs: 117.5,
        p50Ms: shown(117),
        p99Ms: shown(129),
        circuitBreakerOpens: 24,
      });
    });

    it('M4 keeps exact counts and the shape when a bucket is full', () => {
      // More than 65,535 at 100 ms: a count that wrapped round would all but vanish.
      for (let i = 0; i < 76_000; i++) attempt({ latencyMs: i < 10_000 ? 2000 : 100 });
      expect(metrics.getByProxy()['p1']).toMatchObject({
        totalAttempts: 76_000,
        successCount: 76_000,
        avgLatencyMs: 350,
        p50Ms: shown(100),
        p95Ms: shown(2000),
      });
      at += hourMs;
      expect(metrics.getByProxy()['p1']).toMatchObject({
        totalAttempts: 76_000,
        avgLatencyMs: 350,
        p50Ms: shown(100),
        p95Ms: shown(2000),
      });
    });

    it('M5 beyond maxProxies the least recent fold into other, with all their hours', () => {
      metrics = new RetryMetrics({ maxProxies: 2, now: () => at });
      attempt({ proxyId: 'a', latencyMs: 100 });
      transition({ name: 'a' });
      at += hourMs;
      attempt({ proxyId: 'a', latencyMs: 200 });
      attempt({ proxyId: 'b', outcome: 'failure', reason: 'tcp' });
      attempt({ proxyId: 'c', latencyMs: 300 });
      attempt({ proxyId: 'd', latencyMs: 300 });
      expect(Object.keys(metrics.getByProxy()).sort()).toEqual(['c', 'd', 'other']);
      expect(metrics.getByProxy()['other']).toEqual({
        totalAttempts: 3,
        successCount: 2,
        failureCount: 1,
        avgLatencyMs: 150,
        p50Ms: shown(100),
        p95Ms: shown(200),
        p99Ms: shown(200),
        circuitBreakerOpens: 1,
      });
      expect(metrics.getByProxy({ hours: 1 })['other']).toMatchObject({
        totalAttempts: 2,
        avgLatencyMs: 200,
        circuitBreakerOpens: 0,
      });
      at += hourMs;
      expect(metrics.getByProxy({ hours: 2 })['other']).toMatchObject({
        totalAttempts: 2,
        avgLatencyMs: 200,
        p50Ms: shown(200),
      });
      expect(metrics.sizes().proxies).toBe(2);
    });

    it('M4 getProxy reads one of them, and proxyIds names them all', () => {
      metrics = new RetryMetrics({ maxProxies: 2, now: () => at });
      for (const proxyId of ['a', 'b', 'c']) attempt({ proxyId });
      expect([...metrics.proxyIds()].sort()).toEqual(['b', 'c', 'other']);
      for (const [id, totals] of Object.entries(metrics.getByProxy())) {
        expect(metrics.getProxy(id)).toEqual(totals);
      }
      expect(metrics.getProxy('a')).toBeUndefined();
      at += hourMs;
      expect(metrics.getProxy('b', { hours: 1 })).toBeUndefined();
      expect(metrics.getProxy('b', { hours: 2 })?.totalAttempts).toBe(1);
      expect(() => metrics.getProxy('b', { hours: 0 })).toThrow('hours');
    });

    it('takes any id, __proto__ too', () => {
      attempt({ proxyId: '__proto__' });
      attempt({ proxyId: 'constructor' });
      expect(Object.keys(metrics.getByProxy())).toEqual(['__proto__', 'constructor']);
    });
  });

  describe('getByPolicy', () => {
    it('M4 gives the success rate by policy name', () => {
      request({ policyName: 'critical' });
      request({ policyName: 'critical', outcome: 'failure' });
      request();
      request({ policyName: 'critical', outcome: 'circuit_open', attemptCount: 0 });
      expect(metrics.getByPolicy()).toEqual({
        critical: { totalRequests: 2, successRate: 0.5 },
        default: { totalRequests: 1, successRate: 1 },
      });
      at += hourMs;
      expect(metrics.getByPolicy({ hours: 1 })).toEqual({});
    });

    it('M5 beyond 100 names the least recent fold into other', () => {
      for (let i = 0; i <= 101; i++) {
        request({ policyName: `policy ${i}`, outcome: i === 0 ? 'failure' : 'success' });
      }
      const byPolicy = metrics.getByPolicy();
      expect(Object.keys(byPolicy).length).toBe(101);
      expect(byPolicy['other']).toEqual({ totalRequests: 2, successRate: 0.5 });
    });
  });

  describe('circuitEvents', () => {
    it('M5 are the last 1,000, oldest first, within the hours asked for', () => {
      transition({ generation: 0 });
      at += 2 * hourMs;
      transition({ generation: 1 });
      expect(metrics.circuitEvents({ hours: 1 }).map((e) => e.generation)).toEqual([1]);
      expect(metrics.circuitEvents().map((e) => e.generation)).toEqual([0, 1]);
      expect(metrics.sizes().events).toBe(2);
      for (let generation = 2; generation <= 1001; generation++) transition({ generation });
      const events = metrics.circuitEvents();
      expect([events.length, events[0]?.generation, events.at(-1)?.generation]).toEqual([
        1000, 2, 1001,
      ]);
      expect(metrics.sizes().events).toBe(1000);
      at += 24 * hourMs + 1;
      expect(metrics.circuitEvents({ hours: 168 })).toEqual([]);
    });
  });

  describe('time', () => {
    it('M6 aggregateHourly() is idempotent', () => {
      attempt();
      at += hourMs;
      metrics.aggregateHourly();
      const once = [metrics.getSummary(), metrics.getTimeseries(), metrics.getByProxy()];
      metrics.aggregateHourly();
      metrics.aggregateHourly();
      expect([metrics.getSummary(), metrics.getTimeseries(), metrics.getByProxy()]).toEqual(once);
      expect(metrics.sizes()).toEqual({ attempts: 1, hours: 2, events: 0, proxies: 1 });
    });

    it('M6 needs no timer: facts alone move it on, and reads do', () => {
      attempt();
      at = midnight + hourMs;
      attempt();
      at = midnight + 2 * hourMs;
      expect(metrics.getTimeseries().map(({ p50Ms }) => p50Ms === null)).toEqual([
        false,
        false,
        true,
      ]);
    });

    it('M7b a fact from the future counts in the current hour and pushes nothing out', () => {
      attempt();
      attempt({ at: midnight + 48 * hourMs });
      expect(metrics.getTimeseries().map(({ timestamp }) => timestamp)).toEqual([
        '2023-11-15T00:00:00.000Z',
      ]);
      expect(metrics.getByProxy({ hours: 1 })['p1']?.totalAttempts).toBe(2);
    });

    it('M6 what happened before the current hour counts in it: nothing is lost', () => {
      at += hourMs;
      metrics.aggregateHourly();
      attempt({ at: midnight });
      expect(metrics.getByProxy({ hours: 1 })['p1']?.totalAttempts).toBe(1);
    });

    it('M7b a breaker outside a rotator is no proxy: neither a row nor a state of the pool', () => {
      metrics.record('proxy:added', { proxyId: 'p1', weight: 1, at });
      transition({ name: 'database', proxyId: undefined });
      expect(metrics.getByProxy()).toEqual({});
      expect(metrics.totals().circuits).toMatchObject({ closed: 1, open: 0 });
      expect(metrics.totalsByProxy(10)).toEqual([]);
      expect(metrics.getSummary().circuitBreakerEventsCount).toBe(1);
      expect(metrics.circuitEvents().map(({ name }) => name)).toEqual(['database']);
    });

    it('M6 a removed proxy stays in the totals, and in the list while it has counts', () => {
      attempt();
      metrics.record('proxy:removed', { proxyId: 'p1', weight: 1, at });
      expect(metrics.getSummary().totalAttempts).toBe(1);
      expect(metrics.getByProxy()['p1']?.totalAttempts).toBe(1);
      at += 24 * hourMs;
      expect(metrics.getByProxy()).toEqual({});
      expect(metrics.sizes().proxies).toBe(0);
      // Its count since the start has moved to `other`, not gone.
      expect(metrics.totalsByProxy(200)).toEqual([
        { proxyId: 'other', attempts: { success: 1, failure: 0, timeout: 0, aborted: 0 } },
      ]);
    });

    it('M6 a proxy that came back keeps its row', () => {
      attempt();
      metrics.record('proxy:removed', { proxyId: 'p1', weight: 1, at });
      metrics.record('proxy:added', { proxyId: 'p1', weight: 1, at });
      at += 24 * hourMs;
      metrics.aggregateHourly();
      expect(metrics.sizes().proxies).toBe(1);
    });
  });

  describe('gauges', () => {
    const added = (proxyId: string) => metrics.record('proxy:added', { proxyId, weight: 1, at });
    const removed = (proxyId: string) =>
      metrics.record('proxy:removed', { proxyId, weight: 1, at });
    const none = { closed: 0, open: 0, half_open: 0, forced_open: 0, disabled: 0 };

    it('N whirl_circuits and whirl_proxies follow from the facts', () => {
      for (const id of ['a', 'b', 'c']) added(id);
      transition({ name: 'a' });
      transition({ name: 'b', to: 'forced_open', reason: 'forced' });
      expect(metrics.totals()).toMatchObject({
        proxies: 3,
        circuits: { ...none, closed: 1, open: 1, forced_open: 1 },
      });
      transition({ name: 'a', from: 'open', to: 'half_open', reason: 'timeout' });
      expect(metrics.totals().circuits).toEqual({
        ...none,
        closed: 1,
        half_open: 1,
        forced_open: 1,
      });
      transition({ name: 'a', from: 'half_open', to: 'closed', reason: 'recovered' });
      removed('b');
      expect(metrics.totals()).toMatchObject({ proxies: 2, circuits: { ...none, closed: 2 } });
    });

    it('N a circuit that moves after its proxy was removed is not counted', () => {
      added('a');
      attempt({ proxyId: 'a' });
      removed('a');
      transition({ name: 'a' });
      expect(metrics.totals()).toMatchObject({ proxies: 0, circuits: none });
      added('a');
      expect(metrics.totals()).toMatchObject({ proxies: 1, circuits: { ...none, closed: 1 } });
    });

    it('N whirl_requests_in_flight is what started and has not ended, and never negative', () => {
      request();
      metrics.record('request:start', requestStart());
      metrics.record('request:start', requestStart({ requestId: 'r2' }));
      request();
      expect(metrics.totals().requestsInFlight).toBe(1);
      request();
      request();
      expect(metrics.totals().requestsInFlight).toBe(0);
    });
  });

  describe('the bus', () => {
    it('is where it learns from, until it is closed', () => {
      const bus = createBus<WhirlEvents>();
      metrics = new RetryMetrics({ bus, now: () => at });
      bus.emit('attempt:end', attemptEnd());
      metrics.close();
      metrics.close();
      bus.emit('attempt:end', attemptEnd());
      expect(bus.has('attempt:end')).toBe(false);
      expect(metrics.getSummary().totalAttempts).toBe(1);
    });

    it('listen() subscribes to one more bus, once however often it is called, until the last call is undone', () => {
      const bus = createBus<WhirlEvents>();
      metrics = new RetryMetrics({ now: () => at });
      const first = metrics.listen(bus);
      const second = metrics.listen(bus);
      bus.emit('attempt:end', attemptEnd());
      first();
      first();
      bus.emit('attempt:end', attemptEnd());
      expect(metrics.getSummary().totalAttempts).toBe(2);
      second();
      expect(bus.has('attempt:end')).toBe(false);
      // A bus of the constructor's is a wish as well.
      metrics = new RetryMetrics({ bus, now: () => at });
      metrics.listen(bus)();
      expect(bus.has('attempt:end')).toBe(true);
      const late = metrics.listen(bus);
      metrics.close();
      const anew = metrics.listen(bus);
      late();
      expect(bus.has('attempt:end')).toBe(true);
      anew();
      expect(bus.has('attempt:end')).toBe(false);
      expect(() => metrics.listen({} as never)).toThrow(
        'bus must be a bus with on(), got an object',
      );
    });

    it('facts that are not for metrics change nothing', () => {
      const before = [metrics.getSummary(), metrics.totals(), metrics.sizes()];
      metrics.record('policy:changed', { policy: null, at });
      expect([metrics.getSummary(), metrics.totals(), metrics.sizes()]).toEqual(before);
    });

    it('a duration that is none counts as 0, and spoils no sum', () => {
      attempt({ latencyMs: NaN });
      attempt({ latencyMs: -5 });
      request({ durationMs: NaN });
      expect(metrics.getTimeseries()[0]).toMatchObject({ avgLatencyMs: 0, p50Ms: 1 });
      expect(metrics.totals().requestDuration).toMatchObject({ count: 1, sumMs: 0 });
    });
  });

  describe('bad input', () => {
    it.each([
      [{ retentionHours: 0 }, RangeError, 'retentionHours must be an integer from 1 to 168, got 0'],
      [{ retentionHours: 1.5 }, RangeError, 'retentionHours must be'],
      [
        { retentionHours: '24' },
        TypeError,
        'retentionHours must be an integer from 1 to 168, got "24"',
      ],
      [{ maxProxies: 1_000_001 }, RangeError, 'maxProxies must be'],
      [{ maxProxies: NaN }, RangeError, 'maxProxies must be'],
      [{ now: 5 }, TypeError, 'now must be a function, got 5'],
      [{ retention: 24 }, TypeError, 'unknown option "retention": did you mean "retentionHours"?'],
      [{ bus: {} }, TypeError, 'bus must be a bus with on(), got an object'],
      [{ bus: null }, TypeError, 'bus must be a bus with on(), got null'],
      [null, TypeError, 'options must be an object, got null'],
    ])('the constructor refuses %o', (options, kind, message) => {
      const make = () => new RetryMetrics(options as never);
      expect(make).toThrow(kind);
      expect(make).toThrow(message);
    });

    it('the reads refuse hours and limits out of bounds', () => {
      expect(() => metrics.getTimeseries({ hours: 0 })).toThrow(RangeError);
      expect(() => metrics.getByProxy({ hours: 1.5 })).toThrow(
        'hours must be an integer ≥ 1, got 1.5',
      );
      expect(() => metrics.getByPolicy({ days: 1 } as never)).toThrow(
        'unknown option "days"; known are hours',
      );
      expect(() => metrics.circuitEvents({ hours: -1 })).toThrow(RangeError);
      expect(() => metrics.recentAttempts({ limit: 10_001 })).toThrow('limit must be');
      expect(() => metrics.totalsByProxy(-1)).toThrow('limit must be');
    });
  });
});
