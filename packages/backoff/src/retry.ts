import { Attempt, type TaskContext } from './attempt.ts';
import { longestDelayMs } from './backoff.ts';
import { check, checkOptions, refuse } from './check-options.ts';
import { exponential } from './exponential.ts';
import { AttemptTimeoutError, RetryTimeoutError } from './retry-errors.ts';
import { retryRules, type RetryOptions } from './retry-options.ts';
import { wait } from './wait.ts';

const noOptions: RetryOptions = {};
const defaultBackoff = /* @__PURE__ */ exponential();

/**
 * Calls `task` until it succeeds, at most `maxAttempts` times, and resolves with what it gave.
 *
 * With the defaults a task that takes no time and always fails is called at 0, 1,000 and 3,000 ms.
 * A delay of 0 uses no timer; no timer and no signal is made unless something asks for it.
 *
 * Rejects, and never throws, with
 * - the last failure itself, when attempts, `shouldRetry` or the budget allow no further one;
 * - `signal.reason` itself, when the caller aborted;
 * - `RetryTimeoutError`, with the last failure as its cause, when `timeoutMs` does not suffice;
 * - `TypeError` or `RangeError` on a bad option, before the task is called; that an object has the methods
 *   of its type is left to the types.
 */
export async function retry<T>(
  task: (context: TaskContext) => Promise<T> | T,
  options: RetryOptions = noOptions,
): Promise<T> {
  check('task', task, 'function');
  if (options !== noOptions) checkOptions(options, retryRules);
  const {
    maxAttempts = 3,
    backoff = defaultBackoff,
    shouldRetry,
    retryAfterMs,
    timeoutMs = Infinity,
    attemptTimeoutMs = Infinity,
    signal,
    budget,
    onRetry,
  } = options;
  if (maxAttempts % 1) refuse('maxAttempts', 'whole', maxAttempts);
  const isTimed = Math.min(timeoutMs, attemptTimeoutMs) < Infinity;
  const endsAt = timeoutMs < Infinity ? performance.now() + timeoutMs : Infinity;
  let previousMs: number | undefined;
  let failure: unknown;
  let isOver = false;

  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    const leftMs = timeoutMs < Infinity ? endsAt - performance.now() : Infinity;
    // The delay may have taken longer than it was meant to.
    if (leftMs <= 0) throw new RetryTimeoutError(timeoutMs, failure);
    const context = new Attempt(attempt, isTimed ? undefined : signal);
    let value: T;
    try {
      value = await (isTimed || signal
        ? wait<T>(
            Math.min(leftMs, attemptTimeoutMs),
            signal,
            () => {
              isOver = leftMs <= attemptTimeoutMs;
              const error = isOver
                ? new RetryTimeoutError(timeoutMs, failure)
                : new AttemptTimeoutError(attemptTimeoutMs);
              context.cut(error);
              return Promise.reject(error);
            },
            async () => task(context),
          )
        : task(context));
    } catch (error) {
      if (signal?.aborted) context.cut(signal.reason);
      signal?.throwIfAborted();
      if (isOver || attempt + 1 >= maxAttempts) throw error;
      if (shouldRetry && !shouldRetry(error, attempt)) throw error;
      failure = error;
      previousMs = backoff.delay(attempt, previousMs);
      const leastMs = retryAfterMs?.(error, attempt) ?? 0;
      const delayMs = Math.min(Math.max(previousMs, leastMs), longestDelayMs);
      check('delay', delayMs, 0);
      if (performance.now() + delayMs >= endsAt) {
        throw new RetryTimeoutError(timeoutMs, error);
      }
      if (budget?.tryWithdraw() === false) throw error;
      // Whatever a listener does, the retry goes on.
      (async () => onRetry?.({ attempt, error, delayMs }))().catch(() => {});
      signal?.throwIfAborted();
      if (delayMs > 0) await wait(delayMs, signal, () => {});
      continue;
    }
    budget?.deposit();
    return value;
  }
}
