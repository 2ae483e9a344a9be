import { expect, expectTypeOf, test } from 'vitest';
import { CircuitBreaker, type ExecuteOptions } from './index.ts';

const breaker = new CircuitBreaker();

test('K20b execute keeps the type of what fn gives, promise or not', async () => {
  expectTypeOf(breaker.execute(() => 1)).toEqualTypeOf<Promise<number>>();
  expectTypeOf(breaker.execute(async () => 'x' as const)).toEqualTypeOf<Promise<'x'>>();
  const either = () => (breaker.inFlight > 9 ? 1 : Promise.resolve('x'));
  expectTypeOf(breaker.execute<number | string>(either)).toEqualTypeOf<Promise<number | string>>();
  function wrapped<Result>(fn: () => Promise<Result>): Promise<Result> {
    return breaker.execute(fn, { timeoutMs: 1000 });
  }
  expectTypeOf(wrapped(async () => 5)).toEqualTypeOf<Promise<number>>();
  expect(await wrapped(async () => 5)).toBe(5);
});

test('K20b fn has a signal for certain when there is a signal or a limit', async () => {
  const { signal } = new AbortController();
  await breaker.execute((call) => expectTypeOf(call.signal).toEqualTypeOf<AbortSignal>(), {
    timeoutMs: 1000,
  });
  await breaker.execute((call) => expectTypeOf(call.signal).toEqualTypeOf<AbortSignal>(), {
    signal,
  });
  await breaker.execute((call) =>
    expectTypeOf(call.signal).toEqualTypeOf<AbortSignal | undefined>(),
  );
  const perhaps: ExecuteOptions = { signal: undefined };
  await breaker.execute((call) => {
    expectTypeOf(call.signal).toEqualTypeOf<AbortSignal | undefined>();
  }, perhaps);
  // @ts-expect-error without options there is none
  await breaker.execute(({ signal: none }: { signal: AbortSignal }) => void none);
});

test('K20b isResultFailure is given what fn gives', async () => {
  await breaker.execute(async () => ({ status: 503 }), {
    isResultFailure: (result) => {
      expectTypeOf(result).toEqualTypeOf<{ status: number }>();
      return result.status === 503 ? 'ignore' : false;
    },
    isFailure: (error) => {
      expectTypeOf(error).toBeUnknown();
      return true;
    },
  });
});
