import type { CircuitReason, CircuitState } from '@whirl/events';

export interface TripOptions {
  /** Default `'custom'`. */
  readonly reason?: CircuitReason | undefined;
  /** Milliseconds to stay open, exactly; at least 1. Default: as failures would. */
  readonly openMs?: number | undefined;
}

export interface AdoptOptions {
  /** Milliseconds to stay open, exactly; at least 1. Default: as failures would. */
  readonly openMs?: number | undefined;
}

export interface ResetOptions {
  /** Default `'reset'`. */
  readonly reason?: CircuitReason | undefined;
}

/** What `snapshot` returns: a copy that nothing changes. */
export interface CircuitSnapshot {
  readonly name: string;
  readonly state: CircuitState;
  readonly failureCount: number;
  readonly failureTimes: readonly number[];
  readonly generation: number;
  readonly nextTestAt: number | undefined;
  readonly lastTransitionAt: number | undefined;
}

/** Counts since the breaker was made: see `stats`. */
export interface CircuitStats {
  /** Calls that succeeded. */
  readonly successes: number;
  /** Calls that failed. */
  readonly failures: number;
  /** Calls without a verdict: cancelled, or `'ignore'`. */
  readonly ignored: number;
  /** Calls that were not admitted. */
  readonly refused: number;
}
