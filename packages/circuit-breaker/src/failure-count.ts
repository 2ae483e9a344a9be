import type { TripRule } from './trip-rule.ts';
import { resolve } from './validate.ts';

/** The options of `failureCount()`. A bad one is refused with a TypeError or RangeError that names it. */
export interface FailureCountOptions {
  /** Failures that open. An integer ≥ 1, default 5. */
  readonly threshold?: number | undefined;
  /** Milliseconds, inclusive: a failure exactly this old counts. ≥ 1, default 60,000. */
  readonly windowMs?: number | undefined;
}

/**
 * Opens at the `threshold`-th failure within `windowMs`. Successes erase nothing. Remembers
 * the times of at most 2 · `threshold` failures: exact, and O(1) per call.
 */
export function failureCount(options?: FailureCountOptions): TripRule {
  const resolved = resolve<Record<keyof FailureCountOptions, number>>(options, {
    threshold: [5, true],
    windowMs: [60_000],
  });
  return countFailures(resolved.threshold, resolved.windowMs);
}

/** `failureCount` of numbers that were checked. */
export function countFailures(threshold: number, windowMs: number): TripRule {
  return {
    create() {
      const times: number[] = [];
      const failureTimes = (now: number) =>
        times.slice(-threshold).filter((at) => now - at <= windowMs);
      return {
        record(failed, now) {
          if (!failed) return undefined;
          const at = now();
          if (times.push(at) > 2 * threshold) times.splice(0, threshold);
          // "N within W" is "the last N are all within W". The oldest of them decides in O(1); counting
          // all is for a clock that stepped back.
          return at - times.at(-threshold)! <= windowMs && failureTimes(at).length === threshold
            ? 'failures'
            : undefined;
        },
        failureCount: (now) => failureTimes(now).length,
        failureTimes,
      };
    },
  };
}
