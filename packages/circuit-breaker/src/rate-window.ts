import type { CircuitReason } from '@whirl/events';
import type { TripRule } from './trip-rule.ts';
import { check, resolve } from './validate.ts';

/** The options of `failureRate()`. A bad one is refused with a TypeError or RangeError that names it. */
export interface RateOptions {
  /** Opens at this share, inclusive. From 0.000001 to 1. */
  readonly ratio: number;
  /** The window in milliseconds. ≥ 1, default 60,000; excludes `windowSize`. */
  readonly windowMs?: number | undefined;
  /** The window in calls. An integer ≥ 1; excludes `windowMs`. Default: a window of time. */
  readonly windowSize?: number | undefined;
  /**
   * Calls in the window before the rate counts. An integer ≥ 1 and ≤ `windowSize`. Default 10, or `windowSize` if that
   * is smaller.
   */
  readonly minimumCalls?: number | undefined;
}

type Resolved = Record<keyof RateOptions, number>;

/**
 * The counting under `failureRate` and `slowCallRate`: a ring of slots, each with its calls and the
 * bad ones among them. In a window of calls a slot is one call. In a window of time it is a tenth
 * of `windowMs`, and there is one slot more than buckets, the one being filled: so the window
 * remembers up to one bucket more than `windowMs`, never less, at any phase of the clock.
 */
export function rateWindow(
  options: RateOptions,
  reason: CircuitReason,
  isBad: (failed: boolean, durationMs: number) => boolean,
): TripRule {
  const buckets = 10;
  check('ratio', options?.ratio, [0, false, 1e-6, 1]);
  const { ratio, windowMs, windowSize, minimumCalls } = resolve<Resolved>(options, {
    ratio: [0, false, 0],
    windowMs: [0],
    windowSize: [0, true],
    minimumCalls: [Math.min(10, options.windowSize ?? 10), true, 1, options.windowSize],
  });
  if (windowSize && windowMs) throw new TypeError('windowMs excludes windowSize');
  const slots = windowSize || buckets + 1;
  return {
    create() {
      const calls = [0];
      const bads = [0];
      let callTotal = 0;
      let badTotal = 0;
      let slot = 0;
      /** What `slot` stands for: a call by its number, or a bucket of time. */
      let bucket = 0;
      const turnTo = (now: number) => {
        const to = windowSize ? bucket + 1 : Math.floor((now * buckets) / (windowMs || 60_000));
        // A clock that stepped back goes on in the bucket that is being filled.
        for (let turns = Math.min(to - bucket, slots); turns > 0; turns--) {
          slot = (slot + 1) % slots;
          callTotal -= calls[slot] ?? 0;
          badTotal -= bads[slot] ?? 0;
          calls[slot] = bads[slot] = 0;
        }
        bucket = Math.max(bucket, to);
      };
      return {
        record(failed, now, durationMs) {
          turnTo(windowSize ? 0 : now());
          callTotal++;
          calls[slot]!++;
          if (isBad(failed, durationMs)) {
            badTotal++;
            bads[slot]!++;
          }
          return callTotal >= minimumCalls && badTotal / callTotal >= ratio ? reason : undefined;
        },
        failureCount(now) {
          // Drops what has expired, and nothing else: a read changes no result.
          if (!windowSize) turnTo(now);
          return badTotal;
        },
      };
    },
  };
}
