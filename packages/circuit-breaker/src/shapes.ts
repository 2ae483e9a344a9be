import type { CircuitReason, CircuitState } from '@whirl/events';

/** The options of `trip()`. A bad one is refused with a TypeError or RangeError that names it. */
export interface TripOptions {
  /** What events give as the reason. Default `'custom'`. */
  readonly reason?: CircuitReason | undefined;
  /** Milliseconds to stay open, exactly; ≥ 1. Default: as failures would. */
  readonly openMs?: number | undefined;
}

/** The options of `adopt()`. A bad one is refused with a TypeError or RangeError that names it. */
export interface AdoptOptions {
  /** Milliseconds to stay open, exactly; ≥ 1. Default: as failures would. */
  readonly openMs?: number | undefined;
}

/** The options of `reset()`. A bad one is refused with a TypeError that names it. */
export interface ResetOptions {
  /** What events give as the reason. Default `'reset'`. */
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
