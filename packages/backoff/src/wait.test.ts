import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { wait } from './wait.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('R4 without a limit no timer is made', async () => {
  const { signal } = new AbortController();
  const begin = async () => {
    expect(vi.getTimerCount()).toBe(0);
    return 'done';
  };
  expect(await wait(Infinity, signal, begin)).toBe('done');
});

it('R4 with a limit there is one timer, gone at the end', async () => {
  const begin = async () => {
    expect(vi.getTimerCount()).toBe(1);
    return 'done';
  };
  expect(await wait(50, undefined, begin)).toBe('done');
  expect(vi.getTimerCount()).toBe(0);
});
