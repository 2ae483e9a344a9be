import { describe, expect, it } from 'vitest';
import { hourMs, HourRing } from './hour-ring.ts';

function ring(slots: number, hour: number) {
  const calls: string[] = [];
  let nowMs = hour * hourMs;
  const hours = new HourRing(slots, () => nowMs);
  /** A fact at `atMs`; by default its clock is ours. */
  const advance = (atMs: number, ours = atMs) => {
    nowMs = ours;
    hours.advance(atMs, {
      finishHour: (slot) => calls.push(`finish ${slot}`),
      startHour: (slot) => calls.push(`start ${slot}`),
    });
    return calls.splice(0);
  };
  return { hours, advance };
}

describe('HourRing', () => {
  it('stays in the hour up to its last millisecond', () => {
    const { hours, advance } = ring(3, 100);
    expect(advance(101 * hourMs - 1)).toEqual([]);
    expect(hours.last(24)).toEqual([100]);
    expect(advance(101 * hourMs)).toEqual(['finish 1', 'start 2']);
    expect(hours.last(24)).toEqual([100, 101]);
    expect(hours.last(1)).toEqual([101]);
  });

  it('starts every hour in between, and each slot at most once', () => {
    const { hours, advance } = ring(3, 100);
    expect(advance(102 * hourMs)).toEqual(['finish 1', 'start 2', 'start 0']);
    expect(hours.last(3)).toEqual([100, 101, 102]);
    expect(advance(1000 * hourMs)).toEqual(['finish 0', 'start 2', 'start 0', 'start 1']);
    expect(hours.last(3)).toEqual([998, 999, 1000]);
  });

  it('never goes back, and ignores what is no time', () => {
    const { hours, advance } = ring(3, 100);
    expect([...advance(99 * hourMs), ...advance(NaN), ...advance(Infinity)]).toEqual([]);
    expect(hours.last(3)).toEqual([100]);
  });

  it('M7b a fact from the future moves no hour that our own clock has not reached', () => {
    const { hours, advance } = ring(3, 100);
    expect(advance(200 * hourMs, 100 * hourMs + 1)).toEqual([]);
    expect(hours.last(3)).toEqual([100]);
    expect(advance(200 * hourMs, 101 * hourMs)).toEqual(['finish 1', 'start 2']);
    expect(hours.last(3)).toEqual([100, 101]);
  });

  it('is not moved by what is beyond all dates', () => {
    const { hours, advance } = ring(3, 100);
    for (const atMs of [8.64e15 + 1, Number.MAX_VALUE]) {
      expect(advance(atMs)).toEqual([]);
      expect(hours.last(3)).toEqual([100]);
    }
    advance(8.64e15);
    expect(new Date(hours.last(1)[0]! * hourMs).getTime()).toBe(8.64e15);
  });
});
