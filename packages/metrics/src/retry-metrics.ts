import type {
  AttemptEnd,
  CircuitTransition,
  RequestEnd,
  WhirlBus,
  WhirlEvents,
} from '@whirl/events';
import { AttemptLog, maxAttempts } from './tables/attempt-log.ts';
import { CircuitLog } from './tables/circuit-log.ts';
import {
  blameIndex,
  blames,
  circuitStateIndex,
  circuitStates,
  failureReasonIndex,
  failureReasons,
  outcomeIndex,
  outcomes,
  refusalReasonIndex,
  refusalReasons,
} from './tables/label-sets.ts';
import { defaultNow } from './clock.ts';
import { DurationCounts } from './latency/duration-counts.ts';
import { failureReason } from './tables/failure-reason.ts';
import type { Histogram } from './latency/histogram.ts';
import { bucketOf } from './latency/latency-scale.ts';
import { hourMs, HourRing, type Hourly } from './tables/hour-ring.ts';
import { other } from './tables/name-table.ts';
import { PendingRetries } from './tables/pending-retries.ts';
import { PolicyTable } from './tables/policy-table.ts';
import { attemptNumbers, byWord, column, PoolCounts, unknownReason } from './tables/pool-counts.ts';
import { PoolGauges } from './tables/pool-gauges.ts';
import { attemptOutcomes, ProxyTable } from './tables/proxy-table.ts';
import { maxTargets, TargetCounts } from './tables/target-counts.ts';
import { TargetStates } from './tables/target-states.ts';
import { TunnelCounts } from './tables/tunnel-counts.ts';
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
import { checkBus, checkFunction, checkNames, checkWhole } from './validate.ts';

export interface RetryMetricsOptions {
  /** Where the facts come from. Without one: `listen()`, or `record()`. */
  readonly bus?: WhirlBus | undefined;
  /** Hours that are held, the current one included. 1 to 168, default 24. */
  readonly retentionHours?: number | undefined;
  /**
   * Proxies that are counted apart. Beyond it the least recently used fold into `other`. 1 to
   * 1,000,000, default 10,000; each takes about 1.1 kB with 24 hours.
   */
  readonly maxProxies?: number | undefined;
  /** Epoch milliseconds, for reading. Default: the process's monotonic clock. */
  readonly now?: (() => number) | undefined;
}

/** How far back to look. */
export interface HoursOptions {
  /**
   * Started hours, the current one included: 1 is the current hour. At least 1, default 24; more
   * than the retention gives what there is.
   */
  readonly hours?: number | undefined;
}

type Listeners = {
  readonly [Type in keyof WhirlEvents]?: (event: WhirlEvents[Type]) => void;
};

/** The types of facts that metrics learn from. */
const heard = [
  'request:start',
  'attempt:end',
  'retry:scheduled',
  'retry:refused',
  'request:end',
  'tunnel:open',
  'tunnel:end',
  'circuit:transition',
  'target:down',
  'target:up',
  'proxy:added',
  'proxy:removed',
] as const satisfies readonly (keyof WhirlEvents)[];

/** Durations beyond this are taken for it, so that sums stay sums: 24 days. */
const maxDurationMs = 2 ** 31;

/** A duration that can be added up: never negative, never NaN. */
function duration(ms: number): number {
  return ms > 0 ? Math.min(ms, maxDurationMs) : 0;
}

function checkHours(options: HoursOptions): number {
  checkNames(options, ['hours']);
  return checkWhole('hours', options.hours ?? 24, 1, Number.MAX_SAFE_INTEGER);
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
  readonly #ring: HourRing;
  readonly #pool: PoolCounts;
  readonly #proxies: ProxyTable;
  readonly #policies: PolicyTable;
  readonly #targets = new TargetCounts();
  readonly #targetStates = new TargetStates();
  readonly #gauges = new PoolGauges();
  readonly #tunnels = new TunnelCounts();
  readonly #attempts = new AttemptLog(this.#targets);
  readonly #circuits = new CircuitLog();
  readonly #pending = new PendingRetries();
  readonly #requestDurations = new DurationCounts();
  readonly #attemptDurations = new DurationCounts();
  readonly #hourly: Hourly;
  readonly #listeners: Listeners;
  /** The buses that are heard, how often each was asked for, and how to leave it. */
  readonly #buses = new Map<WhirlBus, { asked: number; readonly leave: () => void }>();

  constructor(options: RetryMetricsOptions = {}) {
    checkNames(options, ['bus', 'retentionHours', 'maxProxies', 'now']);
    const { bus, retentionHours = 24, maxProxies = 10_000 } = options;
    const { now = defaultNow } = options;
    checkFunction('now', now);
    if (bus !== undefined) checkBus(bus);
    this.retentionHours = checkWhole('retentionHours', retentionHours, 1, 168);
    this.#now = now;
    this.#ring = new HourRing(retentionHours, now);
    this.#pool = new PoolCounts(retentionHours, this.#ring.slot);
    this.#proxies = new ProxyTable(checkWhole('maxProxies', maxProxies, 1, 1_000_000), this.#ring);
    this.#policies = new PolicyTable(this.#ring);
    this.#hourly = {
      finishHour: (slot) => this.#proxies.finishHour(slot),
      startHour: (slot) => {
        this.#pool.startHour(slot);
        this.#proxies.startHour(slot);
        this.#policies.startHour(slot);
      },
    };
    this.#listeners = {
      'request:start': () => this.#gauges.requestStarted(),
      'attempt:end': (event) => this.#attemptEnded(event),
      'retry:scheduled': (event) => this.#pending.schedule(event),
      'retry:refused': ({ reason, at }) => {
        this.#ring.advance(at, this.#hourly);
        this.#pool.add(column.refusals + refusalReasonIndex[reason]);
      },
      'request:end': (event) => this.#requestEnded(event),
      'tunnel:open': () => this.#tunnels.opened(),
      'tunnel:end': (event) => this.#tunnels.ended(event),
      'circuit:transition': (event) => this.#circuitMoved(event),
      'target:down': ({ origin }) => this.#targetStates.wentDown(origin),
      'target:up': ({ origin }) => this.#targetStates.cameUp(origin),
      'proxy:added': ({ proxyId }) => {
        this.#gauges.proxyAdded();
        this.#proxies.setInPool(proxyId, true);
      },
      'proxy:removed': ({ proxyId }) =>
        this.#gauges.proxyRemoved(this.#proxies.setInPool(proxyId, false)),
    };
    if (bus !== undefined) this.listen(bus);
  }

  /**
   * Learns from this bus too. However often it is asked for, each of its facts counts once. Returns what
   * takes this one wish back: the bus is left with the last of them.
   */
  listen(bus: WhirlBus): () => void {
    checkBus(bus);
    let known = this.#buses.get(bus);
    if (known === undefined) {
      const offs = heard.map((type) =>
        bus.on(type, this.#listeners[type] as (event: unknown) => void),
      );
      const leave = () => {
        for (const off of offs) off();
        this.#buses.delete(bus);
        // Wishes that are taken back after a `close()` find nothing to end.
        made.asked = 0;
      };
      const made = { asked: 0, leave };
      this.#buses.set(bus, (known = made));
    }
    const wished = known;
    wished.asked++;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      if (--wished.asked === 0) wished.leave();
    };
  }

  /** Stops listening, to every bus. What was counted can still be read. */
  close(): void {
    for (const { leave } of this.#buses.values()) leave();
  }

  /** Takes in one fact: what the bus calls. Facts that do not concern metrics change nothing. */
  record<Type extends keyof WhirlEvents>(type: Type, event: WhirlEvents[Type]): void {
    (this.#listeners[type] as ((event: WhirlEvents[Type]) => void) | undefined)?.(event);
  }

  /** What happened within the retention. */
  getSummary(): Summary {
    const slots = this.#slots({ hours: this.retentionHours });
    const sum = (at: number): number => {
      let total = 0;
      for (const slot of slots) total += this.#pool.inHour(slot, at);
      return total;
    };
    // Requests whose first attempt ended before the window are not in it, as that attempt is not.
    const carried = this.#pool.inHour(slots[0]!, column.carried);
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
      const slot = this.#ring.slotOf(hour);
      const requests = this.#pool.inHour(slot, column.requests);
      const latency = this.#pool.latencyOf(slot);
      return {
        timestamp: new Date(hour * hourMs).toISOString(),
        totalRequests: requests,
        totalRetries: this.#pool.inHour(slot, column.retries),
        successRate: requests === 0 ? null : this.#pool.inHour(slot, column.succeeded) / requests,
        ...latencies(latency, latency.meanMs),
      };
    });
  }

  /** By proxy id; only proxies that did something in these hours. */
  getByProxy(options: HoursOptions = {}): Record<string, ProxyTotals> {
    const slots = this.#slots(options);
    const entries: [string, ProxyTotals][] = [];
    for (const [row, proxyId] of this.#proxies.rows()) {
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
    const row = this.#proxies.rowOf(proxyId);
    return row === undefined ? undefined : this.#proxyTotals(row, slots);
  }

  /** The ids that are counted apart, and `other`; some may have done nothing in the hours held. */
  *proxyIds(): Generator<string, void, undefined> {
    for (const [, proxyId] of this.#proxies.rows()) yield proxyId;
  }

  /** By policy name; requests under a policy without a name count as `default`. */
  getByPolicy(options: HoursOptions = {}): Record<string, PolicyTotals> {
    const slots = this.#slots(options);
    const entries: [string, PolicyTotals][] = [];
    for (const [name, requests, succeeded] of this.#policies.read(slots)) {
      entries.push([name, { totalRequests: requests, successRate: succeeded / requests }]);
    }
    return Object.fromEntries(entries);
  }

  /** The transitions of the last `hours` × 60 minutes, oldest first; 1,000 are held at most. */
  circuitEvents(options: HoursOptions = {}): readonly CircuitTransition[] {
    const hours = Math.min(checkHours(options), this.retentionHours);
    return this.#circuits.read(this.#now() - hours * hourMs);
  }

  /**
   * The attempts of the last hour, newest first. `limit` 1 to 10,000, which is also what is held at
   * most; default 100. Request ids are kept to 36 characters, origins to 64.
   */
  recentAttempts(options: { readonly limit?: number | undefined } = {}): readonly AttemptEnd[] {
    checkNames(options, ['limit']);
    const { limit = 100 } = options;
    return this.#attempts.read(this.#now(), checkWhole('limit', limit, 1, maxAttempts));
  }

  /** Lets go of hours beyond the retention. Reads and facts do it too; twice is once. */
  aggregateHourly(): void {
    this.#ring.advance(this.#now(), this.#hourly);
  }

  /** How much is held at the moment. */
  sizes(): Sizes {
    const now = this.#now();
    return {
      attempts: this.#attempts.count(now),
      hours: this.#slots({ hours: this.retentionHours }).length,
      events: this.#circuits.read(now - this.retentionHours * hourMs).length,
      proxies: this.#proxies.size,
    };
  }

  /** Counts since the start and gauges: what `/prometheus` and its like are made of. */
  totals(): Totals {
    const count = (first: number) => (i: number) => this.#pool.sinceStart(first + i);
    const { transitions, retryReasons, refusals } = column;
    return {
      requests: byWord(outcomes, count(column.requestOutcomes), 'keep'),
      refusedRequests: this.#pool.sinceStart(column.refused),
      successByAttempt: this.#successByAttempt((at) => this.#pool.sinceStart(at)),
      attempts: byWord(outcomes, count(column.attemptOutcomes), 'keep'),
      attemptFailures: byWord(blames, count(column.blames), 'keep'),
      retries: byWord([...failureReasons, 'unknown'], count(retryReasons), 'keep'),
      hedges: this.#pool.sinceStart(column.hedges),
      retriesRefused: byWord(refusalReasons, count(refusals), 'keep'),
      circuitTransitions: byWord(circuitStates, count(transitions), 'keep'),
      circuits: this.#gauges.circuits(),
      proxies: this.#gauges.proxies,
      targets: this.#targetStates.count(),
      requestsInFlight: this.#gauges.requestsInFlight,
      tunnels: this.#tunnels.read(),
      requestDuration: this.#requestDurations.read(),
      attemptDuration: this.#attemptDurations.read(),
    };
  }

  /**
   * Counts by proxy since the start: at most `limit` proxies, the first that were seen, and the rest
   * as `other`, last. Which ones are shown stays the same while they are held, so that no count ever
   * falls: a proxy that loses its row adds to `other`.
   */
  totalsByProxy(limit: number): ProxySeries[] {
    checkWhole('limit', limit, 0, 1_000_000);
    return this.#series(this.#proxies, limit, (proxyId, attempts, row) =>
      row === 0
        ? { proxyId, attempts }
        : { proxyId, attempts, circuit: circuitStates[this.#proxies.circuitOf(row)]! },
    );
  }

  /**
   * The same by target: at most `limit` of the first 1,000, 0 to 1,000, and the rest as `other`. No
   * target ever loses its row.
   */
  totalsByTarget(limit: number): TargetSeries[] {
    checkWhole('limit', limit, 0, maxTargets);
    return this.#series(this.#targets, limit, (origin, attempts) => ({ origin, attempts }));
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
    const counts = this.#proxies.read(row, slots);
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

  #attemptEnded(event: AttemptEnd): void {
    this.#ring.advance(event.at, this.#hourly);
    const pool = this.#pool;
    const { attempt } = event;
    const outcome = outcomeIndex[event.outcome];
    const latencyMs = duration(event.latencyMs);
    pool.add(column.attempts);
    pool.add(column.attemptOutcomes + outcome);
    if (event.hedge) pool.add(column.hedges);
    else if (attempt > 0) {
      pool.add(column.retries);
      pool.add(
        column.retryReasons + (this.#pending.take(event.requestId, attempt) ?? unknownReason),
      );
    }
    const reason = failureReason(event);
    const failure = reason === undefined ? undefined : failureReasonIndex[reason];
    if (failure !== undefined) {
      pool.add(column.failures + failure);
      pool.add(column.blames + blameIndex[event.blame]);
    } else pool.add(column.successByAttempt + Math.min(attempt, attemptNumbers - 1));
    const bucket = bucketOf(latencyMs);
    pool.recordLatency(latencyMs, bucket);
    this.#attemptDurations.record(latencyMs);
    this.#proxies.recordAttempt(event.proxyId, outcome, latencyMs, bucket);
    const targetRow = this.#targets.record(event.origin, outcome);
    this.#targetStates.attempt(event);
    this.#attempts.record(event, targetRow, failure);
  }

  #requestEnded(event: RequestEnd): void {
    this.#ring.advance(event.at, this.#hourly);
    const pool = this.#pool;
    this.#gauges.requestEnded();
    this.#pending.forget(event.requestId);
    pool.add(column.requestOutcomes + outcomeIndex[event.outcome]);
    if (event.attemptCount === 0) {
      pool.add(column.refused);
      return;
    }
    const succeeded = event.outcome === 'success';
    pool.add(column.requests);
    if (succeeded) pool.add(column.succeeded);
    this.#requestDurations.record(duration(event.durationMs));
    this.#policies.record(event.policyName ?? 'default', succeeded);
  }

  #circuitMoved(event: CircuitTransition): void {
    this.#ring.advance(event.at, this.#hourly);
    const to = circuitStateIndex[event.to];
    this.#pool.add(column.circuitEvents);
    this.#pool.add(column.transitions + to);
    this.#circuits.record(event);
    const { proxyId } = event;
    // A breaker that guards something else shares the bus: it is no proxy's.
    if (proxyId === undefined) return;
    if (event.to === 'open') this.#proxies.recordOpen(proxyId);
    // An attempt that outlives its proxy can still move a circuit that is no longer there.
    if (this.#proxies.isRemoved(proxyId)) return;
    this.#gauges.circuitMoved(circuitStateIndex[event.from], to);
    this.#proxies.setCircuit(proxyId, to);
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
    return this.#ring.last(hours);
  }

  #slots(options: HoursOptions): number[] {
    return this.#hours(options).map((hour) => this.#ring.slotOf(hour));
  }
}
