import { exponential, type Backoff } from './delays.ts';
import type { RetryBudget } from './retry-budget.ts';
import { known, number } from './validate.ts';

/** The whole retry did not end within `timeoutMs`. `cause` is the last failure. */
export class RetryTimeoutError extends Error {
  readonly code = 'REQUEST_TIMEOUT';
  constructor(timeoutMs: number, cause?: unknown) {
    super(`did not succeed within ${timeoutMs} ms`, cause === undefined ? undefined : { cause });
    this.name = 'RetryTimeoutError';
  }
}

/** One attempt did not end within `attemptTimeoutMs`. */
export class AttemptTimeoutError extends Error {
  readonly code = 'ATTEMPT_TIMEOUT';
  constructor(timeoutMs: number) {
    super(`the attempt did not end within ${timeoutMs} ms`);
    this.name = 'AttemptTimeoutError';
  }
}

/** What a task is told. */
export interface TaskContext {
  /** 0 for the first try. */
  readonly attempt: number;
  /** Aborted when the attempt is cut; made when it is first read. */
  readonly signal: AbortSignal;
}

export interface RetryOptions {
  /** Attempts in all, the first try included; ≥ 1. Default 3. */
  readonly maxAttempts?: number | undefined;
  /** Default `exponential()`. */
  readonly backoff?: Backoff | undefined;
  /** Whether a failure is worth another attempt. Default: always. */
  readonly shouldRetry?: ((error: unknown, attempt: number) => boolean) | undefined;
  /** Bounds everything, delays included; > 0. Default: no bound. */
  readonly timeoutMs?: number | undefined;
  /** Bounds each attempt; > 0. Default: no bound. */
  readonly attemptTimeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly budget?: RetryBudget | undefined;
  /** Hears of each retry before its delay. What it throws is ignored. */
  readonly onRetry?:
    ((event: { attempt: number; error: unknown; delayMs: number }) => unknown) | undefined;
}

const names = [
  'maxAttempts',
  'backoff',
  'shouldRetry',
  'timeoutMs',
  'attemptTimeoutMs',
  'signal',
  'budget',
  'onRetry',
];
/** setTimeout fires at once above this. */
const longestMs = 2 ** 31 - 1;

class Context implements TaskContext {
  readonly attempt: number;
  #controller: AbortController | undefined;
  #reason: unknown;
  #cut = false;

  constructor(attempt: number) {
    this.attempt = attempt;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#cut) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  cut(reason: unknown): void {
    this.#cut = true;
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

/**
 * Waits for `work`, or for the first of an abort and a deadline. With none of them it is `work`
 * itself. Leaves no timer and no listener behind.
 */
function bounded<T>(
  work: Promise<T> | T,
  signal: AbortSignal | undefined,
  ms: number,
  late: () => unknown,
  cut: (reason: unknown) => void,
): Promise<T> | T {
  if (signal === undefined && ms === Infinity) return work;
  return new Promise<T>((resolve, reject) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const stop = (reason: unknown) => {
      end();
      cut(reason);
      reject(reason as Error);
    };
    const onAbort = () => stop(signal?.reason);
    if (ms !== Infinity) timer = setTimeout(() => stop(late()), Math.min(ms, longestMs));
    signal?.addEventListener('abort', onAbort);
    Promise.resolve(work).then(
      (value) => {
        end();
        resolve(value);
      },
      (error: Error) => {
        end();
        reject(error);
      },
    );
  });
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      },
      Math.min(ms, longestMs),
    );
    signal?.addEventListener('abort', onAbort);
  });
}

/**
 * Calls `task` until it succeeds, at most `maxAttempts` times. Rejects with the last error itself,
 * with `signal.reason` itself when aborted, or with `RetryTimeoutError`.
 */
export async function retry<T>(
  task: (context: TaskContext) => Promise<T> | T,
  options: RetryOptions = {},
): Promise<T> {
  known(options, names);
  const { shouldRetry, signal, budget, onRetry } = options;
  const maxAttempts = number('maxAttempts', options.maxAttempts ?? 3, 1);
  const timeoutMs = limit('timeoutMs', options.timeoutMs);
  const attemptTimeoutMs = limit('attemptTimeoutMs', options.attemptTimeoutMs);
  const backoff = options.backoff ?? exponential();
  const deadline = timeoutMs === Infinity ? Infinity : performance.now() + timeoutMs;
  let previousMs: number | undefined;
  for (let attempt = 0; ; attempt++) {
    if (signal?.aborted === true) throw signal.reason;
    const context = new Context(attempt);
    let last: unknown;
    try {
      const left = deadline === Infinity ? Infinity : deadline - performance.now();
      const total = left <= attemptTimeoutMs;
      return await bounded(
        task(context),
        signal,
        Math.min(left, attemptTimeoutMs),
        () =>
          total ? new RetryTimeoutError(timeoutMs) : new AttemptTimeoutError(attemptTimeoutMs),
        (reason) => context.cut(reason),
      );
    } catch (error) {
      last = error;
    }
    if ((signal as AbortSignal | undefined)?.aborted)
      throw (signal as AbortSignal | undefined)?.reason;
    if (last instanceof RetryTimeoutError) throw last;
    if (attempt + 1 >= maxAttempts || shouldRetry?.(last, attempt) === false) throw last;
    const delayMs = backoff.delay(attempt, previousMs);
    previousMs = delayMs;
    if (deadline !== Infinity && performance.now() + delayMs >= deadline) {
      throw new RetryTimeoutError(timeoutMs, last);
    }
    if (budget?.tryWithdraw() === false) throw last;
    try {
      const told: unknown = onRetry?.({ attempt, error: last, delayMs });
      if (told instanceof Promise) told.catch(() => {});
    } catch {
      // A listener's fault changes nothing.
    }
    if (delayMs > 0) await sleep(delayMs, signal);
  }
}

function limit(name: string, value: number | undefined): number {
  return value === undefined ? Infinity : number(name, value, Number.MIN_VALUE);
}
