import type { Backoff } from './backoff.ts';
import type { RetryBudget } from './retry-budget.ts';

/** What `onRetry` hears before the delay of a retry. */
export interface RetryEvent {
  /** The attempt that failed; 0 is the first try. */
  readonly attempt: number;
  /** What it failed with; undefined when `shouldRetryResult` asked for the retry. */
  readonly error: unknown;
  /** What it resolved with, when `shouldRetryResult` asked for the retry. */
  readonly result: unknown;
  /** Milliseconds until the next attempt. */
  readonly delayMs: number;
}

/**
 * The options of `retry()`, which rejects with a TypeError or RangeError that names the option when one is unknown, of a
 * wrong type or out of its bounds.
 */
export interface RetryOptions<T = unknown> {
  /** Attempts in all, the first try included: an integer ≥ 1, or Infinity. Default 3. */
  readonly maxAttempts?: number | undefined;
  /** How long to wait before each retry. Default `exponential()`: 1 s, 2 s, 4 s … to 30 s. */
  readonly backoff?: Backoff | undefined;
  /**
   * Whether an error is worth another attempt; `attempt` 0 is the first try. Asked while attempts are
   * left. It returns at once: a promise would count as a yes. What it throws ends the retry. Default:
   * every error is, except the refusal of a circuit breaker (code `CIRCUIT_OPEN`).
   */
  readonly shouldRetry?: ((error: unknown, attempt: number) => boolean) | undefined;
  /**
   * Whether a result is worth another attempt, as a response of status 503 may be. Asked about each
   * result, at once. When no further attempt may be made, `retry()` resolves with the last result.
   * Default: none is.
   */
  readonly shouldRetryResult?: ((result: T, attempt: number) => boolean) | undefined;
  /**
   * The least delay in ms before the next attempt, finite and ≥ 0, or undefined for none: what a
   * `Retry-After` asks for. Given the error, or the result that `shouldRetryResult` refused. Neither
   * jittered nor capped (but by `timeoutMs`). Default: none.
   */
  readonly retryAfter?: ((failure: unknown, attempt: number) => number | undefined) | undefined;
  /**
   * Bounds everything, in ms, ≥ 1: a running attempt is cut at it, and a retry that could not start
   * before it is not waited for. Rejects with `RetryTimeoutError`. Default: no bound.
   */
  readonly timeoutMs?: number | undefined;
  /** Bounds each attempt, in ms, ≥ 1. It then fails with `RetryAttemptTimeoutError`. Default: no bound. */
  readonly attemptTimeoutMs?: number | undefined;
  /** Ends everything at once when aborted: rejects with its reason itself. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Earns from each success, is charged for each retry. When it refuses, the failure surfaces at once.
   * Share one among all calls to the same target. Default: none.
   */
  readonly budget?: Pick<RetryBudget, 'deposit' | 'tryWithdraw'> | undefined;
  /** Hears of each retry before its delay. It is not waited for, and its errors are ignored. Default: none. */
  readonly onRetry?: ((event: RetryEvent) => unknown) | undefined;
  /**
   * Milliseconds that never step back: what `timeoutMs` is measured by. The waiting itself is done by
   * `setTimeout`. Default `performance.now`.
   */
  readonly now?: (() => number) | undefined;
}

/** What each of them must be. */
export const retryRules = {
  maxAttempts: '',
  backoff: 'object',
  shouldRetry: 'function',
  shouldRetryResult: 'function',
  retryAfter: 'function',
  timeoutMs: 1,
  attemptTimeoutMs: 1,
  signal: 'object',
  budget: 'object',
  onRetry: 'function',
  now: 'function',
} as const;
