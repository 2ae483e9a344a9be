import { spread, type Jitter } from './jitter.ts';
import { chance, jitterOf, known, number } from './validate.ts';

/** Delays between attempts: immutable, stateless, O(1). */
export interface Backoff {
  /**
   * Milliseconds to wait before a retry; `retry` counts from 0. `previousMs` is the delay before
   * the last retry: only decorrelated jitter reads it.
   */
  delay(retry: number, previousMs?: number): number;
}

interface CommonOptions {
  /** `true` is `proportional` (±50 %). Default none. */
  readonly jitter?: Jitter | boolean | undefined;
  /** Draws from [0, 1). Default `Math.random`. */
  readonly random?: (() => number) | undefined;
}

export interface ExponentialOptions extends CommonOptions {
  /** The first delay in ms, ≥ 0. Default 1,000. */
  readonly baseMs?: number | undefined;
  /** ≥ 1. Default 2. */
  readonly multiplier?: number | undefined;
  /** The largest delay in ms, jitter included; ≥ baseMs. Default 30,000 (or baseMs). */
  readonly maxMs?: number | undefined;
}

export interface LinearOptions extends CommonOptions {
  /** The first delay and the step in ms, ≥ 0. Default 1,000. */
  readonly baseMs?: number | undefined;
  /** As for `exponential`. */
  readonly maxMs?: number | undefined;
}

export interface FixedOptions extends CommonOptions {
  /** Every delay in ms, ≥ 0. Default 1,000. */
  readonly baseMs?: number | undefined;
}

function make(
  options: ExponentialOptions,
  names: readonly string[],
  unbounded: boolean,
  raw: (retry: number, baseMs: number) => number,
): Backoff {
  known(options, [...names, 'jitter', 'random']);
  const baseMs = number('baseMs', options.baseMs ?? 1000, 0);
  const maxMs = unbounded
    ? 1.5 * baseMs
    : number('maxMs', options.maxMs ?? Math.max(30_000, baseMs), baseMs);
  const how = { jitter: jitterOf(options.jitter), baseMs, maxMs, random: chance(options.random) };
  return Object.freeze({
    delay: (retry: number, previousMs?: number) =>
      spread(Math.min(maxMs, raw(retry, baseMs)), how, previousMs),
  });
}

/** min(maxMs, baseMs · multiplier^retry): 1000 2000 4000 8000 16000 30000 30000 … */
export function exponential(options: ExponentialOptions = {}): Backoff {
  const multiplier = number('multiplier', options.multiplier ?? 2, 1);
  return make(options, ['baseMs', 'multiplier', 'maxMs'], false, (retry, baseMs) =>
    baseMs === 0 ? 0 : baseMs * multiplier ** retry,
  );
}

/** min(maxMs, baseMs · (retry + 1)): with 2,000: 2000 4000 6000 … */
export function linear(options: LinearOptions = {}): Backoff {
  return make(options, ['baseMs', 'maxMs'], false, (retry, baseMs) => baseMs * (retry + 1));
}

/** Always baseMs. */
export function fixed(options: FixedOptions = {}): Backoff {
  return make(options, ['baseMs'], true, (_, baseMs) => baseMs);
}

/** The given delays in turn; the last one repeats. */
export function sequence(delaysMs: readonly number[]): Backoff {
  if (!Array.isArray(delaysMs) || delaysMs.length === 0) {
    throw new RangeError('delaysMs must be a list of at least one delay');
  }
  const delays = delaysMs.map((each, i) => number(`delaysMs[${i}]`, each, 0));
  return Object.freeze({
    delay: (retry: number) => delays[Math.min(retry, delays.length - 1)] as number,
  });
}
