import type { Backoff } from './backoff.ts';
import { checkOptions } from './check-options.ts';
import { jittered, type JitterOptions } from './jitter.ts';

/**
 * The options of `exponential()`. One that is unknown, of a wrong type or out of its bounds is refused with a TypeError
 * or RangeError that names it.
 */
export interface ExponentialOptions extends JitterOptions {
  /** The first delay in ms, ≥ 0. Default 1,000. */
  readonly baseMs?: number | undefined;
  /** What each delay is of the one before, ≥ 1. Default 2. */
  readonly multiplier?: number | undefined;
  /** The longest delay in ms, jitter included; ≥ baseMs. Default 30,000, or baseMs if longer. */
  readonly maxMs?: number | undefined;
}

const rules = {
  baseMs: 0,
  multiplier: 1,
  maxMs: 0,
  jitter: '',
  random: 'function',
} as const;

/**
 * Delays that grow by a factor: min(maxMs, baseMs · multiplier^retry), then the jitter.
 *
 * With the defaults, in ms:
 *
 * | retry      |       0 |       1 |       2 |       3 |        4 |        5 |        6 |
 * | ---------- | ------: | ------: | ------: | ------: | -------: | -------: | -------: |
 * | no jitter  |   1,000 |   2,000 |   4,000 |   8,000 |   16,000 |   30,000 |   30,000 |
 * | `full`     | 0–1,000 | 0–2,000 | 0–4,000 | 0–8,000 | 0–16,000 | 0–30,000 | 0–30,000 |
 *
 * Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 *
 * @throws {TypeError | RangeError} On an option that is unknown, no finite number or out of bounds.
 */
export function exponential(options: ExponentialOptions = {}): Backoff {
  checkOptions(options, rules);
  const { baseMs = 1000, multiplier = 2, maxMs = Math.max(30_000, baseMs) } = options;
  return jittered(
    options,
    baseMs,
    maxMs,
    (retry) =>
      // The power grows to Infinity, which the cap takes; but 0 times that would be NaN.
      baseMs && baseMs * multiplier ** retry,
  );
}
