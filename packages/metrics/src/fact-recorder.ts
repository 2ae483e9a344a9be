import { check, withMethods } from '@whirl/check';
import type {
  AttemptEnd,
  CircuitTransition,
  RequestEnd,
  WhirlBus,
  WhirlEvents,
} from '@whirl/events';
import { DurationCounts } from './latency/duration-counts.ts';
import { bucketOf } from './latency/latency-scale.ts';
import { AttemptLog } from './tables/attempt-log.ts';
import { CircuitLog } from './tables/circuit-log.ts';
import { failureReason } from './tables/failure-reason.ts';
import { HourRing, type Hourly } from './tables/hour-ring.ts';
import {
  blameIndex,
  circuitStateIndex,
  failureReasonIndex,
  outcomeIndex,
  refusalReasonIndex,
} from './tables/label-sets.ts';
import { PendingRetries } from './tables/pending-retries.ts';
import { PolicyTable } from './tables/policy-table.ts';
import { attemptNumbers, column, PoolCounts, unknownReason } from './tables/pool-counts.ts';
import { PoolGauges } from './tables/pool-gauges.ts';
import { ProxyTable } from './tables/proxy-table.ts';
import { TargetCounts } from './tables/target-counts.ts';
import { TargetStates } from './tables/target-states.ts';
import { TunnelCounts } from './tables/tunnel-counts.ts';

type Listeners = {
  readonly [Type in keyof WhirlEvents]?: (event: WhirlEvents[Type]) => void;
};

const buses = withMethods('a bus', 'on');

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

/** Takes in facts, from buses or one by one, and fills the tables with them. */
export class FactRecorder {
  readonly ring: HourRing;
  readonly pool: PoolCounts;
  readonly proxies: ProxyTable;
  readonly policies: PolicyTable;
  readonly targets = new TargetCounts();
  readonly targetStates = new TargetStates();
  readonly gauges = new PoolGauges();
  readonly tunnels = new TunnelCounts();
  readonly attempts = new AttemptLog(this.targets);
  readonly circuits = new CircuitLog();
  readonly requestDurations = new DurationCounts();
  readonly attemptDurations = new DurationCounts();
  readonly #pending = new PendingRetries();
  readonly #hourly: Hourly;
  readonly #listeners: Listeners;
  /** The buses that are heard, how often each was asked for, and how to leave it. */
  readonly #buses = new Map<WhirlBus, { asked: number; readonly leave: () => void }>();

  /** `now`: epoch milliseconds. */
  constructor(retentionHours: number, maxProxies: number, now: () => number) {
    this.ring = new HourRing(retentionHours, now);
    this.pool = new PoolCounts(retentionHours, this.ring.slot);
    this.proxies = new ProxyTable(maxProxies, this.ring);
    this.policies = new PolicyTable(this.ring);
    this.#hourly = {
      finishHour: (slot) => this.proxies.finishHour(slot),
      startHour: (slot) => {
        this.pool.startHour(slot);
        this.proxies.startHour(slot);
        this.policies.startHour(slot);
      },
    };
    this.#listeners = {
      'request:start': () => this.gauges.requestStarted(),
      'attempt:end': (event) => this.#attemptEnded(event),
      'retry:scheduled': (event) => this.#pending.schedule(event),
      'retry:refused': ({ reason, at }) => {
        this.advance(at);
        this.pool.add(column.refusals + refusalReasonIndex[reason]);
      },
      'request:end': (event) => this.#requestEnded(event),
      'tunnel:open': () => this.tunnels.opened(),
      'tunnel:end': (event) => this.tunnels.ended(event),
      'circuit:transition': (event) => this.#circuitMoved(event),
      'target:down': ({ origin }) => this.targetStates.wentDown(origin),
      'target:up': ({ origin }) => this.targetStates.cameUp(origin),
      'proxy:added': ({ proxyId }) => {
        this.gauges.proxyAdded();
        this.proxies.setInPool(proxyId, true);
      },
      'proxy:removed': ({ proxyId }) =>
        this.gauges.proxyRemoved(this.proxies.setInPool(proxyId, false)),
    };
  }

  /**
   * Learns from this bus too. However often it is asked for, each of its facts counts once. Returns what
   * takes this one wish back: the bus is left with the last of them.
   */
  listen(bus: WhirlBus): () => void {
    check('bus', bus, buses);
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

  /** Lets go of hours beyond the retention; twice is once. */
  advance(now: number): void {
    this.ring.advance(now, this.#hourly);
  }

  #attemptEnded(event: AttemptEnd): void {
    this.advance(event.at);
    const pool = this.pool;
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
    this.attemptDurations.record(latencyMs);
    this.proxies.recordAttempt(event.proxyId, outcome, latencyMs, bucket);
    const targetRow = this.targets.record(event.origin, outcome);
    this.targetStates.attempt(event);
    this.attempts.record(event, targetRow, failure);
  }

  #requestEnded(event: RequestEnd): void {
    this.advance(event.at);
    const pool = this.pool;
    this.gauges.requestEnded();
    this.#pending.forget(event.requestId);
    pool.add(column.requestOutcomes + outcomeIndex[event.outcome]);
    if (event.attemptCount === 0) {
      pool.add(column.refused);
      return;
    }
    const succeeded = event.outcome === 'success';
    pool.add(column.requests);
    if (succeeded) pool.add(column.succeeded);
    this.requestDurations.record(duration(event.durationMs));
    this.policies.record(event.policyName ?? 'default', succeeded);
  }

  #circuitMoved(event: CircuitTransition): void {
    this.advance(event.at);
    const to = circuitStateIndex[event.to];
    this.pool.add(column.circuitEvents);
    this.pool.add(column.transitions + to);
    this.circuits.record(event);
    const { proxyId } = event;
    // A breaker that guards something else shares the bus: it is no proxy's.
    if (proxyId === undefined) return;
    if (event.to === 'open') this.proxies.recordOpen(proxyId);
    // An attempt that outlives its proxy can still move a circuit that is no longer there.
    if (this.proxies.isRemoved(proxyId)) return;
    this.gauges.circuitMoved(circuitStateIndex[event.from], to);
    this.proxies.setCircuit(proxyId, to);
  }
}
