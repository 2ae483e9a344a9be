import type { CircuitReason } from '@whirl/events';
import type { TripRule, TripWindow } from './trip-rule.ts';
import { checkCount, checkNames, checkNumber } from './validate.ts';

export interface FailureCountOptions {
  /** Failures that open. Default 5, a whole number of at least 1. */
  readonly threshold?: number | undefined;
  /** Milliseconds, inclusive: a failure exactly this old counts. Default 60,000, at least 1. */
  readonly windowMs?: number | undefined;
}

class FailureCountWindow implements TripWindow {
  readonly #threshold: number;
  readonly #windowMs: number;
  /** A ring of the last N times: "N within W" is "the oldest of the last N is within W". */
  #times: number[] | undefined;
  #oldest = 0;

  constructor(threshold: number, windowMs: number) {
    this.#threshold = threshold;
    this.#windowMs = windowMs;
  }

  record(failed: boolean, now: number): CircuitReason | undefined {
    const times = (this.#times ??= []);
    if (failed) {
      if (times.length < this.#threshold) times.push(now);
      else {
        times[this.#oldest] = now;
        this.#oldest = (this.#oldest + 1) % this.#threshold;
      }
    }
    // The full count matters only where the clock stepped back and the ring is out of order.
    return times.length === this.#threshold &&
      now - (times[this.#oldest] as number) <= this.#windowMs &&
      this.failureCount(now) === this.#threshold
      ? 'failures'
      : undefined;
  }

  failureCount(now: number): number {
    let count = 0;
    if (this.#times) for (const time of this.#times) if (now - time <= this.#windowMs) count++;
    return count;
  }

  failureTimes(now: number): number[] {
    const times = this.#times ?? [];
    return [...times.slice(this.#oldest), ...times.slice(0, this.#oldest)].filter(
      (time) => now - time <= this.#windowMs,
    );
  }

  reset(): void {
    this.#times = undefined;
    this.#oldest = 0;
  }
}

/**
 * Opens at the `threshold`-th failure within `windowMs`. Successes erase nothing. Remembers the
 * times of the last `threshold` failures only: exact, and O(1) per call.
 */
export function failureCount(options: FailureCountOptions = {}): TripRule {
  checkNames(options, 'threshold windowMs');
  const threshold = checkCount('threshold', options.threshold ?? 5);
  const windowMs = checkNumber('windowMs', options.windowMs ?? 60_000, 1);
  return {
    create: () => new FailureCountWindow(threshold, windowMs),
    ignoresSuccess: true,
    failureThreshold: threshold,
    windowMs,
  };
}
