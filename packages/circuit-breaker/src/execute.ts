import { TimeoutError } from './errors.ts';
import type { Kinds } from './validate.ts';

/** What `fn` is given. */
export interface Call {
  /** Aborted when the call is cut short; undefined without `signal` and `timeoutMs`. */
  readonly signal: AbortSignal | undefined;
}

/** What `fn` is given when there is a `signal` or a `timeoutMs`. */
export interface BoundedCall extends Call {
  readonly signal: AbortSignal;
}

/**
 * The options of `execute()`. It rejects with a TypeError or RangeError that names the option when one is unknown, of a
 * wrong type or out of its bounds; the function is not called then.
 */
export interface ExecuteOptions<Result = unknown> {
  /**
   * Aborted before: the function is not called. Aborted when the call fails: no verdict, unless the
   * signal's reason is a timeout. Default: none.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Milliseconds after which the call is rejected with a `TimeoutError`, which is a failure like any
   * other, and its signal is aborted. From 1 to 2^31 - 1, the most that `setTimeout` takes. Default:
   * no limit.
   */
  readonly timeoutMs?: number | undefined;
  /**
   * Whether an error speaks against the resource. `false` makes the call a success, `'ignore'` gives
   * no verdict. Default: every error does.
   */
  readonly isFailure?: ((error: unknown) => boolean | 'ignore') | undefined;
  /**
   * Whether a result speaks against the resource, as a response of status 503 does. `true` makes the
   * call a failure, `'ignore'` gives no verdict. The result is passed on. Default: none does.
   */
  readonly isResultFailure?: ((result: Result) => boolean | 'ignore') | undefined;
}

/** With the defaults filled in; 0 is no limit. */
export interface ResolvedCall {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number;
  readonly isFailure: (error: unknown) => boolean | 'ignore' | undefined;
  readonly isResultFailure: (result: unknown) => boolean | 'ignore';
}

export const callKinds: Kinds<ResolvedCall> = {
  signal: [null],
  timeoutMs: [0, false, 1, 2 ** 31 - 1],
  isFailure: [() => true],
  isResultFailure: [() => false],
};

/**
 * Calls `fn` under checked options and waits for it. Hands what came of it to `settle` and on to the caller: its
 * result or its error, and whether that is a failure.
 */
export async function judge<Result>(
  fn: (call: BoundedCall) => Result | PromiseLike<Result>,
  { signal, timeoutMs, isFailure, isResultFailure }: ResolvedCall,
  settle: (failed: boolean | 'ignore', outcome: unknown) => void,
): Promise<Result> {
  let failed: boolean | 'ignore' = true;
  let outcome: unknown;
  try {
    outcome = await (timeoutMs ? within(fn, signal, timeoutMs) : fn({ signal: signal! }));
    failed = isResultFailure(outcome);
    return outcome as Result;
  } catch (error) {
    outcome = error;
    // A signal's reason that says timeout is a failure: the limit was the caller's patience.
    failed =
      signal?.aborted && !/timeout/i.test(signal.reason?.name + signal.reason?.code)
        ? 'ignore'
        : (isFailure(error) ?? true);
    throw error;
  } finally {
    // Settled even if `isFailure` throws: else a test's permit would be lost.
    settle(failed, outcome);
  }
}

/** Calls `fn` and waits for it, but no longer than `ms`. Leaves no timer and no listener. */
async function within<Result>(
  fn: (call: BoundedCall) => Result | PromiseLike<Result>,
  signal: AbortSignal | undefined,
  ms: number,
): Promise<Result> {
  const controller = new AbortController();
  const abort = () => controller.abort(signal?.reason);
  let timer: ReturnType<typeof setTimeout> | undefined;
  signal?.addEventListener('abort', abort);
  try {
    return await Promise.race([
      // Begun before `fn`, which may block for long.
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          const error = new TimeoutError(`did not end within ${ms} ms`);
          reject(error);
          controller.abort(error);
        }, ms);
      }),
      fn({ signal: controller.signal }),
    ]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}
