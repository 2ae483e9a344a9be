import { Attempt, type TaskContext } from './attempt.ts';
import { longestDelayMs } from './backoff.ts';
import { check, checkOptions, refuse } from './check-options.ts';
import { exponential } from './exponential.ts';
import { RetryAttemptTimeoutError, RetryTimeoutError } from './retry-errors.ts';
import { retryRules, type RetryEvent, type RetryOptions } from './retry-options.ts';
import { wait } from './wait.ts';

const defaultBackoff = /* @__PURE__ */ exponential();

const defaultNow = () => performance.now();

type Coded = { readonly code?: unknown; readonly cause?: unknown } | null | undefined;

/** A circuit that is open refuses each attempt. */
const defaultShouldRetry = (error: unknown) => (error as Coded)?.code !== 'CIRCUIT_OPEN';

const lateMessage = (ms: number) => `did not end within ${ms} ms`;

/**
 * Calls `task` until it succeeds, at most `maxAttempts` times, and resolves with what it gave.
 *
 * With the defaults a task that takes no time and always fails is called at 0, 1,000 and 3,000 ms.
 * A delay of 0 uses no timer; no timer and no signal is made unless something asks for it.
 *
 * Resolves with a result that `shouldRetryResult` refused when no further attempt may be made. Rejects,
 * and never throws, with
 * - the last error itself, when attempts, `shouldRetry` or the budget allow no further one;
 * - the cause of an `AbortRetry` that the task threw;
 * - `signal.reason` itself, when the caller aborted;
 * - `RetryTimeoutError`, with the last failure as its cause, when `timeoutMs` does not suffice;
 * - `TypeError` or `RangeError` on a bad option, before the task is called; that an object has the methods
 *   of its type is left to the types.
 */
export async function retry<T>(
  task: (context: TaskContext) => Promise<T> | T,
  options?: RetryOptions<T>,
): Promise<T> {
  check('task', task, 'function');
  if (options !== undefined) checkOptions(options, retryRules);
  const {
    maxAttempts = 3,
    backoff = defaultBackoff,
    shouldRetry = defaultShouldRetry,
    shouldRetryResult,
    retryAfter,
    timeoutMs = Infinity,
    attemptTimeoutMs = Infinity,
    signal,
    budget,
    onRetry,
    now = defaultNow,
  } = options ?? {};
  if (maxAttempts !== Infinity) check('maxAttempts', maxAttempts, 1);
  if (maxAttempts % 1) refuse('maxAttempts', 'an integer', maxAttempts);
  const isTimed = Math.min(timeoutMs, attemptTimeoutMs) < Infinity;
  const endsAt = timeoutMs < Infinity ? now() + timeoutMs : Infinity;
  let previousMs: number | undefined;
  /** The error of the last attempt, or its result. */
  let outcome: unknown;
  let failed = false;
  let isOver = false;

  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    const leftMs = timeoutMs < Infinity ? endsAt - now() : Infinity;
    // The delay may have taken longer than it was meant to.
    if (leftMs <= 0) throw new RetryTimeoutError(lateMessage(timeoutMs), { cause: outcome });
    const context = new Attempt(attempt, isTimed ? undefined : signal);
    failed = false;
    try {
      outcome = await (isTimed || signal
        ? wait<T>(
            Math.min(leftMs, attemptTimeoutMs),
            signal,
            async () => task(context),
            () => {
              isOver = leftMs <= attemptTimeoutMs;
              const error = isOver
                ? new RetryTimeoutError(lateMessage(timeoutMs), { cause: outcome })
                : new RetryAttemptTimeoutError(lateMessage(attemptTimeoutMs));
              context.cut(error);
              return error;
            },
          )
        : task(context));
    } catch (error) {
      if (signal?.aborted) context.cut(signal.reason);
      signal?.throwIfAborted();
      if ((error as Coded)?.code === 'ABORT_RETRY') throw (error as Error).cause;
      failed = true;
      outcome = error;
    }
    if (!failed && !shouldRetryResult?.(outcome as T, attempt)) {
      budget?.deposit();
      return outcome as T;
    }
    if (isOver || attempt + 1 >= maxAttempts || (failed && !shouldRetry(outcome, attempt))) break;
    previousMs = backoff.delay(attempt, previousMs);
    const leastMs = retryAfter?.(outcome, attempt) ?? 0;
    check('retryAfter', leastMs, 0);
    const delayMs = Math.min(Math.max(previousMs, leastMs), longestDelayMs);
    check('delay', delayMs, 0);
    if (now() + delayMs >= endsAt) {
      if (failed) throw new RetryTimeoutError(lateMessage(timeoutMs), { cause: outcome });
      break;
    }
    if (budget?.tryWithdraw() === false) break;
    // Whatever a listener does, the retry goes on.
    // Named, so that no closure catches variables of the loop, which would cost every attempt.
    const event = { attempt, [failed ? 'error' : 'result']: outcome, delayMs };
    (async () => onRetry?.(event as unknown as RetryEvent))().catch(() => {});
    signal?.throwIfAborted();
    if (delayMs > 0) await wait(delayMs, signal);
  }
  if (failed) throw outcome;
  return outcome as T;
}
