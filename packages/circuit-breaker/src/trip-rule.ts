import type { CircuitReason } from '@whirl/events';

/** When to open: an immutable description. Each breaker asks it for a window of its own. */
export interface TripRule {
  /** Makes the memory of one breaker. Two calls share nothing. */
  readonly create: () => TripWindow;
  /** Whether `record` must be told how long a call took; `execute` then measures it. */
  readonly needsDuration?: boolean | undefined;
  /** Whether successes change nothing, so that the breaker need not read the clock for them. */
  readonly ignoresSuccess?: boolean | undefined;
  /** For reports: the number of failures that opens, where the rule has one. */
  readonly failureThreshold?: number | undefined;
  /** For reports: the length of the window in milliseconds, where the rule has one. */
  readonly windowMs?: number | undefined;
}

/** What one breaker remembers of its calls while closed. */
export interface TripWindow {
  /** Remembers an outcome; answers the reason to open if the rule's condition now holds. */
  record(failed: boolean, now: number, durationMs: number): CircuitReason | undefined;
  /** The failures that count at `now`. A pure read. */
  failureCount(now: number): number;
  /** When they happened, oldest first, where the rule knows. A pure read. */
  readonly failureTimes?: ((now: number) => number[]) | undefined;
  /** Forgets everything. */
  reset(): void;
}
