import { longestDelayMs, type Backoff } from './backoff.ts';
import { check } from './check-options.ts';

/**
 * The given delays in turn; the last one repeats. `sequence([0, 500, 2000])`: 0 500 2,000 2,000 … ms.
 *
 * @param delaysMs At least one, each ≥ 0. The list is copied.
 * @throws {TypeError | RangeError} When it is no list, empty, or holds what is no such number.
 */
export function sequence(delaysMs: readonly number[]): Backoff {
  check('delaysMs.length', delaysMs?.length, 1);
  const delays = Array.from(delaysMs, (delayMs, i) => {
    check(`delaysMs[${i}]`, delayMs, 0);
    return Math.min(delayMs, longestDelayMs);
  });
  return Object.freeze({
    delay(retry: number) {
      check('retry', retry, 0);
      return delays[Math.min(Math.floor(retry), delays.length - 1)] as number;
    },
  });
}
