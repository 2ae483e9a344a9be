import { rateWindow, type RateOptions } from './rate-window.ts';
import type { TripRule } from './trip-rule.ts';
import { checkNames, checkNumber } from './validate.ts';

export interface SlowCallRateOptions extends RateOptions {
  /** A call is slow when it took longer than this many milliseconds. At least 0. */
  readonly slowMs: number;
}

/**
 * Opens when slow calls / calls ≥ `ratio`, whether they succeeded or not. Pass `durationMs` to
 * `succeed` and `fail`; `execute` measures it. `failureCount` is then the count of slow calls.
 */
export function slowCallRate(options: SlowCallRateOptions): TripRule {
  checkNames(options, 'slowMs ratio windowMs windowSize minimumCalls');
  const slowMs = checkNumber('slowMs', options.slowMs, 0);
  const make = rateWindow(options);
  return {
    create: () => {
      const window = make();
      return {
        record: (_failed, now, durationMs) =>
          window.add(durationMs > slowMs, now) ? 'slow_calls' : undefined,
        failureCount: (now) => window.bad(now),
        reset: () => window.reset(),
      };
    },
    needsDuration: true,
    windowMs: options.windowSize === undefined ? (options.windowMs ?? 60_000) : undefined,
  };
}
