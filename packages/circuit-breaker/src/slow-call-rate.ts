import { rateWindow, type RateOptions } from './rate-window.ts';
import type { TripRule } from './trip-rule.ts';
import { check } from './validate.ts';

/** The options of `slowCallRate()`. A bad one is refused with a TypeError or RangeError that names it. */
export interface SlowCallRateOptions extends RateOptions {
  /** A call is slow when it took longer than this many milliseconds. ≥ 0. */
  readonly slowMs: number;
}

/**
 * Opens when slow calls / calls ≥ `ratio`, whether they succeeded or not. Pass `durationMs` to
 * `succeed` and `fail`; `execute` measures it. `failureCount` is then the count of slow calls.
 */
export function slowCallRate(options: SlowCallRateOptions): TripRule {
  const { slowMs, ...rate } = options;
  check('slowMs', slowMs, [0, false, 0]);
  const isSlow = (_failed: boolean, durationMs: number) => durationMs > slowMs;
  return { ...rateWindow(rate, 'slow_calls', isSlow), needsDuration: true };
}
