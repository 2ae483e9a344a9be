import { describe, expect, it } from 'vitest';
import {
  createRetryBudget,
  exponential,
  linear,
  parseRetryAfter,
  retry,
  sequence,
} from './index.ts';

const delays = (of: { delay(n: number): number }, n: number) =>
  Array.from({ length: n }, (_, i) => of.delay(i));

describe('backoff', () => {
  it('B1 exponential doubles to its cap and stays finite', () => {
    expect(delays(exponential(), 7)).toEqual([1000, 2000, 4000, 8000, 16000, 30000, 30000]);
    expect(exponential().delay(10_000)).toBe(30_000);
  });

  it('B2 linear and sequence; an empty sequence is refused', () => {
    expect(delays(linear({ baseMs: 2000 }), 3)).toEqual([2000, 4000, 6000]);
    expect(delays(sequence([0, 500, 2000]), 4)).toEqual([0, 500, 2000, 2000]);
    expect(() => sequence([])).toThrow(/at least one/);
  });

  it('B3 B4 jitter at its extremes, under the cap', () => {
    const at = (random: () => number, jitter: 'full' | 'equal' | 'proportional') =>
      exponential({ baseMs: 20_000, jitter, random }).delay(3);
    expect(at(() => 0, 'full')).toBe(0);
    expect(at(() => 0, 'equal')).toBe(15_000);
    expect(at(() => 0, 'proportional')).toBe(15_000);
    expect(at(() => 1, 'proportional')).toBe(30_000);
  });

  it('B6 bad numbers are refused by name', () => {
    expect(() => exponential({ baseMs: Number.NaN })).toThrow(/baseMs/);
    expect(() => exponential({ baseMs: 5000, maxMs: 10 })).toThrow(/maxMs/);
    expect(() => exponential({ base: 1 } as never)).toThrow(/unknown option "base"/);
  });

  it('B8 Retry-After in seconds and in three forms of date', () => {
    const now = Date.UTC(1994, 10, 6, 8, 49, 0);
    for (const text of [
      'Sun, 06 Nov 1994 08:49:37 GMT',
      'Sunday, 06-Nov-94 08:49:37 GMT',
      'Sun Nov  6 08:49:37 1994',
      '37',
    ]) {
      expect(parseRetryAfter(text, now)).toBe(37_000);
    }
    expect(parseRetryAfter('0', now)).toBe(0);
    expect(parseRetryAfter('Sun, 06 Nov 1994 08:00:00 GMT', now)).toBe(0);
    for (const text of ['', '0x10', 'soon', 'Thu, 31 Feb 1994 08:00:00 GMT']) {
      expect(parseRetryAfter(text, now)).toBeUndefined();
    }
  });

  it('R1 maxAttempts counts the first try; the last error itself comes out', async () => {
    const errors = [new Error('0'), new Error('1'), new Error('2')];
    let calls = 0;
    const run = retry(() => Promise.reject(errors[calls++] as Error), { backoff: sequence([0]) });
    await expect(run).rejects.toBe(errors[2]);
    expect(calls).toBe(3);
  });

  it('R2 an aborted signal: zero calls, its reason itself', async () => {
    const reason = new Error('stop');
    let calls = 0;
    const run = retry(() => ++calls, { signal: AbortSignal.abort(reason) });
    await expect(run).rejects.toBe(reason);
    expect(calls).toBe(0);
  });

  it('G1 the reserve starts with one second, deposits earn their ratio', () => {
    const budget = createRetryBudget({ minPerSecond: 0, now: () => 0 });
    for (let i = 0; i < 100; i++) budget.deposit();
    let granted = 0;
    while (budget.tryWithdraw()) granted++;
    expect(granted).toBe(20);
    expect(budget.refused).toBe(1);
  });
});
