import { describe, expect, it } from 'vitest';
import { hasRoom, timeTicks, valueTicks } from './axis.ts';

const hourMs = 3_600_000;
const minuteMs = 60_000;

describe('A7 labels of an axis', () => {
  it('A7 one that the edge of the picture would cut is left out', () => {
    const axis = { from: 1000, to: 2000, width: 800 };
    expect(hasRoom(1000, axis)).toBe(true);
    expect(hasRoom(1980, axis)).toBe(true);
    expect(hasRoom(1981, axis)).toBe(false);
    expect(hasRoom(2000, axis)).toBe(false);
  });

  it('A7 times are round by the clock of the wall, and have room', () => {
    const from = 0.5 * hourMs;
    const day = { from, to: from + 24 * hourMs, width: 480 };
    expect(timeTicks(day, 56, 0).map((at) => at / hourMs)).toEqual([3, 6, 9, 12, 15, 18, 21]);
    const inIndia = timeTicks(day, 56, 5.5 * hourMs);
    expect(inIndia.map((at) => (at / hourMs + 5.5) % 24)).toEqual([6, 9, 12, 15, 18, 21, 0, 3]);
    const tenMinutes = { from: 0, to: 10 * minuteMs, width: 300 };
    expect(timeTicks(tenMinutes, 56, 0).map((at) => at / minuteMs)).toEqual([0, 2, 4, 6, 8]);
  });

  it.each([
    [0, 4, 5, [0, 1, 2, 3, 4]],
    [0, 4.2, 5, [0, 1, 2, 3, 4]],
    [0, 5800, 5, [0, 2000, 4000]],
    [0.9, 1, 5, [0.9, 0.92, 0.94, 0.96, 0.98, 1]],
    [0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [0, 0.01, 3, [0, 0.005, 0.01]],
    [0, 2.2, 1, [0]],
    [3, 3, 5, [3]],
  ])('A7 values from %d to %d in %i parts are %o', (low, high, count, ticks) => {
    const found = valueTicks(low, high, count);
    expect(found).toHaveLength(ticks.length);
    for (const [i, tick] of ticks.entries()) expect(found[i]).toBeCloseTo(tick, 9);
  });
});
