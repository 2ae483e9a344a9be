import { expect, test, vi } from 'vitest';
import {
  CircuitBreaker,
  CircuitOpenError,
  slowCallRate,
  type CircuitBreakerOptions,
} from './index.ts';

function setup(options: CircuitBreakerOptions = {}) {
  const clock = { t: 0 };
  const breaker = new CircuitBreaker({ now: () => clock.t, ...options });
  return { clock, breaker };
}

const boom = new Error('boom');
const reject = () => Promise.reject(boom);
const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable(),
    (error: unknown) => error,
  );

test('K20 execute returns what fn returns, and counts what it throws', async () => {
  const { breaker } = setup();
  expect(await breaker.execute(() => 1)).toBe(1);
  expect(await breaker.execute(async () => 2)).toBe(2);
  // What is not quite a promise is waited for as well.
  class Later<Value> extends Promise<Value> {}
  expect(await breaker.execute(() => Later.resolve(3))).toBe(3);
  expect(await caught(breaker.execute(reject))).toBe(boom);
  const throws = () => {
    throw boom;
  };
  expect(await caught(breaker.execute(throws))).toBe(boom);
  expect(breaker.failureCount).toBe(2);
});

test('K20 execute never throws synchronously', async () => {
  const { breaker } = setup();
  breaker.forceOpen();
  const refused = breaker.execute(() => 1);
  expect(await caught(refused)).toBeInstanceOf(CircuitOpenError);
  const badCalls = [
    () => breaker.execute(5 as never),
    () => breaker.execute(() => 1, { signals: 1 } as never),
    () => breaker.execute(() => 1, { isFailure: true } as never),
    () => breaker.execute(() => 1, { signal: null } as never),
  ];
  const names = [
    /^fn must be a function, got a number$/,
    /^unknown option "signals"; known are signal,/,
    /isFailure/,
    /signal/,
  ];
  for (const [i, call] of badCalls.entries()) {
    const error = await caught(call());
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toMatch(names[i]!);
  }
});

test('K20 a refusal does not call fn, names the circuit and the time, and has no stack', async () => {
  const { clock, breaker } = setup({ name: 'db' });
  breaker.trip();
  clock.t = 10_000;
  const fn = vi.fn();
  const limit = Error.stackTraceLimit;
  const error = (await caught(breaker.execute(fn))) as CircuitOpenError;
  expect(fn).not.toHaveBeenCalled();
  expect(Error.stackTraceLimit).toBe(limit);
  expect(error).toBeInstanceOf(Error);
  expect(Object.fromEntries(Object.entries(error))).toEqual({
    code: 'CIRCUIT_OPEN',
    circuit: 'db',
    state: 'open',
    retryAfterMs: 20_000,
  });
  expect(error.name).toBe('CircuitOpenError');
  expect(error.message).toBe('circuit db is open');
  expect(error.stack).toBe('CircuitOpenError: circuit db is open');
});

test('K20 a signal aborted before: fn is not called, nothing consumed, its reason rejects', async () => {
  const { clock, breaker } = setup();
  breaker.trip();
  clock.t = 30_000;
  const fn = vi.fn();
  const error = await caught(breaker.execute(fn, { signal: AbortSignal.abort(boom) }));
  expect([error, breaker.generation]).toEqual([boom, 1]);
  expect(fn).not.toHaveBeenCalled();
  expect(breaker.canAttempt()).toBe(true);
});

test('K20 fn failing while the signal is aborted is neither success nor failure', async () => {
  const { clock, breaker } = setup({ failureThreshold: 1 });
  const cancelled = () => {
    const controller = new AbortController();
    const fn = () => {
      controller.abort();
      throw boom;
    };
    return caught(breaker.execute(fn, { signal: controller.signal }));
  };
  expect(await cancelled()).toBe(boom);
  expect([breaker.state, breaker.failureCount]).toEqual(['closed', 0]);
  breaker.trip();
  clock.t = 30_000;
  await cancelled();
  expect([breaker.state, breaker.canAttempt()]).toEqual(['half_open', true]);
});

test('K20 a success counts although the signal is aborted by then', async () => {
  const { clock, breaker } = setup();
  breaker.trip();
  clock.t = 30_000;
  const controller = new AbortController();
  const { signal } = controller;
  expect(await breaker.execute(async () => controller.abort(), { signal })).toBeUndefined();
  expect(breaker.state).toBe('closed');
});

test('K20 isFailure false makes an error a success; anything else leaves it a failure', async () => {
  const { clock, breaker } = setup({ failureThreshold: 1 });
  expect(await caught(breaker.execute(reject, { isFailure: () => false }))).toBe(boom);
  expect(breaker.failureCount).toBe(0);
  await caught(breaker.execute(reject, { isFailure: (error) => error === boom }));
  expect(breaker.state).toBe('open');
  clock.t = 30_000;
  await caught(breaker.execute(reject, { isFailure: () => false }));
  expect(breaker.state).toBe('closed');
});

test('K20 the options of one call say nothing about the next', async () => {
  const { breaker } = setup();
  await caught(breaker.execute(reject, { isFailure: () => false }));
  await caught(breaker.execute(reject));
  const { signal } = new AbortController();
  expect(await caught(breaker.execute(reject, { signal }))).toBe(boom);
  expect(breaker.failureCount).toBe(2);
});

test('a rule that needs no durations gets 0', async () => {
  const durations: number[] = [];
  const create = () => ({
    record: (_failed: boolean, _now: () => number, durationMs: number) =>
      void durations.push(durationMs),
    failureCount: () => 0,
  });
  const { clock, breaker } = setup({ trip: { create } });
  await breaker.execute(async () => void (clock.t += 5));
  await caught(breaker.execute(reject));
  breaker.fail(breaker.acquire());
  breaker.succeed(breaker.acquire());
  expect(durations).toEqual([0, 0, 0, 0]);
});

test('K20 a throwing isFailure settles the call as failed, and its error rejects', async () => {
  const { clock, breaker } = setup();
  breaker.trip();
  clock.t = 30_000;
  const thrown = new Error('isFailure');
  const isFailure = () => {
    throw thrown;
  };
  expect(await caught(breaker.execute(reject, { isFailure }))).toBe(thrown);
  expect([breaker.state, breaker.nextTestAt]).toEqual(['open', 60_000]);
});

test('K20 execute waits for fn, it does not race it', async () => {
  const { breaker } = setup();
  const controller = new AbortController();
  let finish = (_value: string) => {};
  const call = breaker.execute(() => new Promise<string>((resolve) => (finish = resolve)), {
    signal: controller.signal,
  });
  const settled = vi.fn();
  void call.then(settled, settled);
  controller.abort();
  for (let i = 0; i < 10; i++) await Promise.resolve();
  expect(settled).not.toHaveBeenCalled();
  finish('late');
  expect(await call).toBe('late');
});

test('K7 K8 a call of an earlier era changes nothing, whatever it ends with', async () => {
  const { clock, breaker } = setup({ failureThreshold: 1 });
  let end = { good: () => {}, bad: (_error: Error) => {} };
  const pending = () =>
    new Promise<void>((resolve, fail) => {
      end = { good: resolve, bad: fail };
    });
  for (const ending of ['good', 'bad'] as const) {
    const stale = breaker.execute(pending).catch(() => {});
    breaker.trip();
    clock.t += 30_000;
    const probe = breaker.acquire();
    end[ending](boom);
    await stale;
    expect([breaker.state, breaker.acquire()]).toEqual(['half_open', 0]);
    breaker.succeed(probe);
    expect(breaker.state).toBe('closed');
  }
});

test('K6 an execute is the test: its success closes, its failure opens', async () => {
  const { clock, breaker } = setup();
  breaker.trip();
  clock.t = 30_000;
  await caught(breaker.execute(reject));
  expect(breaker.nextTestAt).toBe(60_000);
  clock.t = 60_000;
  await breaker.execute(() => 1);
  expect(breaker.state).toBe('closed');
});

test('K17 execute measures the call where the rule needs it, and only there', async () => {
  const trip = slowCallRate({ slowMs: 1_000, ratio: 1, windowSize: 2 });
  const { clock, breaker } = setup({ trip });
  clock.t = 5_000;
  const takes = (ms: number) => async () => void (clock.t += ms);
  const fails = (ms: number) => async () => {
    clock.t += ms;
    throw boom;
  };
  await breaker.execute(takes(1_000));
  await caught(breaker.execute(fails(1_000)));
  await breaker.execute(takes(1_000));
  expect(breaker.failureCount).toBe(0);
  await breaker.execute(takes(1_001));
  expect([breaker.state, breaker.failureCount]).toEqual(['closed', 1]);
  await caught(breaker.execute(fails(1_001)));
  expect(breaker.state).toBe('open');
  // The default rule ignores successes: such a call reads no clock at all.
  const now = vi.fn(() => 0);
  const plain = new CircuitBreaker({ now });
  await plain.execute(() => 1);
  expect(now).not.toHaveBeenCalled();
});
