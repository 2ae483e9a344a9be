import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  AbortRetry,
  RetryAttemptTimeoutError,
  createRetryBudget,
  exponential,
  fixed,
  retry,
  RetryTimeoutError,
  sequence,
  type RetryOptions,
  type TaskContext,
} from './index.ts';

const longestMs = 2 ** 31 - 1;
const never = () => new Promise<never>(() => {});
const at0 = sequence([0]);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Runs a retry to its end on virtual time: when each attempt began, and how it ended. */
async function follow(task: (context: TaskContext) => unknown, options?: RetryOptions) {
  const start = performance.now();
  const begun: number[] = [];
  const ended = retry(async (context) => {
    begun.push(Math.round(performance.now() - start));
    return task(context);
  }, options).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  await vi.runAllTimersAsync();
  const result: { value?: unknown; error?: unknown } = await ended;
  return { begun, ...result };
}

/** Counts what is added to and removed from a signal. */
function watchListeners(signal: AbortSignal) {
  const added = vi.spyOn(signal, 'addEventListener');
  const removed = vi.spyOn(signal, 'removeEventListener');
  return {
    get added() {
      return added.mock.calls.length;
    },
    get left() {
      const open = added.mock.calls.map(([type, listener]) => ({ type, listener }));
      for (const [type, listener] of removed.mock.calls) {
        const i = open.findIndex((each) => each.type === type && each.listener === listener);
        if (i >= 0) open.splice(i, 1);
      }
      return open.length;
    },
  };
}

describe('R1 attempts', () => {
  it('R1 three attempts, two delays, and the last error itself', async () => {
    const errors = [new Error('0'), new Error('1'), new Error('2')];
    const told: unknown[] = [];
    const { begun, error } = await follow(({ attempt }) => Promise.reject(errors[attempt]), {
      onRetry: (event) => told.push(event),
    });
    expect(begun).toEqual([0, 1000, 3000]);
    expect(error).toBe(errors[2]);
    expect(told).toEqual([
      { attempt: 0, error: errors[0], delayMs: 1000 },
      { attempt: 1, error: errors[1], delayMs: 2000 },
    ]);
  });

  it('R1 one attempt never waits', async () => {
    const { begun } = await follow(() => Promise.reject(new Error('no')), { maxAttempts: 1 });
    expect(begun).toEqual([0]);
  });

  it('R1 ends with the first success', async () => {
    const { begun, value } = await follow(({ attempt }) => {
      if (attempt === 0) throw new Error('thrown, not rejected');
      return 'good';
    });
    expect(begun).toEqual([0, 1000]);
    expect(value).toBe('good');
  });

  it('R1 shouldRetry gets the error and the attempt, and ends it with the error itself', async () => {
    const fatal = new Error('fatal');
    const asked: unknown[] = [];
    const { begun, error } = await follow(
      ({ attempt }) => Promise.reject(attempt === 1 ? fatal : 'soft'),
      {
        maxAttempts: 9,
        shouldRetry: (cause, attempt) => {
          asked.push([cause, attempt]);
          return cause !== fatal;
        },
      },
    );
    expect(begun).toEqual([0, 1000]);
    expect(error).toBe(fatal);
    expect(asked).toEqual([
      ['soft', 0],
      [fatal, 1],
    ]);
  });

  it('R1 a failure that is undefined is a failure like any other', async () => {
    const { begun, error } = await follow(() => Promise.reject(undefined as unknown as Error));
    expect(begun).toHaveLength(3);
    expect(error).toBeUndefined();
  });

  it('R1 decorrelated jitter gets the delay before', async () => {
    const heard: unknown[] = [];
    const delay = (retryNumber: number, previousMs?: number) => {
      heard.push([retryNumber, previousMs]);
      return 10 * (retryNumber + 1);
    };
    await follow(() => Promise.reject(new Error('no')), { maxAttempts: 4, backoff: { delay } });
    expect(heard).toEqual([
      [0, undefined],
      [1, 10],
      [2, 20],
    ]);
  });

  it('B8 retryAfter is a floor under the delay, not jittered', async () => {
    const { begun } = await follow(() => Promise.reject(new Error('429')), {
      retryAfter: (_, attempt) => (attempt === 0 ? 5000 : undefined),
    });
    expect(begun).toEqual([0, 5000, 7000]);
  });
});

describe('R2 the caller’s signal', () => {
  it('R2 an aborted signal: zero calls, its reason itself', async () => {
    const reason = { not: 'even an error' };
    const { begun, error } = await follow(() => 1, { signal: AbortSignal.abort(reason) });
    expect(begun).toEqual([]);
    expect(error).toBe(reason);
  });

  it('R2 abort during a delay rejects at once and leaves no timer and no listener', async () => {
    const controller = new AbortController();
    const listeners = watchListeners(controller.signal);
    const reason = new Error('stop');
    const ended = retry(() => Promise.reject(new Error('no')), { signal: controller.signal });
    const caught = ended.catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(500);
    expect(vi.getTimerCount()).toBe(1);
    controller.abort(reason);
    expect(await caught).toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
    expect(listeners.added).toBe(2);
    expect(listeners.left).toBe(0);
  });

  it('R2 abort during an attempt does not wait for the task', async () => {
    const controller = new AbortController();
    const reason = new Error('stop');
    let given: AbortSignal | undefined;
    const caught = retry(
      ({ signal }) => {
        given = signal;
        return never();
      },
      { signal: controller.signal, timeoutMs: 1000 },
    ).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10);
    controller.abort(reason);
    expect(await caught).toBe(reason);
    expect(given?.aborted).toBe(true);
    expect(given?.reason).toBe(reason);
  });

  it('R2 a task that aborts while it is called, and hangs, is left', async () => {
    const controller = new AbortController();
    const { error } = await follow(
      () => {
        controller.abort('stop');
        return never();
      },
      { signal: controller.signal },
    );
    expect(error).toBe('stop');
  });

  it('R2 a task that rejects an abort with an error of its own: the reason comes out', async () => {
    const controller = new AbortController();
    const { begun, error } = await follow(
      () => {
        controller.abort('stop');
        throw new Error('because of the abort');
      },
      { signal: controller.signal },
    );
    expect(begun).toHaveLength(1);
    expect(error).toBe('stop');
  });

  it('R2 an abort from onRetry ends it before the delay', async () => {
    const controller = new AbortController();
    const { begun, error } = await follow(() => Promise.reject(new Error('no')), {
      signal: controller.signal,
      onRetry: () => controller.abort('stop'),
    });
    expect(begun).toHaveLength(1);
    expect(error).toBe('stop');
  });

  it('R2 fifteen failures on one signal: listeners added = removed', async () => {
    const { signal } = new AbortController();
    const listeners = watchListeners(signal);
    await follow(() => Promise.reject(new Error('no')), { signal, maxAttempts: 15 });
    expect(listeners.added).toBe(15 + 14);
    expect(listeners.left).toBe(0);
  });

  it('R2 without a timeout the task gets the caller’s own signal', async () => {
    const { signal } = new AbortController();
    const { value } = await follow((context) => context.signal === signal, { signal });
    expect(value).toBe(true);
  });
});

describe('R3 time limits', () => {
  it('R3 a retry that could not start before the deadline is not slept for', async () => {
    const failure = new Error('no');
    const slept = vi.spyOn(globalThis, 'setTimeout');
    const { begun, error } = await follow(() => Promise.reject(failure), {
      timeoutMs: 1000,
    });
    expect(begun).toEqual([0]);
    expect(error).toBeInstanceOf(RetryTimeoutError);
    expect(error).toMatchObject({
      code: 'REQUEST_TIMEOUT',
      name: 'RetryTimeoutError',
      cause: failure,
    });
    // The deadline of the attempt, and no delay.
    expect(slept).toHaveBeenCalledTimes(1);
  });

  it('R3 one that can start a millisecond before it is', async () => {
    const { begun } = await follow(() => Promise.reject(new Error('no')), { timeoutMs: 1001 });
    expect(begun).toEqual([0, 1000]);
  });

  it('R3 a running attempt is cut at the deadline, and its task gets the reason', async () => {
    const failure = new Error('no');
    let given: AbortSignal | undefined;
    const { begun, error } = await follow(
      ({ attempt, signal }) => {
        if (attempt === 0) throw failure;
        given = signal;
        return never();
      },
      { timeoutMs: 2500 },
    );
    expect(begun).toEqual([0, 1000]);
    expect(error).toMatchObject({ code: 'REQUEST_TIMEOUT', cause: failure });
    expect(performance.now()).toBeCloseTo(2500, 6);
    expect(given?.reason).toBe(error);
  });

  it('R3 a delay that took longer than meant begins no attempt after the deadline', async () => {
    let calls = 0;
    const caught = retry(() => Promise.reject(new Error(`${calls++}`)), {
      timeoutMs: 1500,
      onRetry: () => void vi.spyOn(performance, 'now').mockReturnValue(2000),
    }).catch((error: unknown) => error);
    await vi.runAllTimersAsync();
    expect(await caught).toBeInstanceOf(RetryTimeoutError);
    expect(((await caught) as Error).cause).toEqual(new Error('0'));
    expect(calls).toBe(1);
  });

  it('R3 each attempt has its own limit, and is retried after it', async () => {
    const reasons: unknown[] = [];
    const { begun, error } = await follow(
      ({ signal }) => {
        signal.addEventListener('abort', () => reasons.push(signal.reason));
        return never();
      },
      { attemptTimeoutMs: 100, maxAttempts: 2 },
    );
    expect(begun).toEqual([0, 1100]);
    expect(error).toBeInstanceOf(RetryAttemptTimeoutError);
    expect(error).toMatchObject({
      code: 'ATTEMPT_TIMEOUT',
      name: 'RetryAttemptTimeoutError',
      message: expect.stringMatching(/^did not end within \d+ ms$/) as string,
    });
    expect(reasons).toHaveLength(2);
    expect(reasons[1]).toBe(error);
  });

  it('R3 the total limit wins over the attempt’s when both are due', async () => {
    const { begun, error } = await follow(never, { attemptTimeoutMs: 100, timeoutMs: 100 });
    expect(begun).toEqual([0]);
    expect(error).toBeInstanceOf(RetryTimeoutError);
  });

  it('R3 the timeout of a retry inside a retry is a failure like any other', async () => {
    const { begun } = await follow(() => retry(never, { timeoutMs: 10 }), { timeoutMs: 60_000 });
    expect(begun).toEqual([0, 1010, 3020]);
  });

  it('R3 a signal read after the attempt was cut is aborted already', async () => {
    let context: TaskContext | undefined;
    const { error } = await follow(
      (each) => {
        context = each;
        return never();
      },
      { timeoutMs: 10 },
    );
    expect(context?.signal.aborted).toBe(true);
    expect(context?.signal.reason).toBe(error);
  });

  it('B7 delays and limits above 2^31 − 1 ms are clamped to it', async () => {
    const slept = vi.spyOn(globalThis, 'setTimeout');
    const told: number[] = [];
    const { begun } = await follow(() => Promise.reject(new Error('no')), {
      backoff: { delay: () => 2 ** 40 },
      maxAttempts: 2,
      attemptTimeoutMs: 2 ** 50,
      onRetry: ({ delayMs }) => told.push(delayMs),
    });
    expect(begun).toEqual([0, longestMs]);
    expect(told).toEqual([longestMs]);
    expect(slept.mock.calls.map(([, ms]) => ms)).toEqual([longestMs, longestMs, longestMs]);
  });
});

describe('R4 R5 R6 nothing that is not needed', () => {
  it('R4 a delay of 0 uses no timer', async () => {
    const slept = vi.spyOn(globalThis, 'setTimeout');
    const run = retry(() => Promise.reject(new Error('no')), { backoff: at0, maxAttempts: 50 });
    await expect(run).rejects.toThrow('no');
    expect(slept).not.toHaveBeenCalled();
  });

  it('R4 success clears every timer', async () => {
    const cleared = vi.spyOn(globalThis, 'clearTimeout');
    const run = retry(() => 1, { timeoutMs: 60_000, attemptTimeoutMs: 30_000 });
    expect(vi.getTimerCount()).toBe(1);
    expect(await run).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
    expect(cleared).toHaveBeenCalledTimes(1);
  });

  it('R5 onRetry may throw, reject or hang: same outcome, same calls', async () => {
    const boom = new Error('boom');
    const listeners: (() => unknown)[] = [
      () => {
        throw boom;
      },
      () => Promise.reject(boom),
      never,
    ];
    for (const onRetry of listeners) {
      const { begun, value } = await follow(
        ({ attempt }) => (attempt < 2 ? Promise.reject(new Error('no')) : 'good'),
        { onRetry },
      );
      expect(begun).toEqual([0, 1000, 3000]);
      expect(value).toBe('good');
    }
  });

  it('R6 no AbortController is made unless the task asks for a signal', async () => {
    let made = 0;
    const Real = AbortController;
    vi.stubGlobal(
      'AbortController',
      class extends Real {
        constructor() {
          super();
          made++;
        }
      },
    );
    try {
      const fails = ({ attempt }: TaskContext) =>
        attempt < 2 ? Promise.reject(new Error('no')) : 1;
      await follow(fails);
      await follow(fails, { timeoutMs: 60_000, attemptTimeoutMs: 1000 });
      await follow(never, { attemptTimeoutMs: 1000 });
      expect(made).toBe(0);
      await follow(({ signal }) => signal.aborted);
      await follow(({ signal }) => signal.aborted, { timeoutMs: 60_000 });
      expect(made).toBe(2);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('R6 without failure, signal and limits no timer is made and no clock is read', async () => {
    const slept = vi.spyOn(globalThis, 'setTimeout');
    const read = vi.spyOn(performance, 'now');
    expect(await retry(() => 1, { backoff: exponential() })).toBe(1);
    expect(slept).not.toHaveBeenCalled();
    expect(read).not.toHaveBeenCalled();
  });
});

describe('R1 any number of attempts', () => {
  it('R1 maxAttempts Infinity goes on until it succeeds', async () => {
    const { begun, value } = await follow(
      ({ attempt }) => (attempt < 500 ? Promise.reject(new Error('no')) : 'good'),
      { maxAttempts: Infinity, backoff: at0 },
    );
    expect([begun.length, value]).toEqual([501, 'good']);
  });

  it('R1 it ends with the total limit', async () => {
    const { begun, error } = await follow(() => Promise.reject(new Error('no')), {
      maxAttempts: Infinity,
      backoff: fixed({ baseMs: 10 }),
      timeoutMs: 100,
    });
    expect(begun).toHaveLength(10);
    expect(error).toBeInstanceOf(RetryTimeoutError);
  });
});

describe('R1 a task that gives up', () => {
  it('R1 an AbortRetry ends it with its cause itself, whatever the options say', async () => {
    const cause = new Error('401');
    const asked = vi.fn(() => true);
    const { begun, error } = await follow(
      ({ attempt }) => {
        if (attempt === 1) throw new AbortRetry(cause);
        throw new Error('no');
      },
      { maxAttempts: Infinity, shouldRetry: asked, onRetry: asked },
    );
    expect(begun).toEqual([0, 1000]);
    expect(error).toBe(cause);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it('R1 one of another copy of the package is understood, and one that is rejected', async () => {
    const foreign = Object.assign(new Error('x', { cause: 'why' }), { code: 'ABORT_RETRY' });
    const { begun, error } = await follow(() => Promise.reject(foreign));
    expect([begun, error]).toEqual([[0], 'why']);
  });

  it('R1 it ends the retry that it was thrown in, not one around that', async () => {
    const inner = () =>
      retry(() => {
        throw new AbortRetry(new Error('inner'));
      });
    const { begun, error } = await follow(inner, { backoff: at0 });
    expect(begun).toHaveLength(3);
    expect(error).toMatchObject({ message: 'inner' });
  });

  it('R1 it has a name, a code and a cause', () => {
    const error = new AbortRetry('why');
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'AbortRetry', code: 'ABORT_RETRY', cause: 'why' });
    expect(error.message).toBe('not worth another attempt');
  });
});

describe('R1 retrying a result', () => {
  const busy = { status: 503 };
  const fine = { status: 200 };
  const isBusy = ({ status }: { status: number }) => status === 503;

  it('R1 a result that shouldRetryResult refuses is retried, and onRetry is called with it', async () => {
    const told: unknown[] = [];
    const asked: unknown[] = [];
    const ended = retry(({ attempt }) => (attempt < 2 ? busy : fine), {
      shouldRetryResult: (result, attempt) => {
        asked.push(attempt);
        return isBusy(result);
      },
      onRetry: (event) => told.push(event),
    });
    await vi.runAllTimersAsync();
    expect(await ended).toBe(fine);
    expect(asked).toEqual([0, 1, 2]);
    expect(told).toEqual([
      { attempt: 0, result: busy, delayMs: 1000 },
      { attempt: 1, result: busy, delayMs: 2000 },
    ]);
  });

  it('R1 the last result stands when the attempts are used up', async () => {
    const { begun, value } = await follow(() => busy, { shouldRetryResult: () => true });
    expect([begun, value]).toEqual([[0, 1000, 3000], busy]);
  });

  it('R3 it stands when no time is left, and nothing is slept for', async () => {
    const { begun, value } = await follow(() => busy, {
      shouldRetryResult: () => true,
      timeoutMs: 500,
    });
    expect([begun, value]).toEqual([[0], busy]);
  });

  it('G2 it stands when the budget refuses, and earns nothing', async () => {
    const budget = createRetryBudget({ ratio: 1, minPerSecond: 0 });
    const { begun, value } = await follow(() => busy, { shouldRetryResult: () => true, budget });
    expect([begun, value, budget.refused, budget.balance]).toEqual([[0], busy, 1, 0]);
  });

  it('B8 retryAfter is given the result', async () => {
    const { begun } = await follow(({ attempt }) => (attempt === 0 ? busy : fine), {
      shouldRetryResult: (result) => result === busy,
      retryAfter: (result) => (result === busy ? 7000 : undefined),
    });
    expect(begun).toEqual([0, 7000]);
  });

  it('R1 an error after a refused result is judged as an error', async () => {
    const failure = new Error('no');
    const told: unknown[] = [];
    const { begun, error } = await follow(
      ({ attempt }) => (attempt === 0 ? busy : Promise.reject(failure)),
      {
        shouldRetryResult: () => true,
        shouldRetry: () => false,
        onRetry: (event) => told.push(event),
      },
    );
    expect([begun, error]).toEqual([[0, 1000], failure]);
    expect(told).toEqual([{ attempt: 0, result: busy, delayMs: 1000 }]);
  });

  it('R3 a deadline that cuts the next attempt has the result as its cause', async () => {
    const { error } = await follow(({ attempt }) => (attempt === 0 ? busy : never()), {
      shouldRetryResult: () => true,
      timeoutMs: 2000,
    });
    expect(error).toMatchObject({ code: 'REQUEST_TIMEOUT', cause: busy });
  });

  it('R1 what shouldRetryResult throws ends the retry', async () => {
    const boom = new Error('boom');
    const { begun, error } = await follow(() => busy, {
      shouldRetryResult: () => {
        throw boom;
      },
    });
    expect([begun, error]).toEqual([[0], boom]);
  });

  it('R2 a caller that aborts after a refused result gets the reason', async () => {
    const controller = new AbortController();
    const { begun, error } = await follow(() => busy, {
      signal: controller.signal,
      shouldRetryResult: () => true,
      onRetry: () => controller.abort('stop'),
    });
    expect([begun, error]).toEqual([[0], 'stop']);
  });
});

describe('K20b a refusal of a circuit breaker', () => {
  const open = Object.assign(new Error('circuit db is open'), { code: 'CIRCUIT_OPEN' });

  it('K20b CIRCUIT_OPEN is not retried', async () => {
    const { begun, error } = await follow(({ attempt }) =>
      Promise.reject(attempt === 0 ? new Error('no') : open),
    );
    expect([begun, error]).toEqual([[0, 1000], open]);
  });

  it('K20b unless shouldRetry asks for it', async () => {
    const { begun } = await follow(() => Promise.reject(open), { shouldRetry: () => true });
    expect(begun).toHaveLength(3);
  });
});

describe('R3 a clock of the caller’s', () => {
  it('R3 timeoutMs is measured by now', async () => {
    let t = 0;
    const failure = new Error('no');
    const begun: number[] = [];
    const ended = retry(
      () => {
        begun.push((t += 400));
        throw failure;
      },
      { backoff: fixed({ baseMs: 100 }), maxAttempts: Infinity, timeoutMs: 1000, now: () => t },
    ).catch((error: unknown) => error);
    await vi.runAllTimersAsync();
    expect(await ended).toMatchObject({ code: 'REQUEST_TIMEOUT', cause: failure });
    expect(begun).toEqual([400, 800, 1200]);
  });
});

describe('B8 a retryAfter that is no delay', () => {
  it.each([NaN, -1, Infinity, '5'])('B8 %o is an error that names the option', async (ms) => {
    const { begun, error } = await follow(() => Promise.reject(new Error('429')), {
      retryAfter: () => ms as number,
    });
    expect(begun).toEqual([0]);
    expect(error).toBeInstanceOf(typeof ms === 'number' ? RangeError : TypeError);
    const got = typeof ms === 'number' ? ms : typeof ms;
    expect((error as Error).message).toBe(`retryAfter must be a number ≥ 0, got ${got}`);
  });
});

describe('G2 the budget', () => {
  it('G2 a refused retry surfaces the error itself at once and is counted', async () => {
    const failure = new Error('no');
    const budget = createRetryBudget({ ratio: 0, minPerSecond: 1 });
    const told = vi.fn<() => void>();
    const slept = vi.spyOn(globalThis, 'setTimeout');
    const options = { budget, backoff: at0, onRetry: told };
    const { begun, error } = await follow(() => Promise.reject(failure), options);
    expect(begun).toEqual([0, 0]);
    expect(error).toBe(failure);
    expect(budget.refused).toBe(1);
    expect(told).toHaveBeenCalledTimes(1);
    expect(slept).not.toHaveBeenCalled();
  });

  it('G2 each success deposits, and a failure does not', async () => {
    const budget = createRetryBudget({ ratio: 1, minPerSecond: 0 });
    await follow(() => 1, { budget });
    await follow(() => 1, { budget });
    expect(budget.balance).toBe(2);
    await follow(() => Promise.reject(new Error('no')), { budget, maxAttempts: 1 });
    expect(budget.balance).toBe(2);
  });

  it('G2 a retry that has no time left is not charged', async () => {
    const budget = createRetryBudget({ ratio: 0 });
    await follow(() => Promise.reject(new Error('no')), { budget, timeoutMs: 500 });
    expect([budget.balance, budget.refused]).toEqual([10, 0]);
  });
});

describe('bad options', () => {
  const good = () => 1;
  it.each([
    [{ maxAttempts: 0 }, RangeError, 'maxAttempts must be a number ≥ 1, got 0'],
    [{ maxAttempts: 2.5 }, RangeError, 'maxAttempts must be an integer, got 2.5'],
    [{ maxAttempts: Number.NaN }, RangeError, 'maxAttempts must be a number ≥ 1, got NaN'],
    [{ maxAttempts: -Infinity }, RangeError, 'maxAttempts must be a number ≥ 1, got -Infinity'],
    [{ maxAttempts: '3' }, TypeError, 'maxAttempts must be a number ≥ 1, got string'],
    [{ timeoutMs: 0 }, RangeError, 'timeoutMs must be a number ≥ 1, got 0'],
    [{ attemptTimeoutMs: -1 }, RangeError, 'attemptTimeoutMs must be a number ≥ 1, got -1'],
    [{ shouldRetry: 1 }, TypeError, 'shouldRetry must be function, got number'],
    [{ onRetry: {} }, TypeError, 'onRetry must be function, got object'],
    [{ backoff: exponential }, TypeError, 'backoff must be object, got function'],
    [{ budget: null }, TypeError, 'budget must be object, got null'],
    [{ shouldRetryResult: true }, TypeError, 'shouldRetryResult must be function, got boolean'],
    [{ retryAfter: 5 }, TypeError, 'retryAfter must be function, got number'],
    [{ now: 5 }, TypeError, 'now must be function, got number'],
    [{ retryAfterMs: () => 5 }, TypeError, /^unknown option "retryAfterMs"$/],
    [{ retries: 3 }, TypeError, /^unknown option "retries"$/],
  ] as const)('%j is refused before the task is called', async (options, Expected, message) => {
    const task = vi.fn<() => number>(good);
    const error: unknown = await retry(task, options as never).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(Expected);
    expect((error as Error).message).toMatch(message);
    expect(task).not.toHaveBeenCalled();
  });

  it('a task that is no function is refused, and nothing is thrown synchronously', async () => {
    await expect(retry(5 as never)).rejects.toThrow(
      new TypeError('task must be function, got number'),
    );
    await expect(retry(good, null as never)).rejects.toThrow(
      new TypeError('options must be object, got null'),
    );
  });

  it('a backoff of one’s own that gives no delay is refused, and not taken for 0', async () => {
    const run = retry(() => Promise.reject(new Error('no')), { backoff: { delay: () => NaN } });
    await expect(run).rejects.toThrow(/^delay must be a number ≥ 0, got NaN$/);
  });

  it('options that are frozen or shared are left alone', async () => {
    const options = Object.freeze({ backoff: fixed({ baseMs: 1 }) });
    const first = follow(() => 1, options);
    expect([(await first).value, (await follow(() => 2, options)).value]).toEqual([1, 2]);
  });
});
