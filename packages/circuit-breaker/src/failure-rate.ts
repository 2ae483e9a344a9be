import { rateWindow, type RateOptions } from './rate-window.ts';
import type { TripRule } from './trip-rule.ts';
import { checkNames } from './validate.ts';

export type FailureRateOptions = RateOptions;

/**
 * Opens when failures / calls ≥ `ratio` with at least `minimumCalls` in the window; checked on
 * every outcome, so a success can be the call that opens. A time window has ten buckets and
 * remembers up to one bucket more than `windowMs`, never less.
 */
export function failureRate(options: FailureRateOptions): TripRule {
  checkNames(options, 'ratio windowMs windowSize minimumCalls');
  const make = rateWindow(options);
  return {
    create: () => {
      const window = make();
      return {
        record: (failed, now) => (window.add(failed, now) ? 'failure_rate' : undefined),
        failureCount: (now) => window.bad(now),
        reset: () => window.reset(),
      };
    },
    windowMs: options.windowSize === undefined ? (options.windowMs ?? 60_000) : undefined,
  };
}
