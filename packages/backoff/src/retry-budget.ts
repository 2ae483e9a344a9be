import { check, checkOptions } from './check-options.ts';

/** Bounds retries to a share of the traffic, so that they never multiply an outage. */
export interface RetryBudget {
  /** Earns `ratio` of a retry. Call it for each success: an outage then earns nothing. */
  deposit(): void;
  /** Spends one retry. When not a whole one is left: false, and counted in `refused`. */
  tryWithdraw(): boolean;
  /** Whole retries that could be made now. */
  readonly balance: number;
  /** How often `tryWithdraw` said no. */
  readonly refused: number;
  /**
   * Processes that share what does not depend on traffic: each has `minPerSecond` and `capacity` divided by
   * it. A number ≥ 1, default 1; may be set at any time. Absent from a budget that cannot be shared.
   */
  share?: number | undefined;
}

/**
 * The options of `createRetryBudget()`. One that is unknown, of a wrong type, not finite or out of its bounds is refused
 * with a TypeError or RangeError that names it.
 */
export interface RetryBudgetOptions {
  /** Retries that each deposit earns, ≥ 0, in steps of a millionth. Default 0.2. */
  readonly ratio?: number | undefined;
  /** Retries granted each second besides, ≥ 0. Default 10. */
  readonly minPerSecond?: number | undefined;
  /** How long a deposit lasts, in ms, ≥ 1. Default 10,000. */
  readonly ttlMs?: number | undefined;
  /** The most retries that deposits can save up, ≥ 1. Default 500. */
  readonly capacity?: number | undefined;
  /** Milliseconds that never step back. Default `performance.now`. */
  readonly now?: (() => number) | undefined;
}

const rules = { ratio: 0, minPerSecond: 0, ttlMs: 1, capacity: 1, now: 'function' } as const;

/** A retry in millionths: whole numbers add up exactly, where ten thousand times 0.2 would not. */
const whole = 1_000_000;

/**
 * Makes a budget of two purses. Deposits earn `ratio` retries each and last `ttlMs` (at least 99 %
 * of it: they expire by the hundredth), together at most `capacity`. The reserve fills by
 * `minPerSecond` up to minPerSecond · ttlMs, and starts with one second's worth, so that little
 * traffic can retry too. Deposits are spent first, the oldest before all.
 *
 * With the defaults:
 *
 * | traffic                                         | retries granted                         |
 * | ----------------------------------------------- | --------------------------------------- |
 * | none yet                                        | 10                                      |
 * | 100 successes a second                          | 20 a second of deposits, 10 of reserve  |
 * | 1,000 successes a second, then everything fails | 500 saved, 100 reserve, then 10 a second |
 *
 * Source: the retry budget of Twitter's Finagle has these deposits and this reserve; the capacity is
 * ours. O(1), no timer, bounded memory.
 *
 * @throws {TypeError | RangeError} On an option that is unknown, no finite number or out of bounds.
 */
export function createRetryBudget(
  options: RetryBudgetOptions = {},
): RetryBudget & { share: number } {
  checkOptions(options, rules);
  const { ratio = 0.2, minPerSecond = 10, ttlMs = 10_000, capacity = 500 } = options;
  const { now = () => performance.now() } = options;
  const earns = Math.round(ratio * whole);
  const perMs = minPerSecond * 1000;
  let share = 1;
  let reserveLimit = perMs * ttlMs;
  let reserve = Math.min(perMs * 1000, reserveLimit);
  let at = now();
  /** Deposits made within a hundredth of `ttlMs` share a purse: there are never more than 101. */
  const purses: { readonly untilMs: number; left: number }[] = [];
  let saved = 0;
  let limit = capacity * whole;
  let refused = 0;

  const catchUp = () => {
    // A clock that steps back is waited for.
    const passedMs = Math.max(0, now() - at);
    at += passedMs;
    reserve = Math.min(reserveLimit, reserve + (perMs / share) * passedMs);
    while (purses[0] && purses[0].untilMs < at) saved -= purses.shift()!.left;
    return saved + reserve;
  };

  /** Takes as much as there is of it from the purses, the oldest first; returns what is missing. */
  const take = (wanted: number) => {
    for (const purse of purses) {
      const taken = Math.min(wanted, purse.left);
      purse.left -= taken;
      saved -= taken;
      wanted -= taken;
    }
    return wanted;
  };

  return {
    deposit() {
      catchUp();
      const earned = Math.min(earns, limit - saved);
      const last = purses.at(-1);
      if (last && at < last.untilMs - 0.99 * ttlMs) last.left += earned;
      else purses.push({ untilMs: at + ttlMs, left: earned });
      saved += earned;
    },
    tryWithdraw() {
      if (catchUp() < whole) {
        refused++;
        return false;
      }
      reserve -= take(whole);
      return true;
    },
    get balance() {
      return Math.floor(catchUp() / whole);
    },
    get refused() {
      return refused;
    },
    get share() {
      return share;
    },
    set share(processes) {
      check('share', processes, 1);
      catchUp();
      if (processes > share) reserve *= share / processes;
      share = processes;
      reserveLimit = (perMs * ttlMs) / share;
      limit = (capacity * whole) / share;
      if (saved > limit) take(saved - limit);
    },
  };
}
