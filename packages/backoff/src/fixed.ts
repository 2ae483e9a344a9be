import type { Backoff } from './backoff.ts';
import { checkOptions } from './check-options.ts';
import { jittered, type JitterOptions } from './jitter.ts';

/**
 * The options of `fixed()`. One that is unknown, of a wrong type or out of its bounds is refused with a TypeError or
 * RangeError that names it.
 */
export interface FixedOptions extends JitterOptions {
  /** Every delay in ms, ≥ 0. Default 1,000. */
  readonly baseMs?: number | undefined;
}

const rules = { baseMs: 0, jitter: '', random: 'function' } as const;

/**
 * The same delay every time: baseMs, then the jitter, whose cap is 1.5 · baseMs.
 *
 * With `baseMs: 1000`: 1,000 1,000 1,000 … ms; with `jitter: true` each from 500 to 1,500 ms.
 *
 * @throws {TypeError | RangeError} On an option that is unknown, no finite number or out of bounds.
 */
export function fixed(options: FixedOptions = {}): Backoff {
  checkOptions(options, rules);
  const { baseMs = 1000 } = options;
  return jittered(options, baseMs, 1.5 * baseMs, () => baseMs);
}
