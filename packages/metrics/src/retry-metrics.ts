import type { AttemptEnd, CircuitTransition, RequestEnd, WhirlBus } from '@whirl/events';
import { Histogram } from './histogram.ts';

const hourMs = 3_600_000;
const maxRecent = 10_000;
const maxCircuitEvents = 1000;

export interface RetryMetricsOptions {
  /** Learns from it alone. */
  readonly bus?: WhirlBus | undefined;
  /** 1 to 168, default 24. */
  readonly retentionHours?: number | undefined;
  /** Proxies counted apart; the rest are `other`. Default 10,000. */
  readonly maxProxies?: number | undefined;
  readonly now?: (() => number) | undefined;
}

class Counts {
  requests = 0;
  refused = 0;
  succeeded = 0;
  attempts = 0;
  retries = 0;
  hedges = 0;
  circuitEvents = 0;
  readonly successByAttempt: number[] = [];
  readonly retriesRefused: Record<string, number> = {};
  readonly failures: Record<string, number> = {};
  readonly outcomes: Record<string, number> = {};
  readonly requestOutcomes: Record<string, number> = {};
  readonly retriesByReason: Record<string, number> = {};
  readonly transitions: Record<string, number> = {};
  readonly policies: Record<string, { requests: number; succeeded: number }> = {};
  readonly latency = new Histogram();
  readonly duration = new Histogram();
}

class ProxyCounts {
  attempts = 0;
  successes = 0;
  failures = 0;
  opens = 0;
  latency: Histogram | undefined;
}

interface Hour {
  readonly hour: number;
  readonly counts: Counts;
  readonly proxies: Map<string, ProxyCounts>;
}

export interface Summary {
  readonly totalRequests: number;
  readonly refusedRequests: number;
  readonly totalAttempts: number;
  readonly totalRetries: number;
  readonly totalHedges: number;
  readonly successByAttempt: Readonly<Record<number, number>>;
  readonly retriesRefused: Readonly<Record<string, number>>;
  readonly failureByReason: Readonly<Record<string, number>>;
  readonly circuitBreakerEventsCount: number;
  readonly retentionHours: number;
}

export interface Point {
  readonly timestamp: string;
  readonly totalRequests: number;
  readonly totalRetries: number;
  /** Null when there were no requests. */
  readonly successRate: number | null;
  /** Milliseconds to the headers, of attempts; null without any. */
  readonly avgLatency: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

export interface ProxyTotals {
  readonly totalAttempts: number;
  readonly successCount: number;
  readonly failureCount: number;
  readonly avgLatency: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly circuitBreakerOpens: number;
}

function bump(counts: Record<string, number>, name: string, by = 1): void {
  counts[name] = (counts[name] ?? 0) + by;
}

function whole(name: string, value: number, max: number): number {
  if (!Number.isInteger(value) || value < 1 || value > max) {
    throw new RangeError(`${name} must be an integer from 1 to ${max}, got ${String(value)}`);
  }
  return value;
}

/** What retries, failover and circuits did in the last hours, in bounded memory, without timers. */
export class RetryMetrics {
  readonly retentionHours: number;
  /** Since the start; never falling. For Prometheus. */
  readonly totals = new Counts();
  readonly totalsByProxy = new Map<string, ProxyCounts>();
  readonly #maxProxies: number;
  readonly #now: () => number;
  #hours: Hour[] = [];
  #recent: AttemptEnd[] = [];
  #circuits: CircuitTransition[] = [];
  readonly #offs: (() => void)[] = [];

  constructor(options: RetryMetricsOptions = {}) {
    const { bus, retentionHours = 24, maxProxies = 10_000 } = options;
    this.retentionHours = whole('retentionHours', retentionHours, 168);
    this.#maxProxies = whole('maxProxies', maxProxies, 1_000_000);
    this.#now = options.now ?? (() => performance.timeOrigin + performance.now());
    if (bus === undefined) return;
    this.#offs.push(
      bus.on('attempt:end', (event) => this.#attempt(event)),
      bus.on('request:end', (event) => this.#request(event)),
      bus.on('retry:refused', ({ reason }) =>
        this.#count((counts) => bump(counts.retriesRefused, reason)),
      ),
      bus.on('retry:scheduled', ({ reason }) =>
        this.#count((counts) => bump(counts.retriesByReason, reason)),
      ),
      bus.on('circuit:transition', (event) => this.#transition(event)),
    );
  }

  /** Stops listening. What was counted can still be read. */
  close(): void {
    for (const off of this.#offs.splice(0)) off();
  }

  getSummary(): Summary {
    const sum = {
      totalRequests: 0,
      refusedRequests: 0,
      totalAttempts: 0,
      totalRetries: 0,
      totalHedges: 0,
      circuitBreakerEventsCount: 0,
    };
    const successByAttempt: Record<number, number> = {};
    const retriesRefused: Record<string, number> = {};
    const failureByReason: Record<string, number> = {};
    for (const { counts } of this.#within(this.retentionHours)) {
      sum.totalRequests += counts.requests;
      sum.refusedRequests += counts.refused;
      sum.totalAttempts += counts.attempts;
      sum.totalRetries += counts.retries;
      sum.totalHedges += counts.hedges;
      sum.circuitBreakerEventsCount += counts.circuitEvents;
      counts.successByAttempt.forEach((n, attempt) => {
        if (n > 0) successByAttempt[attempt] = (successByAttempt[attempt] ?? 0) + n;
      });
      for (const [reason, n] of Object.entries(counts.retriesRefused)) {
        bump(retriesRefused, reason, n);
      }
      for (const [reason, n] of Object.entries(counts.failures)) bump(failureByReason, reason, n);
    }
    return {
      ...sum,
      successByAttempt,
      retriesRefused,
      failureByReason,
      retentionHours: this.retentionHours,
    };
  }

  /** One point per started hour, ascending; the last is the current hour. */
  getTimeseries({ hours = 24 }: { hours?: number } = {}): Point[] {
    whole('hours', hours, 100_000);
    return this.#within(hours).map(({ hour, counts }) => ({
      timestamp: new Date(hour * hourMs).toISOString(),
      totalRequests: counts.requests,
      totalRetries: counts.retries,
      successRate: counts.requests === 0 ? null : counts.succeeded / counts.requests,
      avgLatency: counts.latency.meanMs,
      p50: counts.latency.quantile(0.5),
      p95: counts.latency.quantile(0.95),
      p99: counts.latency.quantile(0.99),
    }));
  }

  getByProxy({ hours = 24 }: { hours?: number } = {}): Record<string, ProxyTotals> {
    whole('hours', hours, 100_000);
    const sums = new Map<string, ProxyCounts>();
    for (const { proxies } of this.#within(hours)) {
      for (const [id, counts] of proxies) {
        let sum = sums.get(id);
        if (sum === undefined) sums.set(id, (sum = new ProxyCounts()));
        sum.attempts += counts.attempts;
        sum.successes += counts.successes;
        sum.failures += counts.failures;
        sum.opens += counts.opens;
        if (counts.latency !== undefined) (sum.latency ??= new Histogram()).add(counts.latency);
      }
    }
    return Object.fromEntries(
      [...sums].map(([id, { attempts, successes, failures, opens, latency }]) => [
        id,
        {
          totalAttempts: attempts,
          successCount: successes,
          failureCount: failures,
          avgLatency: latency?.meanMs ?? null,
          p50: latency?.quantile(0.5) ?? null,
          p95: latency?.quantile(0.95) ?? null,
          p99: latency?.quantile(0.99) ?? null,
          circuitBreakerOpens: opens,
        },
      ]),
    );
  }

  /** By policy name; a policy without a name is `default`. */
  getByPolicy({ hours = 24 }: { hours?: number } = {}) {
    whole('hours', hours, 100_000);
    const sums: Record<string, { totalRequests: number; successRate: number }> = {};
    const succeeded: Record<string, number> = {};
    for (const { counts } of this.#within(hours)) {
      for (const [name, policy] of Object.entries(counts.policies)) {
        const sum = (sums[name] ??= { totalRequests: 0, successRate: 0 });
        sum.totalRequests += policy.requests;
        bump(succeeded, name, policy.succeeded);
        sum.successRate = (succeeded[name] ?? 0) / sum.totalRequests;
      }
    }
    return sums;
  }

  /** The last 1,000 transitions at most, oldest first. */
  circuitEvents({ hours = 24 }: { hours?: number } = {}): readonly CircuitTransition[] {
    whole('hours', hours, 100_000);
    const from = this.#now() - hours * hourMs;
    return this.#circuits.filter(({ at }) => at >= from);
  }

  /** The attempts of the last hour, 10,000 at most, newest first. */
  recentAttempts({ limit = 100 }: { limit?: number } = {}): readonly AttemptEnd[] {
    const from = this.#now() - hourMs;
    return this.#recent
      .slice(-whole('limit', limit, maxRecent))
      .filter(({ at }) => at >= from)
      .reverse();
  }

  /** Drops what is older than the retention. Idempotent; reads do it by themselves. */
  aggregateHourly(): void {
    const oldest = this.#hour() - this.retentionHours + 1;
    this.#hours = this.#hours.filter(({ hour }) => hour >= oldest);
  }

  sizes(): { attempts: number; hours: number; events: number; proxies: number } {
    return {
      attempts: Math.min(this.#recent.length, maxRecent),
      hours: this.#hours.length,
      events: Math.min(this.#circuits.length, maxCircuitEvents),
      proxies: this.totalsByProxy.size,
    };
  }

  #hour(): number {
    return Math.floor(this.#now() / hourMs);
  }

  #current(): Hour {
    const hour = this.#hour();
    const last = this.#hours.at(-1);
    if (last !== undefined && last.hour >= hour) return last;
    const fresh = { hour, counts: new Counts(), proxies: new Map<string, ProxyCounts>() };
    this.#hours.push(fresh);
    this.aggregateHourly();
    return fresh;
  }

  #within(hours: number): Hour[] {
    this.#current();
    const oldest = this.#hour() - Math.min(hours, this.retentionHours) + 1;
    return this.#hours.filter(({ hour }) => hour >= oldest);
  }

  #count(change: (counts: Counts) => void): void {
    change(this.totals);
    change(this.#current().counts);
  }

  #proxy(id: string, change: (counts: ProxyCounts) => void): void {
    for (const proxies of [this.totalsByProxy, this.#current().proxies]) {
      const name = proxies.has(id) || proxies.size < this.#maxProxies ? id : 'other';
      let counts = proxies.get(name);
      if (counts === undefined) proxies.set(name, (counts = new ProxyCounts()));
      change(counts);
    }
  }

  #attempt(event: AttemptEnd): void {
    const { attempt, hedge, outcome, reason, latencyMs, proxyId } = event;
    const good = outcome === 'success';
    this.#count((counts) => {
      counts.attempts++;
      if (hedge) counts.hedges++;
      else if (attempt > 0) counts.retries++;
      bump(counts.outcomes, outcome);
      counts.latency.record(latencyMs);
      if (good) counts.successByAttempt[attempt] = (counts.successByAttempt[attempt] ?? 0) + 1;
      else if (reason !== undefined) bump(counts.failures, reason);
    });
    this.#proxy(proxyId, (counts) => {
      counts.attempts++;
      if (good) {
        counts.successes++;
        (counts.latency ??= new Histogram()).record(latencyMs);
      } else counts.failures++;
    });
    this.#recent.push(event);
    if (this.#recent.length >= 2 * maxRecent) this.#recent = this.#recent.slice(-maxRecent);
  }

  #request({ attemptCount, outcome, durationMs, policyName = 'default' }: RequestEnd): void {
    this.#count((counts) => {
      bump(counts.requestOutcomes, outcome);
      if (attemptCount === 0) {
        counts.refused++;
        return;
      }
      counts.requests++;
      counts.duration.record(durationMs);
      const policy = (counts.policies[policyName] ??= { requests: 0, succeeded: 0 });
      policy.requests++;
      if (outcome === 'success') {
        counts.succeeded++;
        policy.succeeded++;
      }
    });
  }

  #transition(event: CircuitTransition): void {
    this.#count((counts) => {
      counts.circuitEvents++;
      bump(counts.transitions, event.to);
    });
    if (event.to === 'open') this.#proxy(event.name, (counts) => counts.opens++);
    this.#circuits.push(event);
    if (this.#circuits.length > maxCircuitEvents) this.#circuits.shift();
  }
}
