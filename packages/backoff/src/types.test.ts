import { expect, expectTypeOf, it } from 'vitest';
import { retry, type RetryOptions } from './index.ts';

it('R1 retry keeps the type of what the task gives, promise or not', async () => {
  expectTypeOf(retry(() => 1)).toEqualTypeOf<Promise<number>>();
  expectTypeOf(retry(async () => 'x' as const)).toEqualTypeOf<Promise<'x'>>();
  function wrapped<T>(task: () => Promise<T>): Promise<T> {
    return retry(task, { timeoutMs: 1000 });
  }
  expectTypeOf(wrapped(async () => 5)).toEqualTypeOf<Promise<number>>();
  expect(await wrapped(async () => 5)).toBe(5);
});

it('R1 shouldRetryResult is given what the task gives, and does not change it', async () => {
  const got = retry(async () => ({ status: 200 }), {
    shouldRetryResult: (result, attempt) => {
      expectTypeOf(result).toEqualTypeOf<{ status: number }>();
      return attempt > 5 && result.status === 503;
    },
  });
  expectTypeOf(got).toEqualTypeOf<Promise<{ status: number }>>();
  const shared: RetryOptions = { shouldRetryResult: (result) => result === null };
  expect(await retry(() => 5, shared)).toBe(5);
  await got;
});

it('R1 a task that calls something generic keeps its type beside shouldRetryResult', async () => {
  const passOn = <Result>(fn: (signal: AbortSignal) => Promise<Result>) => fn(AbortSignal.abort());
  const isBad = ({ status }: { status: number }) => status === 503;
  const request = async (_signal: AbortSignal) => ({ status: 200, body: '' });
  const got = retry(({ attempt }) => passOn((signal) => request(attempt ? signal : signal)), {
    shouldRetryResult: isBad,
  });
  expectTypeOf(got).toEqualTypeOf<Promise<{ status: number; body: string }>>();
  expect((await got).status).toBe(200);
});
