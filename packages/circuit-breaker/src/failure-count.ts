import type { TripRule } from './trip-rule.ts';
import { resolve } from './validate.ts';

export interface FailureCountOptions {
  /** Failures that open. Default 5, a whole number of at least 1. */
  readonly threshold?: number | undefined;
  /** Milliseconds, inclusive: a failure exactly this old counts. Default 60,000, at least 1. */
  readonly windowMs?: number | undefined;
}

/**
 * Opens at the `threshold`-th failure within `windowMs`. Successes erase nothing. Remembers the
 * times of the last `threshold` failures only: exact, and O(1) per call.
 */
export function failureCount(options: FailureCountOptions = {}): TripRule {
  const { threshold, windowMs } = resolve<Required<FailureCountOptions>>(options, {
    threshold: ['a whole number', 5, 1],
    windowMs: ['a number', 60_000, 1],
  }) as Record<keyof FailureCountOptions, number>;
  return {
    create() {
      /** A ring of the last N times: "N within W" is "the last N are all within W". */
      const times: number[] = [];
      let oldest = 0;
      const failureTimes = (now: number) =>
        [...times.slice(oldest), ...times.slice(0, oldest)].filter((at) => now - at <= windowMs);
      return {
        record(failed, now) {
          if (!failed) return undefined;
          const at = now();
          times[oldest] = at;
          oldest = (oldest + 1) % threshold;
          // The oldest answers in O(1); counting all is for a clock that stepped back.
          return at - times[oldest]! <= windowMs && failureTimes(at).length === threshold
            ? 'failures'
            : undefined;
        },
        failureCount: (now) => failureTimes(now).length,
        failureTimes,
      };
    },
  };
}
