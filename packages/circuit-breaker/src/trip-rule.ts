import type { CircuitReason } from '@whirl/events';

/** When to open: an immutable description. Each breaker asks it for a window of its own. */
export interface TripRule {
  /** Makes an empty memory for one breaker, whenever that one has to start afresh. */
  readonly create: () => TripWindow;
  /** Whether `record` must be told how long a call took; `execute` then measures it. */
  readonly needsDuration?: boolean | undefined;
}

/** What one breaker remembers of its calls while closed; dropped when it closes again. */
export interface TripWindow {
  /**
   * Records an outcome; returns the reason to open if the rule's condition now holds. `now` is
   * asked only by a rule that needs the time: reading a clock costs more than all the rest.
   */
  record(failed: boolean, now: () => number, durationMs: number): CircuitReason | undefined;
  /** The failures that count at `now`. A pure read. */
  failureCount(now: number): number;
  /** When they happened, oldest first, where the rule knows. A pure read. */
  failureTimes?(now: number): number[];
}
