import { AbortRetry, exponential, retry, type RetryOptions } from '@whirl/backoff';
import pRetry, { AbortError, type Options } from 'p-retry';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { rowsOf } from './rows.ts';

const row = rowsOf('p-retry');
const down = new Error('down');
const fails = () => Promise.reject(down);
const quiet = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** When each attempt begins, from the first one on, and what comes of all. */
async function follow(
  run: (task: () => Promise<unknown>) => Promise<unknown>,
  task = fails as () => Promise<unknown>,
) {
  const start = performance.now();
  const at: number[] = [];
  const ended = quiet(
    run(() => {
      at.push(Math.round(performance.now() - start));
      return task();
    }),
  );
  await vi.runAllTimersAsync();
  return { at, end: await ended };
}

async function same(theirs: Options, ours: RetryOptions, task?: () => Promise<unknown>) {
  const mine = await follow((each) => retry(each, ours), task);
  expect(mine).toEqual(await follow((each) => pRetry(each, theirs), task));
  return mine;
}

row(1, 'retries is maxAttempts - 1, 10 by default; the delays have no cap', async () => {
  const backoff = exponential({ maxMs: 2 ** 31 - 1 });
  expect((await same({}, { maxAttempts: 11, backoff })).at).toHaveLength(11);
  await same({ retries: 2 }, { maxAttempts: 3 });
  await same({ retries: 0 }, { maxAttempts: 1 });
});

row(2, 'minTimeout, factor and maxTimeout', async () => {
  await same(
    { retries: 6, minTimeout: 100, factor: 3, maxTimeout: 5_000 },
    { maxAttempts: 7, backoff: exponential({ baseMs: 100, multiplier: 3, maxMs: 5_000 }) },
  );
});

row(3, 'retries: Infinity is maxAttempts: Infinity', async () => {
  const until = (n: number) => {
    let calls = 0;
    return async () => (++calls < n ? fails() : 'up');
  };
  const backoff = exponential({ baseMs: 0 });
  const options = { retries: Infinity, minTimeout: 0 };
  const theirs = await follow((task) => pRetry(task, options), until(50));
  const ours = await follow((task) => retry(task, { maxAttempts: Infinity, backoff }), until(50));
  expect([theirs.at.length, theirs.end]).toEqual([50, 'up']);
  expect([ours.at.length, ours.end]).toEqual([50, 'up']);
});

row(4, 'AbortError is AbortRetry: the error in it rejects', async () => {
  const theirs = await follow(
    (task) => pRetry(task),
    () => Promise.reject(new AbortError(down)),
  );
  const ours = await follow(
    (task) => retry(task),
    () => Promise.reject(new AbortRetry(down)),
  );
  expect([theirs, ours]).toEqual([
    { at: [0], end: down },
    { at: [0], end: down },
  ]);
});

row(5, 'shouldRetry is given the error itself', async () => {
  const { at } = await same(
    { shouldRetry: ({ error }) => error !== down },
    { shouldRetry: (error) => error !== down },
  );
  expect(at).toEqual([0]);
});

row(6, 'the attempt number begins at 0', async () => {
  const [theirs, ours]: [number[], number[]] = [[], []];
  await follow(() => pRetry((n) => (theirs.push(n), fails()), { retries: 2 }));
  await follow(() => retry(({ attempt }) => (ours.push(attempt), fails())));
  expect([theirs, ours]).toEqual([
    [1, 2, 3],
    [0, 1, 2],
  ]);
});

row(7, 'onFailedAttempt is onRetry, but for the last failure', async () => {
  const [theirs, ours]: [number[], number[]] = [[], []];
  await follow((task) =>
    pRetry(task, {
      retries: 2,
      onFailedAttempt: ({ attemptNumber }) => void theirs.push(attemptNumber),
    }),
  );
  await follow((task) => retry(task, { onRetry: ({ attempt }) => ours.push(attempt + 1) }));
  expect([theirs, ours]).toEqual([
    [1, 2, 3],
    [1, 2],
  ]);
});

row(8, 'signal ends a delay with its reason', async () => {
  for (const run of [
    (signal: AbortSignal) => pRetry(fails, { signal }),
    (signal: AbortSignal) => retry(fails, { signal }),
  ]) {
    const controller = new AbortController();
    const ended = quiet(run(controller.signal));
    await vi.advanceTimersByTimeAsync(500);
    controller.abort(down);
    expect(await ended).toBe(down);
    expect(vi.getTimerCount()).toBe(0);
  }
});

row(9, 'differs: maxRetryTime cuts no running attempt, timeoutMs does', async () => {
  const slow = () => new Promise((resolve) => setTimeout(() => resolve('late'), 5_000));
  const theirs = await follow((task) => pRetry(task, { maxRetryTime: 1_000 }), slow);
  const ours = await follow((task) => retry(task, { timeoutMs: 1_000 }), slow);
  expect(theirs.end).toBe('late');
  expect(ours.end).toMatchObject({ code: 'REQUEST_TIMEOUT' });
});

row(10, 'differs: when the time is over, the last failure is the cause', async () => {
  const theirs = await follow((task) => pRetry(task, { maxRetryTime: 2_500 }));
  const ours = await follow((task) => retry(task, { timeoutMs: 2_500 }));
  // Its last delay is cut to what is left, for an attempt at the very end.
  expect(theirs).toEqual({ at: [0, 1_000, 2_500], end: down });
  expect(ours).toMatchObject({ at: [0, 1_000], end: { code: 'REQUEST_TIMEOUT', cause: down } });
});

row(11, 'differs: a TypeError that fetch did not make is not retried there', async () => {
  const bug = () => Promise.reject(new TypeError('x is not a function'));
  const shouldRetry = (error: unknown) => !(error instanceof TypeError);
  expect((await follow((task) => pRetry(task), bug)).at).toHaveLength(1);
  expect((await follow((task) => retry(task), bug)).at).toHaveLength(3);
  expect((await follow((task) => retry(task, { shouldRetry }), bug)).at).toHaveLength(1);
});

row(12, 'differs: what is thrown and no error is replaced there', async () => {
  const text = () => Promise.reject('down' as unknown as Error);
  expect((await follow((task) => pRetry(task, { retries: 0 }), text)).end).toBeInstanceOf(
    TypeError,
  );
  expect((await follow((task) => retry(task, { maxAttempts: 1 }), text)).end).toBe('down');
});

row(13, 'differs: an onFailedAttempt that throws ends the retry, an onRetry does not', async () => {
  const boom = () => {
    throw new Error('listener');
  };
  const theirs = await follow((task) => pRetry(task, { retries: 2, onFailedAttempt: boom }));
  const ours = await follow((task) => retry(task, { onRetry: boom }));
  expect([theirs.at.length, ours.at.length]).toEqual([1, 3]);
});

row(14, 'differs: randomize lengthens a delay, and is cut by the cap', async () => {
  const random = vi.spyOn(Math, 'random').mockReturnValue(0.5);
  const theirs = await follow((task) =>
    pRetry(task, { retries: 3, randomize: true, minTimeout: 1_000, maxTimeout: 2_000 }),
  );
  const backoff = exponential({ baseMs: 1_000, maxMs: 2_000, jitter: true });
  const ours = await follow((task) => retry(task, { maxAttempts: 4, backoff }));
  // Drawn from 1 to 2 times the delay, and then capped; here from 0.5 to 1.5 times, within the cap.
  expect(theirs.at).toEqual([0, 1_500, 3_500, 5_500]);
  expect(ours.at).toEqual([0, 1_000, 2_500, 4_000]);
  random.mockRestore();
});
