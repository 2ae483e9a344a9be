import { createBus, type FailureReason, type WhirlEvents } from '@whirl/events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attemptEnd, midnight, requestEnd, requestStart, retryScheduled } from './facts.fixture.ts';
import { hourMs } from './tables/hour-ring.ts';
import { RetryMetrics } from './retry-metrics.ts';

const reasons = ['tcp', 'status', 'reset', 'body'] as const satisfies readonly FailureReason[];

/** How a request goes: each attempt's proxy, what it takes, and what happens after the last. */
const request = fc.record({
  startMs: fc.integer({ min: 0, max: 60 * hourMs }),
  attempts: fc.array(
    fc.record({
      proxy: fc.integer({ min: 1, max: 6 }),
      tookMs: fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 2 * hourMs })),
      hedge: fc.boolean(),
      reason: fc.constantFrom(...reasons),
    }),
    { maxLength: 5 },
  ),
  end: fc.constantFrom('success', 'failure', 'timeout', 'aborted'),
  /** A retry is scheduled after the last attempt, and the request ends before it begins. */
  scheduledInVain: fc.boolean(),
});

type RequestShape = typeof request extends fc.Arbitrary<infer Shape> ? Shape : never;
type Fact = {
  [Type in keyof WhirlEvents]: [type: Type, event: WhirlEvents[Type]];
}[keyof WhirlEvents];

function factsOf(requests: readonly RequestShape[]): Fact[] {
  const facts: Fact[] = [];
  requests.forEach(({ startMs, attempts, end, scheduledInVain }, i) => {
    const requestId = `r${i}`;
    let at = midnight + startMs;
    facts.push(['request:start', requestStart({ requestId, at })]);
    attempts.forEach(({ proxy, tookMs, hedge, reason }, attempt) => {
      const last = attempt === attempts.length - 1;
      at += tookMs;
      const outcome = last ? end : 'failure';
      const proxyId = `p${proxy}`;
      facts.push([
        'attempt:end',
        attemptEnd({
          requestId,
          attempt,
          proxyId,
          outcome,
          hedge: hedge && attempt > 0,
          latencyMs: tookMs,
          at,
          ...(outcome === 'success' ? {} : { reason }),
        }),
      ]);
      if (!last || scheduledInVain) {
        const next = { requestId, attempt: attempt + 1, reason, at };
        facts.push(['retry:scheduled', retryScheduled(next)]);
      }
    });
    const outcome = attempts.length === 0 ? 'circuit_open' : end;
    const attemptCount = attempts.length;
    facts.push(['request:end', requestEnd({ requestId, outcome, attemptCount, at })]);
  });
  // Stable: facts of one request keep their order.
  return facts.sort(([, a], [, b]) => a.at - b.at);
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, n) => total + n, 0);
}

describe('M1 sums', () => {
  it('M1 attempts = requests + retries + hedges = Σ per proxy, at rest, after any load', () => {
    const load = fc.array(request, { maxLength: 60 });
    fc.assert(
      fc.property(load, fc.integer({ min: 1, max: 30 }), (requests, retentionHours) => {
        let now = midnight;
        const bus = createBus<WhirlEvents>();
        // Fewer than the proxies, so that some fold into `other`.
        const metrics = new RetryMetrics({ bus, retentionHours, maxProxies: 4, now: () => now });
        for (const [type, event] of factsOf(requests)) {
          now = event.at;
          bus.emit(type, event);
        }
        const summary = metrics.getSummary();
        const proxies = Object.values(metrics.getByProxy({ hours: retentionHours }));
        const { totalAttempts, totalRequests, totalRetries, totalHedges } = summary;
        expect(totalRequests + totalRetries + totalHedges).toBe(totalAttempts);
        expect(proxies.reduce((n, each) => n + each.totalAttempts, 0)).toBe(totalAttempts);
        const failed = proxies.reduce((n, each) => n + each.failureCount, 0);
        expect(sum(summary.failureByReason)).toBe(failed);
        expect(sum(summary.successByAttempt)).toBe(totalAttempts - failed);

        // Since the start, everything: nothing was dropped, and every retry has its reason.
        const all = metrics.totals();
        const tried = requests.filter(({ attempts }) => attempts.length > 0);
        expect(sum(all.requests)).toBe(requests.length);
        expect(all.refusedRequests).toBe(requests.length - tried.length);
        expect(sum(all.attempts)).toBe(tried.length + sum(all.retries) + all.hedges);
        expect(sum(all.attempts)).toBe(
          requests.reduce((n, { attempts }) => n + attempts.length, 0),
        );
        expect(all.retries.unknown).toBe(0);
        expect(all.requestsInFlight).toBe(0);
        const byProxy = metrics.totalsByProxy(2);
        expect(byProxy.reduce((n, each) => n + sum(each.attempts), 0)).toBe(sum(all.attempts));
      }),
      { numRuns: 300 },
    );
  });

  it('M1 requests counts those with an attempt, refusedRequests the rest', () => {
    const metrics = new RetryMetrics({ now: () => midnight });
    metrics.record('request:end', requestEnd({ outcome: 'circuit_open', attemptCount: 0 }));
    metrics.record('attempt:end', attemptEnd());
    metrics.record('request:end', requestEnd());
    expect(metrics.getSummary()).toMatchObject({ totalRequests: 1, refusedRequests: 1 });
  });

  it('M1 a scheduled retry that never began is no retry', () => {
    const metrics = new RetryMetrics({ now: () => midnight });
    metrics.record('attempt:end', attemptEnd({ outcome: 'failure', reason: 'tcp' }));
    metrics.record('retry:scheduled', retryScheduled());
    metrics.record('request:end', requestEnd({ outcome: 'aborted' }));
    expect(metrics.getSummary().totalRetries).toBe(0);
    expect(sum(metrics.totals().retries)).toBe(0);
    // Nor is its reason remembered for a request of the same id.
    metrics.record('attempt:end', attemptEnd({ attempt: 1 }));
    expect(metrics.totals().retries).toMatchObject({ tcp: 0, unknown: 1 });
  });

  it('M1 a retry counts by the reason for which it was scheduled', () => {
    const metrics = new RetryMetrics({ now: () => midnight });
    metrics.record('attempt:end', attemptEnd({ outcome: 'failure', reason: 'tcp' }));
    metrics.record('retry:scheduled', retryScheduled({ reason: 'tcp' }));
    metrics.record('attempt:end', attemptEnd({ attempt: 1, outcome: 'timeout' }));
    metrics.record('retry:scheduled', retryScheduled({ attempt: 2, reason: 'timeout' }));
    metrics.record('attempt:end', attemptEnd({ attempt: 2 }));
    expect(metrics.totals().retries).toMatchObject({ tcp: 1, timeout: 1, unknown: 0 });
  });

  it('M1 a hedge is neither a request nor a retry', () => {
    const metrics = new RetryMetrics({ now: () => midnight });
    metrics.record('attempt:end', attemptEnd({ attempt: 1, hedge: true }));
    metrics.record('attempt:end', attemptEnd({ outcome: 'aborted' }));
    metrics.record('request:end', requestEnd({ attemptCount: 2 }));
    expect(metrics.getSummary()).toMatchObject({
      totalAttempts: 2,
      totalRequests: 1,
      totalRetries: 0,
      totalHedges: 1,
    });
  });

  it('M1 holds at the far edge of the window, for a request that was under way there', () => {
    let at = midnight;
    const metrics = new RetryMetrics({ retentionHours: 2, now: () => at });
    metrics.record('attempt:end', attemptEnd({ outcome: 'failure', reason: 'tcp', at }));
    at += hourMs;
    metrics.record('attempt:end', attemptEnd({ attempt: 1, at }));
    metrics.record('request:end', requestEnd({ attemptCount: 2, at }));
    expect(metrics.getSummary()).toMatchObject({ totalAttempts: 2, totalRequests: 1 });
    at += hourMs;
    // The first attempt has left the window; its retry is still in it.
    expect(metrics.getSummary()).toMatchObject({
      totalAttempts: 1,
      totalRequests: 0,
      totalRetries: 1,
    });
  });
});
