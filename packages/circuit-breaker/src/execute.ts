import { TimeoutError } from './errors.ts';
import { check, resolve, type Kind } from './validate.ts';
import { ignored, type Verdict } from './verdict.ts';

/** What `fn` is given. */
export interface Call {
  /** Aborted when the call is cut short; undefined without `signal` and `timeoutMs`. */
  readonly signal: AbortSignal | undefined;
}

/** What `fn` is given when there is a `signal` or a `timeoutMs`. */
export interface BoundedCall extends Call {
  readonly signal: AbortSignal;
}

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

/** With the defaults filled in. */
interface Resolved<Result> {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMs: number | undefined;
  readonly isFailure: (error: unknown) => boolean | 'ignore';
  readonly isResultFailure: (result: Result) => boolean | 'ignore';
}

const kinds: Record<keyof ExecuteOptions, Kind> = {
  signal: ['an object'],
  timeoutMs: ['a number', undefined, 1, 2 ** 31 - 1],
  isFailure: ['a function', () => true],
  isResultFailure: ['a function', () => false],
};

/** Names and codes of the errors that say that something took too long. */
const timeouts = ['TimeoutError', 'ATTEMPT_TIMEOUT', 'REQUEST_TIMEOUT'];

/** Whether the caller gave up, for another reason than that the resource took too long. */
function isCancelled(signal: AbortSignal | undefined): boolean {
  const { name, code } = (signal?.reason ?? {}) as Partial<Record<'name' | 'code', string>>;
  return !!signal?.aborted && !timeouts.includes(name!) && !timeouts.includes(code!);
}

/** Calls `fn` and waits for it, but no longer than `ms`. Leaves no timer and no listener. */
async function within<Result>(
  ms: number,
  signal: AbortSignal | undefined,
  fn: (call: BoundedCall) => Result | PromiseLike<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const abort = () => controller.abort(signal?.reason);
  let timer: ReturnType<typeof setTimeout> | undefined;
  signal?.addEventListener('abort', abort);
  try {
    return await new Promise<Result>((resolve, reject) => {
      timer = setTimeout(() => {
        const error = new TimeoutError(ms);
        reject(error);
        controller.abort(error);
      }, ms);
      Promise.resolve(fn({ signal: controller.signal })).then(resolve, reject);
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/** The verdict on a call that ended with `outcome`, which is an error if it threw. */
type Judge<Result> = (threw: boolean, outcome: Result) => Verdict;

/**
 * What to call under the options, and how to judge it. Throws on a bad option, and the signal's reason
 * if that is aborted already.
 */
export function prepare<Result>(
  fn: (call: BoundedCall) => Result | PromiseLike<Result>,
  options: ExecuteOptions<Result>,
): [call: () => Result | PromiseLike<Result>, judge: Judge<Result>] {
  check('fn', fn, ['a function']);
  const { signal, timeoutMs, isFailure, isResultFailure } = resolve<Resolved<Result>>(
    options,
    kinds,
  );
  signal?.throwIfAborted();
  return [
    () => (timeoutMs ? within(timeoutMs, signal, fn) : fn({ signal: signal! })),
    (threw, outcome) => {
      const word = !threw
        ? isResultFailure(outcome)
        : isCancelled(signal)
          ? 'ignore'
          : isFailure(outcome);
      // Only an exact boolean turns an error into a success, or a result into a failure.
      return word === 'ignore' ? ignored : (+((word === !threw) !== threw) as Verdict);
    },
  ];
}
