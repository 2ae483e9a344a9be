import { exponential, fixed, retry, sequence } from '@whirl/backoff';
import {
  CircuitBreaker,
  consecutiveFailures,
  failureRate,
  type CircuitBreakerOptions,
} from '@whirl/circuit-breaker';
import {
  BrokenCircuitError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  ConstantBackoff,
  CountBreaker,
  ExponentialBackoff,
  handleAll,
  handleType,
  handleWhenResult,
  IsolatedCircuitError,
  IterableBackoff,
  noJitterGenerator,
  retry as cockatielRetry,
  SamplingBreaker,
  TaskCancelledError,
  timeout,
  TimeoutStrategy,
  type IBackoffFactory,
  type IBreaker,
} from 'cockatiel';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { rowsOf } from './rows.ts';

const row = rowsOf('cockatiel');
const fails = () => Promise.reject(new Error('down'));
const works = async () => 'up';
const quiet = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function pair(breaker: IBreaker, options: CircuitBreakerOptions, openMs = 10_000) {
  const theirs = circuitBreaker(handleAll, { halfOpenAfter: openMs, breaker });
  const ours = new CircuitBreaker({ openMs, ...options });
  const call = async (fn: () => Promise<unknown>) => {
    await quiet(theirs.execute(fn));
    await quiet(ours.execute(fn));
  };
  return { theirs, ours, call };
}

row(1, 'consecutive failures', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 40 }), async (outcomes) => {
      const { theirs, ours, call } = pair(new ConsecutiveBreaker(3), {
        trip: consecutiveFailures(3),
      });
      for (const works_ of outcomes) {
        await call(works_ ? works : fails);
        expect(ours.state === 'open').toBe(theirs.state === CircuitState.Open);
      }
    }),
    { numRuns: 100 },
  );
});

row(2, 'halfOpenAfter is openMs, to the millisecond', async () => {
  const { theirs, ours, call } = pair(new ConsecutiveBreaker(1), { trip: consecutiveFailures(1) });
  await call(fails);
  vi.advanceTimersByTime(9_999);
  expect(await quiet(theirs.execute(works))).toBeInstanceOf(BrokenCircuitError);
  expect(await quiet(ours.execute(works))).toMatchObject({ code: 'CIRCUIT_OPEN' });
  vi.advanceTimersByTime(1);
  expect([await theirs.execute(works), await ours.execute(works)]).toEqual(['up', 'up']);
  expect([theirs.state, ours.state]).toEqual([CircuitState.Closed, 'closed']);
});

row(3, 'a count window: more than the threshold, with a full window', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 60 }), async (outcomes) => {
      const { theirs, ours, call } = pair(new CountBreaker({ threshold: 0.5, size: 10 }), {
        trip: failureRate({ ratio: 0.5 + 1e-9, windowSize: 10, minimumCalls: 10 }),
      });
      for (const [i, works_] of outcomes.entries()) {
        // The call that fills the window fails: a success can open here, and not there.
        await call(works_ && i !== 9 ? works : fails);
        expect(ours.state === 'open').toBe(theirs.state === CircuitState.Open);
      }
    }),
    { numRuns: 200 },
  );
});

row(4, 'minimumNumberOfCalls is minimumCalls; its default is the size', async () => {
  for (const minimum of [undefined, 4]) {
    const { theirs, ours, call } = pair(
      new CountBreaker({
        threshold: 0.5,
        size: 10,
        ...(minimum ? { minimumNumberOfCalls: minimum } : {}),
      }),
      { trip: failureRate({ ratio: 0.5 + 1e-9, windowSize: 10, minimumCalls: minimum ?? 10 }) },
    );
    for (let i = 1; i < (minimum ?? 10); i++) await call(fails);
    expect([theirs.state, ours.state]).toEqual([CircuitState.Closed, 'closed']);
    await call(fails);
    expect([theirs.state, ours.state]).toEqual([CircuitState.Open, 'open']);
  }
});

row(5, 'a time window: minimumRps times its length is minimumCalls', async () => {
  for (const minimumRps of [undefined, 2]) {
    const theirRule = { threshold: 0.2, duration: 10_000, ...(minimumRps ? { minimumRps } : {}) };
    const minimumCalls = Math.ceil(10 * (minimumRps ?? 5 / 0.2));
    const { theirs, ours, call } = pair(new SamplingBreaker(theirRule), {
      trip: failureRate({ ratio: 0.2 + 1e-9, windowMs: 10_000, minimumCalls }),
    });
    for (let i = 1; i < minimumCalls; i++) {
      await call(i % 4 ? works : fails);
      vi.advanceTimersByTime(10);
    }
    expect([theirs.state, ours.state]).toEqual([CircuitState.Closed, 'closed']);
    await call(fails);
    expect([theirs.state, ours.state]).toEqual([CircuitState.Open, 'open']);
  }
});

/** On virtual time: cockatiel waits by a timer even for 0 ms. */
async function elapsed<Result>(promise: Promise<Result>) {
  const ended = quiet(promise);
  await vi.runAllTimersAsync();
  return ended;
}

row(6, 'maxAttempts counts retries there, attempts here', async () => {
  const theirs = vi.fn(fails);
  const ours = vi.fn(fails);
  const down = { message: 'down' };
  const theirRetry = cockatielRetry(handleAll, { maxAttempts: 3 });
  expect(await elapsed(theirRetry.execute(theirs))).toMatchObject(down);
  const backoff = fixed({ baseMs: 0 });
  expect(await elapsed(retry(ours, { maxAttempts: 4, backoff }))).toMatchObject(down);
  expect([theirs.mock.calls.length, ours.mock.calls.length]).toEqual([4, 4]);
});

row(7, 'delays', async () => {
  const delays = async (run: (task: () => Promise<unknown>) => Promise<unknown>) => {
    const at: number[] = [];
    const ended = quiet(
      run(() => {
        at.push(Date.now());
        return fails();
      }),
    );
    await vi.runAllTimersAsync();
    await ended;
    return at.slice(1).map((each, i) => each - at[i]!);
  };
  const rows: [IBackoffFactory<unknown>, Parameters<typeof retry>[1]][] = [
    [new ConstantBackoff(50), { backoff: fixed({ baseMs: 50 }) }],
    [new IterableBackoff([100, 200]), { backoff: sequence([100, 200]) }],
    [
      new ExponentialBackoff({ generator: noJitterGenerator }),
      { backoff: exponential({ baseMs: 128, maxMs: 30_000 }) },
    ],
  ];
  for (const [backoff, options] of rows) {
    const theirs = cockatielRetry(handleAll, { maxAttempts: 10, backoff });
    expect(await delays((task) => retry(task, { maxAttempts: 11, ...options }))).toEqual(
      await delays((task) => theirs.execute(task)),
    );
  }
});

class Mine extends Error {}

row(8, 'handleType of a retry is shouldRetry', async () => {
  const theirs = vi.fn(fails);
  const ours = vi.fn(fails);
  await quiet(cockatielRetry(handleType(Mine), { maxAttempts: 3 }).execute(theirs));
  await quiet(retry(ours, { maxAttempts: 4, shouldRetry: (error) => error instanceof Mine }));
  expect([theirs.mock.calls.length, ours.mock.calls.length]).toEqual([1, 1]);
});

row(9, 'handleType of a breaker is isFailure: any other error is neither', async () => {
  const theirs = circuitBreaker(handleType(Mine), {
    halfOpenAfter: 10_000,
    breaker: new ConsecutiveBreaker(2),
  });
  const ours = new CircuitBreaker({ trip: consecutiveFailures(2) });
  const isFailure = (error: unknown) => error instanceof Mine || 'ignore';
  const mine = () => Promise.reject(new Mine());
  // The error between the two does not start the run over, as a success would.
  for (const fn of [mine, fails, mine]) {
    expect([theirs.state, ours.state]).toEqual([CircuitState.Closed, 'closed']);
    await quiet(theirs.execute(fn));
    await quiet(ours.execute(fn, { isFailure }));
  }
  expect([theirs.state, ours.state]).toEqual([CircuitState.Open, 'open']);
});

row(10, 'handleWhenResult is isResultFailure, and shouldRetryResult', async () => {
  const isBad = (result: unknown) => (result as { status: number }).status === 503;
  const busy = { status: 503 };
  const theirs = circuitBreaker(handleWhenResult(isBad), {
    halfOpenAfter: 10_000,
    breaker: new ConsecutiveBreaker(1),
  });
  const ours = new CircuitBreaker({ trip: consecutiveFailures(1) });
  expect(await theirs.execute(() => busy)).toBe(busy);
  expect(await ours.execute(() => busy, { isResultFailure: isBad })).toBe(busy);
  expect([theirs.state, ours.state]).toEqual([CircuitState.Open, 'open']);
  const [theirTask, ourTask] = [vi.fn(() => busy), vi.fn(() => busy)];
  const theirRetry = cockatielRetry(handleWhenResult(isBad), { maxAttempts: 2 });
  expect(await elapsed(theirRetry.execute(theirTask))).toBe(busy);
  const backoff = fixed({ baseMs: 0 });
  expect(await retry(ourTask, { maxAttempts: 3, backoff, shouldRetryResult: isBad })).toBe(busy);
  expect([theirTask.mock.calls.length, ourTask.mock.calls.length]).toEqual([3, 3]);
});

row(11, 'isolate() is forceOpen(), its dispose() is reset()', async () => {
  const { theirs, ours } = pair(new ConsecutiveBreaker(5), {});
  const handle = theirs.isolate();
  ours.forceOpen();
  vi.advanceTimersByTime(1e9);
  expect(await quiet(theirs.execute(works))).toBeInstanceOf(IsolatedCircuitError);
  expect(await quiet(ours.execute(works))).toMatchObject({ state: 'forced_open' });
  handle.dispose();
  ours.reset();
  expect([await theirs.execute(works), await ours.execute(works)]).toEqual(['up', 'up']);
});

row(12, 'an aggressive timeout is timeoutMs', async () => {
  const hangs = () => new Promise<never>(() => {});
  const theirs = quiet(timeout(100, TimeoutStrategy.Aggressive).execute(hangs));
  const ours = quiet(new CircuitBreaker().execute(hangs, { timeoutMs: 100 }));
  await vi.advanceTimersByTimeAsync(100);
  expect(await theirs).toBeInstanceOf(TaskCancelledError);
  expect(await ours).toMatchObject({ name: 'TimeoutError' });
});

row(13, 'onStateChange is on()', async () => {
  const { theirs, ours, call } = pair(new ConsecutiveBreaker(1), { trip: consecutiveFailures(1) });
  const [told, heard]: [number[], string[]] = [[], []];
  theirs.onStateChange((state) => told.push(state));
  ours.on('circuit:transition', ({ to }) => heard.push(to));
  await call(fails);
  vi.advanceTimersByTime(10_000);
  await call(works);
  expect(told).toEqual([CircuitState.Open, CircuitState.HalfOpen, CircuitState.Closed]);
  expect(heard).toEqual(['open', 'half_open', 'closed']);
});

row(14, 'differs: a call during a test waits there, and is refused here', async () => {
  const { theirs, ours, call } = pair(new ConsecutiveBreaker(1), { trip: consecutiveFailures(1) });
  await call(fails);
  vi.advanceTimersByTime(10_000);
  const slow = () => new Promise((resolve) => setTimeout(() => resolve('up'), 50));
  const tests = [theirs.execute(slow), ours.execute(slow)];
  const waits = theirs.execute(works);
  expect(await quiet(ours.execute(works))).toMatchObject({ code: 'CIRCUIT_OPEN' });
  await vi.advanceTimersByTimeAsync(50);
  expect([await waits, ...(await Promise.all(tests))]).toEqual(['up', 'up', 'up']);
});

row(
  15,
  'differs: failures of an hour ago still count there until calls turn the windows',
  async () => {
    const { theirs, ours, call } = pair(
      new SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 1 }),
      { trip: failureRate({ ratio: 0.5 + 1e-9, windowMs: 10_000, minimumCalls: 10 }) },
    );
    for (let i = 0; i < 9; i++) await call(fails);
    vi.advanceTimersByTime(3_600_000);
    await call(fails);
    expect([theirs.state, ours.state]).toEqual([CircuitState.Open, 'closed']);
  },
);

row(16, 'differs: a success that fills the window can open here', async () => {
  const { theirs, ours, call } = pair(new CountBreaker({ threshold: 0.5, size: 10 }), {
    trip: failureRate({ ratio: 0.5 + 1e-9, windowSize: 10, minimumCalls: 10 }),
  });
  for (let i = 0; i < 9; i++) await call(fails);
  await call(works);
  expect([theirs.state, ours.state]).toEqual([CircuitState.Closed, 'open']);
});

row(17, 'differs: a cancelled call is a failure there', async () => {
  const { theirs, ours } = pair(new ConsecutiveBreaker(1), { trip: consecutiveFailures(1) });
  const cancelled = async (execute: (signal: AbortSignal, fn: () => never) => Promise<unknown>) => {
    const controller = new AbortController();
    await quiet(
      execute(controller.signal, () => {
        controller.abort();
        throw new Error('aborted');
      }),
    );
  };
  await cancelled((signal, fn) => theirs.execute(fn, signal));
  await cancelled((signal, fn) => ours.execute(fn, { signal }));
  expect([theirs.state, ours.state]).toEqual([CircuitState.Open, 'closed']);
});
