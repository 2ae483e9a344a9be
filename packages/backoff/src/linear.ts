import type { Backoff } from './backoff.ts';
import { checkOptions } from './check-options.ts';
import { jittered, type JitterOptions } from './jitter.ts';

/**
 * The options of `linear()`. One that is unknown, of a wrong type or out of its bounds is refused with a TypeError or
 * RangeError that names it.
 */
export interface LinearOptions extends JitterOptions {
  /** The first delay in ms, and what each is longer than the one before; ≥ 0. Default 1,000. */
  readonly baseMs?: number | undefined;
  /** The longest delay in ms, jitter included; ≥ baseMs. Default 30,000, or baseMs if longer. */
  readonly maxMs?: number | undefined;
}

const rules = { baseMs: 0, maxMs: 0, jitter: '', random: 'function' } as const;

/**
 * Delays that grow by a step: min(maxMs, baseMs · (retry + 1)), then the jitter.
 *
 * With `baseMs: 2000`, in ms:
 *
 * | retry |     0 |     1 |     2 |     3 | … |     14 |     15 |
 * | ----- | ----: | ----: | ----: | ----: | - | -----: | -----: |
 * | delay | 2,000 | 4,000 | 6,000 | 8,000 | … | 30,000 | 30,000 |
 *
 * @throws {TypeError | RangeError} On an option that is unknown, no finite number or out of bounds.
 */
export function linear(options: LinearOptions = {}): Backoff {
  checkOptions(options, rules);
  const { baseMs = 1000, maxMs = Math.max(30_000, baseMs) } = options;
  return jittered(options, baseMs, maxMs, (retry) => baseMs * (retry + 1));
}
