import { CircuitBreaker, failureRate, type CircuitBreakerOptions } from '@whirl/circuit-breaker';
import fc from 'fast-check';
import Opossum from 'opossum';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { rowsOf } from './rows.ts';

const row = rowsOf('opossum');
type Fn = () => Promise<unknown>;
const fails = () => Promise.reject(new Error('down'));
const works = async () => 'up';
const quiet = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);
const opened: { shutdown(): void }[] = [];

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  for (const circuit of opened.splice(0)) circuit.shutdown();
  vi.useRealTimers();
});

function pair(theirOptions: Opossum.Options, ourOptions: CircuitBreakerOptions) {
  const theirs = new Opossum((fn: Fn) => fn(), { timeout: false, ...theirOptions });
  opened.push(theirs);
  const ours = new CircuitBreaker(ourOptions);
  const call = async (fn: Fn) => {
    await quiet(theirs.fire(fn));
    await quiet(ours.execute(fn));
  };
  return { theirs, ours, call };
}

const half = { errorThresholdPercentage: 50, rollingCountTimeout: 10_000 };
const rate = (minimumCalls: number) => ({
  trip: failureRate({ ratio: 0.5 + 1e-9, windowMs: 10_000, minimumCalls }),
});

row(1, 'fire(...args) is execute(() => fn(...args))', async () => {
  const sum = async (a: number, b: number) => a + b;
  const theirs = new Opossum(sum);
  opened.push(theirs);
  expect(await theirs.fire(2, 3)).toBe(5);
  expect(await new CircuitBreaker().execute(() => sum(2, 3))).toBe(5);
});

row(2, 'errorThresholdPercentage is exceeded there, reached here; volumeThreshold', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 30 }), async (outcomes) => {
      const { theirs, ours, call } = pair({ ...half, volumeThreshold: 6 }, rate(6));
      for (const [i, works_] of outcomes.entries()) {
        // The call that reaches the volume fails: a success can open here, and not there.
        await call(works_ && i !== 5 ? works : fails);
        expect(ours.state === 'open').toBe(theirs.opened);
        if (theirs.opened) break;
      }
    }),
    { numRuns: 100 },
  );
});

row(3, 'without a volumeThreshold the first failure opens', async () => {
  const { theirs, ours, call } = pair(half, rate(1));
  await call(fails);
  expect([theirs.opened, ours.state]).toEqual([true, 'open']);
});

row(4, 'resetTimeout is openMs; one test, which decides', async () => {
  const { theirs, ours, call } = pair(
    { ...half, resetTimeout: 5_000 },
    { ...rate(1), openMs: 5_000 },
  );
  for (const test of [fails, works]) {
    await call(test === fails ? fails : works);
    if (test === fails) {
      vi.advanceTimersByTime(4_999);
      expect([theirs.opened, ours.state]).toEqual([true, 'open']);
      vi.advanceTimersByTime(1);
      expect([theirs.halfOpen, ours.state]).toEqual([true, 'half_open']);
    }
  }
  expect([theirs.closed, ours.state]).toEqual([true, 'closed']);
});

row(5, 'timeout is timeoutMs of execute, and counts', async () => {
  const hangs = () => new Promise<never>(() => {});
  const theirs = new Opossum(hangs, { ...half, timeout: 100 });
  opened.push(theirs);
  const ours = new CircuitBreaker(rate(1));
  const ended = [quiet(theirs.fire()), quiet(ours.execute(hangs, { timeoutMs: 100 }))];
  await vi.advanceTimersByTimeAsync(100);
  expect(await ended[0]).toMatchObject({ code: 'ETIMEDOUT' });
  expect(await ended[1]).toMatchObject({ code: 'ATTEMPT_TIMEOUT', name: 'TimeoutError' });
  expect([theirs.opened, ours.state]).toEqual([true, 'open']);
});

row(6, 'errorFilter is isFailure, the other way round', async () => {
  const isMine = (error: Error) => error.message === 'mine';
  const mine = () => Promise.reject(new Error('mine'));
  const theirs = new Opossum((fn: Fn) => fn(), { ...half, timeout: false, errorFilter: isMine });
  opened.push(theirs);
  const ours = new CircuitBreaker(rate(1));
  const isFailure = (error: unknown) => !isMine(error as Error);
  expect(await quiet(theirs.fire(mine))).toMatchObject({ message: 'mine' });
  expect(await quiet(ours.execute(mine, { isFailure }))).toMatchObject({ message: 'mine' });
  expect([theirs.closed, theirs.stats.successes]).toEqual([true, 1]);
  expect([ours.state, ours.stats().successes]).toEqual(['closed', 1]);
});

row(7, 'fallback is a catch around execute', async () => {
  const { theirs, ours } = pair(half, rate(1));
  theirs.fallback(() => 'cached');
  const call = () => ours.execute(fails).catch(() => 'cached');
  for (let i = 0; i < 2; i++) {
    expect([await theirs.fire(fails), await call()]).toEqual(['cached', 'cached']);
  }
  expect([theirs.opened, ours.state]).toEqual([true, 'open']);
});

row(8, 'open(), close() and disable()', async () => {
  const { theirs, ours } = pair({ ...half, resetTimeout: 5_000 }, { ...rate(1), openMs: 5_000 });
  theirs.open();
  ours.trip();
  expect(await quiet(theirs.fire(works))).toMatchObject({ code: 'EOPENBREAKER' });
  expect(await quiet(ours.execute(works))).toMatchObject({ code: 'CIRCUIT_OPEN' });
  theirs.close();
  ours.reset();
  expect([await theirs.fire(works), await ours.execute(works)]).toEqual(['up', 'up']);
  theirs.disable();
  ours.disable();
  for (let i = 0; i < 5; i++) {
    await quiet(theirs.fire(fails));
    await quiet(ours.execute(fails));
  }
  expect([theirs.opened, ours.state]).toEqual([false, 'disabled']);
});

row(9, "on('open'), on('halfOpen') and on('close') are on()", async () => {
  const { theirs, ours, call } = pair({ ...half, resetTimeout: 100 }, { ...rate(1), openMs: 100 });
  const [told, heard]: [string[], string[]] = [[], []];
  for (const type of ['open', 'halfOpen', 'close'] as const) {
    theirs.on(type as 'open', () => told.push(type));
  }
  ours.on('circuit:transition', ({ to }) => heard.push(to));
  await call(fails);
  vi.advanceTimersByTime(100);
  await call(works);
  expect(told).toEqual(['open', 'halfOpen', 'close']);
  expect(heard).toEqual(['open', 'half_open', 'closed']);
});

row(10, 'stats: fires, successes, failures, rejects', async () => {
  const { theirs, ours, call } = pair({ ...half, volumeThreshold: 3 }, rate(3));
  for (const fn of [works, fails, fails, works]) await call(fn);
  const { fires, successes, failures, rejects } = theirs.stats;
  const stats = ours.stats();
  expect([successes, failures, rejects]).toEqual([1, 2, 1]);
  expect(stats).toEqual({ successes: 1, failures: 2, ignored: 0, refused: 1 });
  expect(fires).toBe(Object.values(stats).reduce((sum, each) => sum + each));
});

row(11, 'differs: a success that reaches the volume can open here', async () => {
  const { theirs, ours, call } = pair({ ...half, volumeThreshold: 3 }, rate(3));
  for (const fn of [fails, fails, works]) await call(fn);
  expect([theirs.opened, ours.state]).toEqual([false, 'open']);
});

row(12, 'differs: calls in flight count as calls there', async () => {
  const { theirs, ours } = pair({ ...half, volumeThreshold: 1 }, rate(1));
  for (let i = 0; i < 5; i++) {
    void theirs.fire(() => new Promise(() => {}));
    void ours.execute(() => new Promise(() => {}));
  }
  await quiet(theirs.fire(fails));
  await quiet(ours.execute(fails));
  expect([theirs.opened, ours.state]).toEqual([false, 'open']);
});

row(13, 'differs: a timeout is 10 s there by default, and there is none here', async () => {
  const slow = () => new Promise((resolve) => setTimeout(() => resolve('late'), 20_000));
  const theirs = new Opossum(slow);
  opened.push(theirs);
  const ended = [quiet(theirs.fire()), quiet(new CircuitBreaker().execute(slow))];
  await vi.advanceTimersByTimeAsync(20_000);
  expect(await ended[0]).toMatchObject({ code: 'ETIMEDOUT' });
  expect(await ended[1]).toBe('late');
});

row(14, 'differs: more calls than capacity are failures there', async () => {
  const { theirs } = pair({ ...half, capacity: 1 }, {});
  void theirs.fire(() => new Promise(() => {}));
  expect(await quiet(theirs.fire(works))).toMatchObject({ code: 'ESEMLOCKED' });
  expect(theirs.stats.failures).toBe(1);
});

row(15, 'differs: a call of before that ends late closes the circuit there', async () => {
  const { theirs, ours } = pair({ ...half, resetTimeout: 100 }, { ...rate(1), openMs: 100 });
  let end = (_value: string) => {};
  const late = () => new Promise<string>((resolve) => (end = resolve));
  const theirCall = theirs.fire(late);
  const endTheirs = end;
  const ourCall = ours.execute(late);
  const endOurs = end;
  theirs.open();
  ours.trip();
  vi.advanceTimersByTime(100);
  endTheirs('late');
  endOurs('late');
  expect([await theirCall, await ourCall]).toEqual(['late', 'late']);
  expect([theirs.closed, ours.state]).toEqual([true, 'half_open']);
});
