import { afterEach, describe, expect, it, vi } from 'vitest';
import { allSteps, stepByStep, type Steps } from './steps.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Steps that take as long as it says, by the clock that is read between them. */
function* work(durationsMs: readonly number[], took: (ms: number) => void): Steps<string> {
  for (const ms of durationsMs) {
    took(ms);
    yield;
  }
  return 'done';
}

describe('A16 steps', () => {
  it('A16 the event loop turns after 4 ms of work, not after each step', async () => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const turns: number[] = [];
    let turning = true;
    const turn = () => {
      turns.push(now);
      if (turning) setImmediate(turn);
    };
    setImmediate(turn);
    const result = await stepByStep(work([1, 1, 1, 1, 1, 1, 1, 1, 9, 1], (ms) => (now += ms)));
    turning = false;
    expect(result).toBe('done');
    expect([...new Set(turns)]).toEqual([4, 8, 17]);
  });

  it('A16 all at once, no turn is taken', () => {
    let sum = 0;
    expect(allSteps(work([1, 2, 3], (ms) => (sum += ms)))).toBe('done');
    expect(sum).toBe(6);
  });
});
