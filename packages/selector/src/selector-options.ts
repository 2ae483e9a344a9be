import type { Blame, Outcome, WhirlBus } from '@whirl/events';
import type { Strategy } from './strategy.ts';

/** The options of a `Selector`. One that is unknown or of a wrong type is refused with a TypeError that names it. */
export interface SelectorOptions {
  /** How a candidate is picked; `use()` changes it. Default `adaptive()`. */
  readonly strategy?: Strategy | undefined;
  /** Epoch milliseconds. Default `performance.timeOrigin + performance.now()`. */
  readonly now?: (() => number) | undefined;
  /** A number ≥ 0 and < 1. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** A bus to learn from: attempts, circuits and bans. Default: none; then `end()`, `circuitChanged()` and `ban()` teach. */
  readonly bus?: Pick<WhirlBus, 'on'> | undefined;
}

/** A candidate that was selected. */
export interface Selection {
  readonly id: string;
  /** True when every available candidate was excluded: the least recently used of them. */
  readonly reused: boolean;
}

/** How an attempt ended. */
export interface AttemptOutcome {
  readonly id: string;
  /** `aborted` and `circuit_open` say nothing about the candidate. */
  readonly outcome: Outcome;
  /** Milliseconds, 0 to 10^12. */
  readonly latencyMs: number;
  /** The target of the attempt, any non-empty string. Default: none; nothing is learned of the candidate there. */
  readonly target?: string | undefined;
  /**
   * What is to blame for the outcome. `proxy` counts against the candidate; `route` against it at this `target`
   * alone; `target`, `unknown` and `caller` teach nothing. Default: `none` for a success, `proxy` otherwise.
   */
  readonly blame?: Blame | undefined;
}
