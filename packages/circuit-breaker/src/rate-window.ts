import type { CircuitReason } from '@whirl/events';
import type { TripRule } from './trip-rule.ts';
import { count, resolve } from './validate.ts';

export interface RateOptions {
  /** Opens at this share, inclusive. From 0.000001 to 1. */
  readonly ratio: number;
  /** The window in milliseconds. Default 60,000, at least 1; excludes `windowSize`. */
  readonly windowMs?: number | undefined;
  /** The window in calls. A whole number of at least 1; excludes `windowMs`. */
  readonly windowSize?: number | undefined;
  /** Calls in the window before the rate counts. Default 10, or `windowSize` if smaller. */
  readonly minimumCalls?: number | undefined;
}

const buckets = 10;

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
  const size = options?.windowSize;
  const { ratio, windowMs, minimumCalls } = resolve<Resolved>(options, {
    ratio: ['a number', 'nothing', 1e-6, 1],
    // They exclude each other.
    ...(size === undefined ? { windowMs: ['a number', 60_000, 1] } : { windowSize: count }),
    minimumCalls: ['a whole number', size! < 10 ? size : 10, 1, size],
  });
  const slots = size ?? buckets + 1;
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
        const to = size ? bucket + 1 : Math.floor((now * buckets) / windowMs);
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
          turnTo(size ? 0 : now());
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
          if (!size) turnTo(now);
          return badTotal;
        },
      };
    },
  };
}
