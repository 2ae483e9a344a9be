import { rateWindow, type RateOptions } from './rate-window.ts';
import type { TripRule } from './trip-rule.ts';

export type FailureRateOptions = RateOptions;

/**
 * Opens when failures / calls ≥ `ratio` with at least `minimumCalls` in the window; checked on
 * every outcome, so a success can be the call that opens. A window of time has ten buckets and
 * remembers up to one bucket more than `windowMs`, never less.
 */
export function failureRate(options: FailureRateOptions): TripRule {
  return rateWindow(options, 'failure_rate', (failed) => failed);
}
