import { longestDelayMs, type Backoff } from './backoff.ts';
import { check, refuse } from './check-options.ts';

/**
 * How a delay is spread, so that clients that failed together do not come back together. With d the
 * delay after the cap, U a uniform draw and `previous` the delay before (at first `baseMs`):
 *
 * | jitter         | delay                                    | d = 1,000, cap 30,000 | d at the cap    |
 * | -------------- | ---------------------------------------- | --------------------- | --------------- |
 * | `none`         | d                                        | 1,000                 | 30,000          |
 * | `full`         | U[0, d]                                  | 0 – 1,000             | 0 – 30,000      |
 * | `equal`        | U[d/2, d]                                | 500 – 1,000           | 15,000 – 30,000 |
 * | `proportional` | U[d/2, min(1.5·d, cap)]                  | 500 – 1,500           | 15,000 – 30,000 |
 * | `decorrelated` | min(cap, U[base, max(base, 3·previous)]) | 1,000 – 3,000         | 1,000 – 30,000  |
 *
 * The cap comes before the jitter and bounds its result, and does not swallow it: drawing first and
 * cutting off afterwards would send all callers at the cap back in the same instant. `decorrelated`, whose
 * formula does cut off, returns the cap itself in two of three draws there.
 *
 * Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015, for `full`,
 * `equal` and `decorrelated`.
 */
export type Jitter = 'none' | 'proportional' | 'full' | 'equal' | 'decorrelated';

/**
 * How a backoff spreads its delays. An option that is unknown, of a wrong type or out of its bounds is refused with a
 * TypeError or RangeError that names it.
 */
export interface JitterOptions {
  /** How each delay is spread; `true` is `proportional` (±50 %), `false` is `none`. Default `none`. */
  readonly jitter?: Jitter | boolean | undefined;
  /** Draws from [0, 1). Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

/** From where to where the draw goes, of d, the cap, the base and the delay before. */
type Range = (d: number, maxMs: number, baseMs: number, previousMs: number) => [number, number];

const ranges: Readonly<Record<`${Jitter | boolean}`, Range>> = {
  false: (d) => [d, d],
  none: (d) => [d, d],
  full: (d) => [0, d],
  equal: (d) => [d / 2, d],
  true: (d, maxMs) => [d / 2, Math.min(1.5 * d, maxMs)],
  proportional: (d, maxMs) => [d / 2, Math.min(1.5 * d, maxMs)],
  decorrelated: (_, maxMs, baseMs, previousMs) => [
    baseMs,
    Math.max(baseMs, 3 * Math.min(previousMs, maxMs)),
  ],
};

/**
 * A backoff of `raw(retry)`, capped at `maxMs`, then jittered.
 *
 * @throws {TypeError | RangeError} When the cap is below the base, or `jitter` is unknown.
 */
export function jittered(
  { jitter = 'none', random = Math.random }: JitterOptions,
  baseMs: number,
  maxMs: number,
  raw: (retry: number) => number,
): Backoff {
  check('maxMs', maxMs, baseMs);
  const kind = String(jitter) as Jitter;
  if (!Object.hasOwn(ranges, kind))
    refuse('jitter', 'one of ' + Object.keys(ranges), typeof jitter);
  const range = ranges[kind];
  const capMs = Math.min(maxMs, longestDelayMs);
  return Object.freeze({
    delay(retry: number, previousMs = baseMs) {
      check('retry', retry, 0);
      const [least, most] = range(Math.min(capMs, raw(retry)), capMs, baseMs, previousMs);
      return Math.min(capMs, least < most ? least + random() * (most - least) : least);
    },
  });
}
