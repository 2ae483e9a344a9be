import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  CircuitBreaker,
  consecutiveFailures,
  slowCallRate,
  TimeoutError,
  type ExecuteOptions,
} from './index.ts';

const boom = new Error('boom');
const reject = () => Promise.reject(boom);
const never = () => new Promise<never>(() => {});
const caught = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable(),
    (error: unknown) => error,
  );

/** Rejects with the signal's reason, as fetch does. */
const hang = (signal: AbortSignal) =>
  new Promise<never>((_, no) => {
    signal.addEventListener('abort', () => no(signal.reason as Error));
  });

function abortedWith(reason: unknown) {
  const controller = new AbortController();
  const fails = () => {
    controller.abort(reason);
    throw boom;
  };
  return { signal: controller.signal, fails };
}

describe('K20 a signal with a timeout as its reason', () => {
  test.each([
    ['the TimeoutError of AbortSignal.timeout', new DOMException('late', 'TimeoutError'), 1],
    ['any error named so', Object.assign(new Error('late'), { name: 'TimeoutError' }), 1],
    ['code ATTEMPT_TIMEOUT', { code: 'ATTEMPT_TIMEOUT' }, 1],
    ['code REQUEST_TIMEOUT', { code: 'REQUEST_TIMEOUT' }, 1],
    ['the error of a client that waited too long', { code: 'UND_ERR_HEADERS_TIMEOUT' }, 1],
    ['no reason, which is an AbortError', undefined, 0],
    ['null', null, 0],
    ['a string', 'TimeoutError', 0],
    ['an error of another name and code', Object.assign(new Error('x'), { code: 'E' }), 0],
  ])('K20 a failure while it is aborted with %s counts %s', async (_, reason, count) => {
    const breaker = new CircuitBreaker();
    const { signal, fails } = abortedWith(reason);
    expect(await caught(breaker.execute(fails, { signal }))).toBe(boom);
    expect([breaker.failureCount, breaker.stats().ignored]).toEqual([count, 1 - count]);
  });

  test('K20 a dependency that hangs opens the circuit', async () => {
    const breaker = new CircuitBreaker({ failureThreshold: 3 });
    for (let i = 0; i < 3; i++) {
      const signal = AbortSignal.timeout(1);
      await caught(breaker.execute(() => hang(signal), { signal }));
    }
    expect(breaker.state).toBe('open');
  });

  test('K20 isFailure decides on it, as on any failure, and is not asked about a cancelled call', async () => {
    const breaker = new CircuitBreaker();
    const asked: unknown[] = [];
    const isFailure = (error: unknown) => {
      asked.push(error);
      return false;
    };
    const cancelled = abortedWith('stop');
    await caught(breaker.execute(cancelled.fails, { isFailure, signal: cancelled.signal }));
    expect(asked).toEqual([]);
    const late = abortedWith({ code: 'ATTEMPT_TIMEOUT' });
    await caught(breaker.execute(late.fails, { isFailure, signal: late.signal }));
    expect([asked, breaker.failureCount]).toEqual([[boom], 0]);
  });
});

describe('K20b verdicts', () => {
  test.each([
    ['isFailure true', reject, { isFailure: () => true }, 'failures'],
    ['isFailure false', reject, { isFailure: () => false }, 'successes'],
    ["isFailure 'ignore'", reject, { isFailure: () => 'ignore' }, 'ignored'],
    ['isResultFailure true', () => 503, { isResultFailure: () => true }, 'failures'],
    ['isResultFailure false', () => 503, { isResultFailure: () => false }, 'successes'],
    ["isResultFailure 'ignore'", () => 503, { isResultFailure: () => 'ignore' }, 'ignored'],
    ['isResultFailure beside an error', reject, { isResultFailure: () => false }, 'failures'],
    ['isFailure beside a result', () => 503, { isFailure: () => true }, 'successes'],
  ] as [string, () => unknown, ExecuteOptions, string][])(
    'K20b %s',
    async (_, fn, options, count) => {
      const breaker = new CircuitBreaker();
      await breaker.execute(fn, options).catch(() => {});
      const none = { successes: 0, failures: 0, ignored: 0, refused: 0 };
      expect(breaker.stats()).toEqual({ ...none, [count]: 1 });
      expect(breaker.failureCount).toBe(count === 'failures' ? 1 : 0);
    },
  );

  test('K20b a resolved 503 opens the circuit, is passed on, and is the cause of refusals', async () => {
    const breaker = new CircuitBreaker({ failureThreshold: 1 });
    const response = { status: 503 };
    const isResultFailure = ({ status }: typeof response) => status >= 500;
    expect(await breaker.execute(async () => response, { isResultFailure })).toBe(response);
    expect(breaker.state).toBe('open');
    expect(await caught(breaker.execute(reject))).toMatchObject({ cause: response });
  });

  test('K20b an isFailure that returns nothing leaves the error a failure', async () => {
    const breaker = new CircuitBreaker();
    await caught(breaker.execute(reject, { isFailure: () => undefined as never }));
    expect([breaker.failureCount, breaker.stats().failures]).toEqual([1, 1]);
  });

  test("K20b 'ignore' gives a test's permit back", async () => {
    let t = 0;
    const breaker = new CircuitBreaker({ now: () => t });
    breaker.trip();
    t = 30_000;
    await caught(breaker.execute(reject, { isFailure: () => 'ignore' }));
    expect([breaker.state, breaker.canAttempt()]).toEqual(['half_open', true]);
  });

  test("K20b 'ignore' is no success either: a run of failures goes on", async () => {
    const breaker = new CircuitBreaker({ trip: consecutiveFailures(2) });
    await caught(breaker.execute(reject));
    await caught(breaker.execute(reject, { isFailure: () => 'ignore' }));
    breaker.release(breaker.acquire());
    await caught(breaker.execute(reject));
    expect(breaker.state).toBe('open');
  });

  test('K20b an isResultFailure that throws settles the call as failed, and its error rejects', async () => {
    const breaker = new CircuitBreaker();
    const isResultFailure = () => {
      throw boom;
    };
    expect(await caught(breaker.execute(() => 1, { isResultFailure }))).toBe(boom);
    expect(breaker.failureCount).toBe(1);
  });
});

describe('K20b timeoutMs and the signal of fn', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  test('K20b a call that takes longer is rejected with a TimeoutError, which counts', async () => {
    const breaker = new CircuitBreaker({ failureThreshold: 1 });
    let given: AbortSignal | undefined;
    const call = caught(
      breaker.execute(
        ({ signal }) => {
          given = signal;
          return never();
        },
        { timeoutMs: 100 },
      ),
    );
    await vi.advanceTimersByTimeAsync(99);
    expect([breaker.state, given?.aborted]).toEqual(['closed', false]);
    await vi.advanceTimersByTimeAsync(1);
    const error = await call;
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({
      name: 'TimeoutError',
      code: 'ATTEMPT_TIMEOUT',
      message: 'did not end within 100 ms',
    });
    expect([breaker.state, given?.aborted, given?.reason]).toEqual(['open', true, error]);
  });

  test('K20b what comes after the limit changes nothing, and its rejection is handled', async () => {
    const breaker = new CircuitBreaker();
    let fail = (_error: Error) => {};
    const hung = new Promise<string>((_, no) => (fail = no));
    const call = caught(breaker.execute(() => hung, { timeoutMs: 10 }));
    await vi.advanceTimersByTimeAsync(10);
    expect(await call).toBeInstanceOf(TimeoutError);
    fail(boom);
    await vi.advanceTimersByTimeAsync(10);
    expect(breaker.stats()).toEqual({ successes: 0, failures: 1, ignored: 0, refused: 0 });
  });

  test('K20b a call that ends in time leaves no timer and no listener', async () => {
    const breaker = new CircuitBreaker();
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    const options = { signal, timeoutMs: 1000 };
    const answer = breaker.execute(async () => 1, options);
    expect(vi.getTimerCount()).toBe(1);
    expect(await answer).toBe(1);
    expect(await caught(breaker.execute(reject, options))).toBe(boom);
    const throws = () => {
      throw boom;
    };
    expect(await caught(breaker.execute(throws, options))).toBe(boom);
    const late = caught(breaker.execute(never, options));
    await vi.advanceTimersByTimeAsync(1000);
    expect(await late).toBeInstanceOf(TimeoutError);
    expect(added).toHaveBeenCalledTimes(4);
    expect(removed.mock.calls).toEqual(added.mock.calls);
  });

  test('K20b the caller’s abort reaches fn under a limit, with its reason, and is neutral', async () => {
    const breaker = new CircuitBreaker();
    const controller = new AbortController();
    const call = breaker.execute(({ signal }) => hang(signal), {
      signal: controller.signal,
      timeoutMs: 1000,
    });
    controller.abort(boom);
    expect(await caught(call)).toBe(boom);
    expect(breaker.stats()).toEqual({ successes: 0, failures: 0, ignored: 1, refused: 0 });
  });

  test('K20b a cancelled call that goes on until the limit is neutral', async () => {
    const breaker = new CircuitBreaker();
    const controller = new AbortController();
    const call = caught(breaker.execute(never, { signal: controller.signal, timeoutMs: 1000 }));
    controller.abort();
    await vi.advanceTimersByTimeAsync(1000);
    expect(await call).toBeInstanceOf(TimeoutError);
    expect(breaker.stats().ignored).toBe(1);
  });

  test('K20b fn is given the caller’s own signal; none without signal and limit', async () => {
    const breaker = new CircuitBreaker();
    const { signal } = new AbortController();
    expect(await breaker.execute((call) => call.signal, { signal })).toBe(signal);
    expect(await breaker.execute((call) => call.signal)).toBeUndefined();
    expect(await breaker.execute((call) => call.signal, {})).toBeUndefined();
    const slow = new CircuitBreaker({ trip: slowCallRate({ slowMs: 1, ratio: 1 }) });
    expect(await slow.execute((call) => call.signal)).toBeUndefined();
  });

  test.each([0, -1, NaN, Infinity, 2 ** 31])('K20b timeoutMs %s is refused', async (timeoutMs) => {
    const fn = vi.fn();
    const error = await caught(new CircuitBreaker().execute(fn, { timeoutMs }));
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({
      message: `timeoutMs must be a number from 1 to 2147483647, got ${timeoutMs}`,
    });
    expect(fn).not.toHaveBeenCalled();
  });

  test('K20b the bounds of timeoutMs are allowed', async () => {
    const breaker = new CircuitBreaker();
    for (const timeoutMs of [1, 2 ** 31 - 1]) {
      expect(await breaker.execute(() => 1, { timeoutMs })).toBe(1);
    }
  });

  test('K20b a limited call that is refused starts no timer', async () => {
    const breaker = new CircuitBreaker();
    breaker.forceOpen();
    const call = caught(breaker.execute(never, { timeoutMs: 10 }));
    expect(vi.getTimerCount()).toBe(0);
    expect(await call).toMatchObject({ code: 'CIRCUIT_OPEN' });
  });
});

describe('K20b the cause of a refusal', () => {
  const opened = async (failure: unknown) => {
    const clock = { t: 0 };
    const breaker = new CircuitBreaker({ failureThreshold: 2, now: () => clock.t });
    await caught(breaker.execute(() => Promise.reject(new Error('first'))));
    await caught(breaker.execute(() => Promise.reject(failure as Error)));
    return { clock, breaker };
  };
  const refusal = async (breaker: CircuitBreaker) =>
    (await caught(breaker.execute(reject))) as Error;

  test('K20b it is the failure that opened, then the one that failed the test', async () => {
    const { clock, breaker } = await opened(boom);
    expect((await refusal(breaker)).cause).toBe(boom);
    clock.t = 30_000;
    const second = new Error('second');
    await caught(breaker.execute(() => Promise.reject(second), { isFailure: () => true }));
    expect((await refusal(breaker)).cause).toBe(second);
    clock.t = 60_000;
    breaker.acquire();
    expect(await refusal(breaker)).toMatchObject({ cause: second, state: 'half_open' });
  });

  test('K20b a ticket may bring its error', async () => {
    const breaker = new CircuitBreaker({ failureThreshold: 1 });
    breaker.fail(breaker.acquire(), 0, boom);
    expect((await refusal(breaker)).cause).toBe(boom);
  });

  test('K20b there is none when no call opened it, nor after an override', async () => {
    const breaker = new CircuitBreaker({ failureThreshold: 1 });
    breaker.trip();
    expect('cause' in (await refusal(breaker))).toBe(false);
    breaker.reset();
    await caught(breaker.execute(reject));
    breaker.forceOpen();
    expect('cause' in (await refusal(breaker))).toBe(false);
  });

  test('K20b an opened circuit holds one error, a closed one none', async () => {
    const collected = new Set<string>();
    const registry = new FinalizationRegistry<string>((name) => collected.add(name));
    const failWith = async (breaker: CircuitBreaker, name: string) => {
      const error = new Error(name);
      registry.register(error, name);
      await breaker.execute(() => Promise.reject(error)).catch(() => {});
    };
    const closed = new CircuitBreaker();
    await failWith(closed, 'of a closed one');
    const open = new CircuitBreaker({ failureThreshold: 2 });
    await failWith(open, 'before the last');
    await failWith(open, 'the last');
    const { gc } = globalThis as { gc?: () => void };
    // The workers of vitest have no gc() without a flag; a context made after the flag is set has one.
    const { setFlagsFromString } = await import('node:v8');
    setFlagsFromString('--expose-gc');
    const collect = gc ?? ((await import('node:vm')).runInNewContext('gc') as () => void);
    await vi.waitFor(() => {
      collect();
      expect([...collected].sort()).toEqual(['before the last', 'of a closed one']);
    });
    expect([closed.state, open.state]).toEqual(['closed', 'open']);
  });
});

describe('K20b stats', () => {
  test('K20b every settled and every refused call is counted once, in any state', async () => {
    const breaker = new CircuitBreaker({ failureThreshold: 1 });
    expect(breaker.stats()).toEqual({ successes: 0, failures: 0, ignored: 0, refused: 0 });
    const late = [breaker.acquire(), breaker.acquire(), breaker.acquire()] as const;
    await breaker.execute(() => 1);
    await caught(breaker.execute(reject));
    expect(breaker.inFlight).toBe(3);
    await caught(breaker.execute(reject));
    expect(breaker.acquire()).toBe(0);
    expect(breaker.canAttempt()).toBe(false);
    breaker.succeed(late[0]);
    breaker.fail(late[1]);
    breaker.release(late[2]);
    expect(breaker.stats()).toEqual({ successes: 2, failures: 2, ignored: 1, refused: 2 });
    expect(breaker.inFlight).toBe(0);
    breaker.reset();
    breaker.disable();
    breaker.fail(breaker.acquire());
    expect(breaker.stats().failures).toBe(3);
  });

  test('K20b what a refused caller settles is not counted', () => {
    const breaker = new CircuitBreaker();
    breaker.forceOpen();
    const ticket = breaker.acquire();
    breaker.fail(ticket);
    breaker.succeed(ticket);
    breaker.release(ticket);
    expect(breaker.stats()).toEqual({ successes: 0, failures: 0, ignored: 0, refused: 1 });
    expect(breaker.inFlight).toBe(0);
  });
});
