import type {
  Blame,
  CircuitState,
  FailureReason,
  Outcome,
  RetryRefusalReason,
} from '@whirl/events';
import type { Durations } from './latency/duration-counts.ts';
import type { TargetState } from './tables/target-states.ts';
import type { TunnelTotals } from './tables/tunnel-counts.ts';

/** What happened within the retention. */
export interface Summary {
  /** Requests that ended after at least one attempt. */
  readonly totalRequests: number;
  /** Requests that ended without an attempt: no proxy was available, or they were cut before. */
  readonly refusedRequests: number;
  /** Attempts that ended: first tries, retries and hedges. */
  readonly totalAttempts: number;
  /** Attempts after the first that were made because one before had failed. */
  readonly totalRetries: number;
  /** Second attempts sent beside one that was still running. */
  readonly totalHedges: number;
  /**
   * Successes by the number of the attempt that succeeded, the first try being 0. Only numbers that
   * occurred; from 15 on they count as 15.
   */
  readonly successByAttempt: Readonly<Record<number, number>>;
  /** Retries that were wanted and not made, by reason. Only reasons that occurred. */
  readonly retriesRefused: Readonly<Partial<Record<RetryRefusalReason, number>>>;
  /** Attempts that did not succeed, by reason. Only reasons that occurred. */
  readonly failureByReason: Readonly<Partial<Record<FailureReason, number>>>;
  /** Attempts that did not succeed, by what was to blame. Only what occurred. */
  readonly failureByBlame: Readonly<Partial<Record<Blame, number>>>;
  /** Transitions of circuits. */
  readonly circuitBreakerEventsCount: number;
  readonly retentionHours: number;
}

/** Latencies in milliseconds, from an attempt's start to its response headers; null without any. */
export interface Latencies {
  readonly avgLatencyMs: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

/** One hour. Its latencies are those of all attempts that ended in it. */
export interface Point extends Latencies {
  /** When the hour began, as ISO 8601 in UTC. */
  readonly timestamp: string;
  /** Requests that ended in this hour, after at least one attempt. */
  readonly totalRequests: number;
  readonly totalRetries: number;
  /** Successful requests ÷ requests; null when there were none. */
  readonly successRate: number | null;
}

/** What one proxy did. Its latencies are those of its successful attempts. */
export interface ProxyTotals extends Latencies {
  readonly totalAttempts: number;
  readonly successCount: number;
  /** Attempts that did not succeed; those that the caller aborted are among them. */
  readonly failureCount: number;
  /** How often its circuit opened. */
  readonly circuitBreakerOpens: number;
}

/** What happened to the requests under one policy. */
export interface PolicyTotals {
  /** Requests that ended, after at least one attempt. */
  readonly totalRequests: number;
  /** Successful requests ÷ requests. */
  readonly successRate: number;
}

/** How much is held at the moment. */
export interface Sizes {
  /** Attempts of the last hour, at most 10,000. */
  readonly attempts: number;
  /** Hours that have started, at most `retentionHours`. */
  readonly hours: number;
  /** Circuit transitions within the retention, at most 1,000. */
  readonly events: number;
  /** Proxies that are counted apart, at most `maxProxies`. */
  readonly proxies: number;
}

/**
 * Counts since the start, for monitoring systems: they never fall. And the gauges: what is so at the
 * moment.
 */
export interface Totals {
  /** Requests that ended, refused ones included. */
  readonly requests: Readonly<Record<Outcome, number>>;
  readonly refusedRequests: number;
  readonly successByAttempt: Readonly<Record<number, number>>;
  readonly attempts: Readonly<Record<Outcome, number>>;
  /** Attempts that did not succeed, by what was to blame; `none`: a connection that had gone stale. */
  readonly attemptFailures: Readonly<Record<Blame, number>>;
  /** By the reason for which they were made; `unknown` when their scheduling was not heard. */
  readonly retries: Readonly<Record<FailureReason | 'unknown', number>>;
  readonly hedges: number;
  readonly retriesRefused: Readonly<Record<RetryRefusalReason, number>>;
  /** By the state that a circuit went to. */
  readonly circuitTransitions: Readonly<Record<CircuitState, number>>;
  readonly circuits: Readonly<Record<CircuitState, number>>;
  readonly proxies: number;
  /** Targets by state, at most 1,000: those used last. */
  readonly targets: Readonly<Record<TargetState, number>>;
  readonly requestsInFlight: number;
  readonly tunnels: TunnelTotals;
  /** Requests with at least one attempt, from their start to the end of the body. */
  readonly requestDuration: Durations;
  /** Attempts, from their start to the response headers or to the failure. */
  readonly attemptDuration: Durations;
}

/** Attempts by how they ended. */
export type AttemptCounts = Readonly<Record<'success' | 'failure' | 'timeout' | 'aborted', number>>;

/** One proxy's counts since the start. */
export interface ProxySeries {
  /** Its id; `other` for all that are not counted or shown apart. */
  readonly proxyId: string;
  readonly attempts: AttemptCounts;
  /** Absent for `other`. */
  readonly circuit?: CircuitState | undefined;
}

/** One target's counts since the start. */
export interface TargetSeries {
  /** Its origin; `other` for all that are not counted or shown apart. */
  readonly origin: string;
  readonly attempts: AttemptCounts;
}
