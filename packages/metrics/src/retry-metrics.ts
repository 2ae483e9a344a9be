import { check, checkOptions, func, integer, withMethods } from '@whirl/check';
import type { AttemptEnd, CircuitTransition, WhirlBus, WhirlEvents } from '@whirl/events';
import { defaultNow } from './clock.ts';
import { FactRecorder } from './fact-recorder.ts';
import type { Histogram } from './latency/histogram.ts';
import { maxAttempts } from './tables/attempt-log.ts';
import { hourMs } from './tables/hour-ring.ts';
import {
  blames,
  circuitStates,
  failureReasons,
  outcomes,
  refusalReasons,
} from './tables/label-sets.ts';
import { other } from './tables/name-table.ts';
import { attemptNumbers, byWord, column } from './tables/pool-counts.ts';
import { attemptOutcomes, type ProxyTable } from './tables/proxy-table.ts';
import { maxTargets, type TargetCounts } from './tables/target-counts.ts';
import type {
  AttemptCounts,
  Latencies,
  Point,
  PolicyTotals,
  ProxySeries,
  ProxyTotals,
  Sizes,
  Summary,
  TargetSeries,
  Totals,
} from './readings.ts';

/**
 * The options of `RetryMetrics`. One that is unknown, of a wrong type or out of its bounds is refused with a TypeError or
 * RangeError that names it.
 */
export interface RetryMetricsOptions {
  /** The bus that the facts come from. Default: none until `listen()`. */
  readonly bus?: WhirlBus | undefined;
  /** Hours that are held, the current one included. An integer from 1 to 168, default 24. */
  readonly retentionHours?: number | undefined;
  /**
   * Proxies that are counted apart. Beyond it the least recently used fold into `other`. An integer
   * from 1 to 1,000,000, default 10,000; each takes about 1.1 kB with 24 hours.
   */
  readonly maxProxies?: number | undefined;
  /** Epoch milliseconds, for reading. Default: the process's monotonic clock. */
  readonly now?: (() => number) | undefined;
}

/** How far back to look. A bad value is refused with a TypeError or RangeError that names it. */
export interface HoursOptions {
  /**
   * Started hours, the current one included: 1 is the current hour. An integer ≥ 1, default 24; more
   * than the retention gives what there is.
   */
  readonly hours?: number | undefined;
}

const optionKinds = {
  bus: withMethods('a bus', 'on'),
  retentionHours: integer(1, 168),
  maxProxies: integer(1, 1_000_000),
  now: func,
};
const hoursKinds = { hours: integer(1) };
const attemptsKinds = { limit: integer(1, maxAttempts) };
const proxyLimits = integer(0, 1_000_000);
const targetLimits = integer(0, maxTargets);

function checkHours(options: HoursOptions): number {
  checkOptions('', options, hoursKinds);
  return options.hours ?? 24;
}

function latencies(histogram: Histogram, meanMs: number | null): Latencies {
  return {
    avgLatencyMs: meanMs,
    p50Ms: histogram.quantile(0.5),
    p95Ms: histogram.quantile(0.95),
    p99Ms: histogram.quantile(0.99),
  };
}

/**
 * What retries, failover and circuits did in the last hours, in memory that does not grow with the
 * traffic. It learns from the bus alone and owns no timer: hours pass when facts arrive or a caller
 * reads. A bad option is a TypeError or RangeError that names it, the value and the bound.
 */
export class RetryMetrics {
  readonly retentionHours: number;
  readonly #now: () => number;
  readonly #facts: FactRecorder;

  constructor(options: RetryMetricsOptions = {}) {
    checkOptions('', options, optionKinds);
    const { bus, retentionHours = 24, maxProxies = 10_000, now = defaultNow } = options;
    this.retentionHours = retentionHours;
    this.#now = now;
    this.#facts = new FactRecorder(retentionHours, maxProxies, now);
    if (bus !== undefined) this.listen(bus);
  }

  /**
   * Learns from this bus too. However often it is asked for, each of its facts counts once. Returns what
   * takes this one wish back: the bus is left with the last of them.
   */
  listen(bus: WhirlBus): () => void {
    return this.#facts.listen(bus);
  }

  /** Stops listening, to every bus. What was counted can still be read. */
  close(): void {
    this.#facts.close();
  }

  /** Takes in one fact: what the bus calls. Facts that do not concern metrics change nothing. */
  record<Type extends keyof WhirlEvents>(type: Type, event: WhirlEvents[Type]): void {
    this.#facts.record(type, event);
  }

  /** What happened within the retention. */
  getSummary(): Summary {
    const slots = this.#slots({ hours: this.retentionHours });
    const sum = (at: number): number => {
      let total = 0;
      for (const slot of slots) total += this.#facts.pool.inHour(slot, at);
      return total;
    };
    // Requests whose first attempt ended before the window are not in it, as that attempt is not.
    const carried = this.#facts.pool.inHour(slots[0]!, column.carried);
    return {
      totalRequests: Math.max(0, sum(column.requests) - carried),
      refusedRequests: sum(column.refused),
      totalAttempts: sum(column.attempts),
      totalRetries: sum(column.retries),
      totalHedges: sum(column.hedges),
      successByAttempt: this.#successByAttempt(sum),
      retriesRefused: byWord(refusalReasons, (i) => sum(column.refusals + i), 'drop'),
      failureByReason: byWord(failureReasons, (i) => sum(column.failures + i), 'drop'),
      failureByBlame: byWord(blames, (i) => sum(column.blames + i), 'drop'),
      circuitBreakerEventsCount: sum(column.circuitEvents),
      retentionHours: this.retentionHours,
    };
  }

  /** One point per started hour, ascending; the last is the current hour. */
  getTimeseries(options: HoursOptions = {}): Point[] {
    return this.#hours(options).map((hour) => {
      const slot = this.#facts.ring.slotOf(hour);
      const requests = this.#facts.pool.inHour(slot, column.requests);
      const latency = this.#facts.pool.latencyOf(slot);
      return {
        timestamp: new Date(hour * hourMs).toISOString(),
        totalRequests: requests,
        totalRetries: this.#facts.pool.inHour(slot, column.retries),
        successRate:
          requests === 0 ? null : this.#facts.pool.inHour(slot, column.succeeded) / requests,
        ...latencies(latency, latency.meanMs),
      };
    });
  }

  /** By proxy id; only proxies that did something in these hours. */
  getByProxy(options: HoursOptions = {}): Record<string, ProxyTotals> {
    const slots = this.#slots(options);
    const entries: [string, ProxyTotals][] = [];
    for (const [row, proxyId] of this.#facts.proxies.rows()) {
      const totals = this.#proxyTotals(row, slots);
      if (totals !== undefined) entries.push([proxyId, totals]);
    }
    // Not by assignment: an id of `__proto__` is an id like any other.
    return Object.fromEntries(entries);
  }

  /**
   * One proxy of `getByProxy()`, without a look at the others; undefined when it did nothing in these hours.
   * `other` stands for the proxies beyond `maxProxies`.
   */
  getProxy(proxyId: string, options: HoursOptions = {}): ProxyTotals | undefined {
    const slots = this.#slots(options);
    const row = this.#facts.proxies.rowOf(proxyId);
    return row === undefined ? undefined : this.#proxyTotals(row, slots);
  }

  /** The ids that are counted apart, and `other`; some may have done nothing in the hours held. */
  *proxyIds(): Generator<string, void, undefined> {
    for (const [, proxyId] of this.#facts.proxies.rows()) yield proxyId;
  }

  /** By policy name; requests under a policy without a name count as `default`. */
  getByPolicy(options: HoursOptions = {}): Record<string, PolicyTotals> {
    const slots = this.#slots(options);
    const entries: [string, PolicyTotals][] = [];
    for (const [name, requests, succeeded] of this.#facts.policies.read(slots)) {
      entries.push([name, { totalRequests: requests, successRate: succeeded / requests }]);
    }
    return Object.fromEntries(entries);
  }

  /** The transitions of the last `hours` × 60 minutes, oldest first; 1,000 are held at most. */
  circuitEvents(options: HoursOptions = {}): readonly CircuitTransition[] {
    const hours = Math.min(checkHours(options), this.retentionHours);
    return this.#facts.circuits.read(this.#now() - hours * hourMs);
  }

  /**
   * The attempts of the last hour, newest first. `limit` 1 to 10,000, which is also what is held at
   * most; default 100. Request ids are kept to 36 characters, origins to 64.
   */
  recentAttempts(options: { readonly limit?: number | undefined } = {}): readonly AttemptEnd[] {
    checkOptions('', options, attemptsKinds);
    const { limit = 100 } = options;
    return this.#facts.attempts.read(this.#now(), limit);
  }

  /** Lets go of hours beyond the retention. Reads and facts do it too; twice is once. */
  aggregateHourly(): void {
    this.#facts.advance(this.#now());
  }

  /** How much is held at the moment. */
  sizes(): Sizes {
    const now = this.#now();
    return {
      attempts: this.#facts.attempts.count(now),
      hours: this.#slots({ hours: this.retentionHours }).length,
      events: this.#facts.circuits.read(now - this.retentionHours * hourMs).length,
      proxies: this.#facts.proxies.size,
    };
  }

  /** Counts since the start and gauges: what `/prometheus` and its like are made of. */
  totals(): Totals {
    const count = (first: number) => (i: number) => this.#facts.pool.sinceStart(first + i);
    const { transitions, retryReasons, refusals } = column;
    return {
      requests: byWord(outcomes, count(column.requestOutcomes), 'keep'),
      refusedRequests: this.#facts.pool.sinceStart(column.refused),
      successByAttempt: this.#successByAttempt((at) => this.#facts.pool.sinceStart(at)),
      attempts: byWord(outcomes, count(column.attemptOutcomes), 'keep'),
      attemptFailures: byWord(blames, count(column.blames), 'keep'),
      retries: byWord([...failureReasons, 'unknown'], count(retryReasons), 'keep'),
      hedges: this.#facts.pool.sinceStart(column.hedges),
      retriesRefused: byWord(refusalReasons, count(refusals), 'keep'),
      circuitTransitions: byWord(circuitStates, count(transitions), 'keep'),
      circuits: this.#facts.gauges.circuits(),
      proxies: this.#facts.gauges.proxies,
      targets: this.#facts.targetStates.count(),
      requestsInFlight: this.#facts.gauges.requestsInFlight,
      tunnels: this.#facts.tunnels.read(),
      requestDuration: this.#facts.requestDurations.read(),
      attemptDuration: this.#facts.attemptDurations.read(),
    };
  }

  /**
   * Counts by proxy since the start: at most `limit` proxies, the first that were seen, and the rest
   * as `other`, last. Which ones are shown stays the same while they are held, so that no count ever
   * falls: a proxy that loses its row adds to `other`.
   */
  totalsByProxy(limit: number): ProxySeries[] {
    check('limit', limit, proxyLimits);
    return this.#series(this.#facts.proxies, limit, (proxyId, attempts, row) =>
      row === 0
        ? { proxyId, attempts }
        : { proxyId, attempts, circuit: circuitStates[this.#facts.proxies.circuitOf(row)]! },
    );
  }

  /**
   * The same by target: at most `limit` of the first 1,000, 0 to 1,000, and the rest as `other`. No
   * target ever loses its row.
   */
  totalsByTarget(limit: number): TargetSeries[] {
    check('limit', limit, targetLimits);
    return this.#series(this.#facts.targets, limit, (origin, attempts) => ({ origin, attempts }));
  }

  /** The first `limit` rows of a table, and the rest in row 0 if it has any. */
  #series<Series>(
    table: ProxyTable | TargetCounts,
    limit: number,
    seriesOf: (name: string, attempts: AttemptCounts, row: number) => Series,
  ): Series[] {
    const series: Series[] = [];
    const rest = attemptOutcomes.map(() => 0);
    for (const [row, name] of table.rows()) {
      if (row === 0 || row > limit) {
        rest.forEach((n, i) => (rest[i] = n + table.outcomeCount(row, i)));
        continue;
      }
      const attempts = byWord(attemptOutcomes, (i) => table.outcomeCount(row, i), 'keep');
      series.push(seriesOf(name, attempts, row));
    }
    if (rest.some((n) => n > 0)) {
      series.push(
        seriesOf(
          other,
          byWord(attemptOutcomes, (i) => rest[i]!, 'keep'),
          0,
        ),
      );
    }
    return series;
  }

  #proxyTotals(row: number, slots: readonly number[]): ProxyTotals | undefined {
    const counts = this.#facts.proxies.read(row, slots);
    if (counts === undefined) return undefined;
    const { attempts, failures, opens, latencySumMs, latency } = counts;
    const successes = attempts - failures;
    return {
      totalAttempts: attempts,
      successCount: successes,
      failureCount: failures,
      ...latencies(latency, successes === 0 ? null : latencySumMs / successes),
      circuitBreakerOpens: opens,
    };
  }

  #successByAttempt(count: (at: number) => number): Record<number, number> {
    const counts: Record<number, number> = {};
    for (let attempt = 0; attempt < attemptNumbers; attempt++) {
      const n = count(column.successByAttempt + attempt);
      if (n > 0) counts[attempt] = n;
    }
    return counts;
  }

  #hours(options: HoursOptions): number[] {
    const hours = checkHours(options);
    this.aggregateHourly();
    return this.#facts.ring.last(hours);
  }

  #slots(options: HoursOptions): number[] {
    return this.#hours(options).map((hour) => this.#facts.ring.slotOf(hour));
  }
}
