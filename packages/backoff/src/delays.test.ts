import { describe, expect, it } from 'vitest';
import { seededRandom } from '@whirl/testkit';
import {
  exponential,
  fixed,
  linear,
  sequence,
  type Backoff,
  type Jitter,
  type JitterOptions,
} from './index.ts';

const delays = (backoff: Backoff, count: number) =>
  Array.from({ length: count }, (_, retry) => backoff.delay(retry));
const almostOne = 1 - 2 ** -53;

describe('delays', () => {
  it('B1 exponential doubles up to its cap, and is finite at retry 10,000', () => {
    expect(delays(exponential(), 8)).toEqual([
      1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000,
    ]);
    expect(exponential().delay(10_000)).toBe(30_000);
    expect(exponential({ baseMs: 0 }).delay(10_000)).toBe(0);
    expect(delays(exponential({ baseMs: 100, multiplier: 1 }), 3)).toEqual([100, 100, 100]);
  });

  it('B2 linear grows by its base to its cap, fixed stays, the last of a sequence repeats', () => {
    expect(delays(linear({ baseMs: 2000 }), 4)).toEqual([2000, 4000, 6000, 8000]);
    expect(linear({ baseMs: 2000 }).delay(10_000)).toBe(30_000);
    expect(delays(fixed(), 3)).toEqual([1000, 1000, 1000]);
    expect(delays(sequence([0, 500, 2000]), 5)).toEqual([0, 500, 2000, 2000, 2000]);
  });

  it('B2 an empty sequence, or one of what is no delay, is refused', () => {
    expect(() => sequence([])).toThrow(
      new RangeError('delaysMs.length must be a number ≥ 1, got 0'),
    );
    expect(() => sequence([1, -1])).toThrow(
      new RangeError('delaysMs[1] must be a number ≥ 0, got -1'),
    );
    expect(() => sequence(5 as never)).toThrow(TypeError);
    expect(() => sequence(undefined as never)).toThrow(
      new TypeError('delaysMs.length must be a number ≥ 1, got undefined'),
    );
    expect(() => sequence([1]).delay(-1)).toThrow(
      new RangeError('retry must be a number ≥ 0, got -1'),
    );
    expect(() => sequence(['5'] as never)).toThrow(TypeError);
  });

  it('B2 a sequence keeps a copy of its list', () => {
    const list = [1, 2];
    const backoff = sequence(list);
    list[0] = 99;
    expect(backoff.delay(0)).toBe(1);
  });

  const extremes: [Jitter, number, number][] = [
    ['none', 8000, 8000],
    ['full', 0, 8000],
    ['equal', 4000, 8000],
    ['proportional', 4000, 12_000],
    ['decorrelated', 1000, 3000],
  ];
  it.each(extremes)('B4 %s draws from %i to %i ms', (jitter, least, most) => {
    const at = (chance: number) => exponential({ jitter, random: () => chance }).delay(3);
    expect(at(0)).toBe(least);
    expect(at(almostOne)).toBeCloseTo(most, 6);
    expect(at(almostOne)).toBeLessThanOrEqual(most);
  });

  const atCap: [Jitter, number, number][] = [
    ['full', 0, 30_000],
    ['equal', 15_000, 30_000],
    ['proportional', 15_000, 30_000],
    ['decorrelated', 1000, 30_000],
  ];
  it.each(atCap)('B3 %s is alive at the cap, and bounded by it', (jitter, least, most) => {
    const at = (chance: number) => exponential({ jitter, random: () => chance }).delay(20, 30_000);
    expect(at(0)).toBe(least);
    if (jitter !== 'decorrelated') expect(at(0.5)).toBe((least + most) / 2);
    expect(at(0.1)).toBeGreaterThan(least);
    expect(at(0.1)).toBeLessThan(most);
    expect(at(almostOne)).toBeCloseTo(most, 6);
    expect(at(almostOne)).toBeLessThanOrEqual(most);
  });

  it('B4 decorrelated takes a delay before that is above the cap for the cap, never for NaN', () => {
    const at = (chance: number, previousMs: number) =>
      exponential({ jitter: 'decorrelated', random: () => chance }).delay(1, previousMs);
    expect(at(0, Infinity)).toBe(1000);
    expect(at(0.1, Infinity)).toBe(1000 + 0.1 * (3 * 30_000 - 1000));
    expect(at(0.1, 1e6)).toBe(at(0.1, 30_000));
  });

  it('B3 decorrelated grows from three times the delay before, and never below its base', () => {
    const at = (previousMs: number | undefined) =>
      exponential({ jitter: 'decorrelated', random: () => almostOne }).delay(1, previousMs);
    expect(at(undefined)).toBeCloseTo(3000, 6);
    expect(at(2000)).toBeCloseTo(6000, 6);
    expect(at(0)).toBe(1000);
    expect(at(Number.NaN)).toBe(1000);
  });

  it('B3 true is proportional, false is none', () => {
    const at = (jitter: JitterOptions['jitter']) =>
      linear({ baseMs: 100, jitter, random: () => 0 }).delay(0);
    expect([at(true), at('proportional'), at(false), at('none'), at(undefined)]).toEqual([
      50, 50, 100, 100, 100,
    ]);
  });

  it('B3 true is alive at the cap as proportional is', () => {
    const at = (jitter: JitterOptions['jitter']) =>
      exponential({ jitter, random: () => 0.5 }).delay(20);
    expect([at(true), at('proportional')]).toEqual([22_500, 22_500]);
  });

  it('B3 the cap of fixed is one and a half of it', () => {
    const at = (jitter: Jitter) => fixed({ baseMs: 100, jitter, random: () => almostOne }).delay(4);
    expect([at('proportional'), at('decorrelated')]).toEqual([
      expect.closeTo(150, 6),
      expect.closeTo(150, 6),
    ]);
  });

  it('B4 10,000 draws of full at 1,000 ms have a mean of 500 ± 15', () => {
    const backoff = fixed({ baseMs: 1000, jitter: 'full', random: seededRandom(7) });
    const draws = Array.from({ length: 10_000 }, () => backoff.delay(0));
    expect(Math.abs(draws.reduce((sum, each) => sum + each) / 10_000 - 500)).toBeLessThan(15);
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws)).toBeLessThanOrEqual(1000);
  });

  it('B5 two interleaved users of one strategy do not see each other, and none can change it', () => {
    const backoff = exponential();
    expect([
      backoff.delay(0),
      backoff.delay(5),
      backoff.delay(1),
      backoff.delay(0),
      backoff.delay(2),
    ]).toEqual([1000, 30_000, 2000, 1000, 4000]);
    expect(Object.isFrozen(backoff)).toBe(true);
    const options = Object.freeze({ baseMs: 5 });
    expect(exponential(options).delay(0)).toBe(5);
  });

  const makers = { exponential, linear, fixed };
  const wrong = [Number.NaN, Infinity, -Infinity, -1, '5', null, {}, true];
  it.each(Object.keys(makers) as (keyof typeof makers)[])(
    'B6 %s refuses bad numbers, jitters and names, naming them',
    (name) => {
      const make = makers[name] as (options: object) => Backoff;
      for (const value of wrong) {
        const Expected = typeof value === 'number' ? RangeError : TypeError;
        expect(() => make({ baseMs: value })).toThrow(Expected);
        expect(() => make({ baseMs: value })).toThrow(/^baseMs must be a number ≥ 0, got /);
      }
      for (const jitter of ['both', 'toString', 5, null, {}, Symbol('full')]) {
        expect(() => make({ jitter })).toThrow(TypeError);
        expect(() => make({ jitter })).toThrow(/^jitter must be one of .*none.*, got /);
      }
      expect(() => make({ random: 0.5 })).toThrow(
        new TypeError('random must be function, got number'),
      );
      expect(() => make({ base: 1 })).toThrow(/^unknown option "base"$/);
      expect(() => make(null as never)).toThrow(TypeError);
      expect(() => make(5 as never)).toThrow(TypeError);
      expect(() => make({}).delay(Number.NaN)).toThrow(/^retry must be a number ≥ 0, got NaN$/);
      expect(() => make({}).delay(-1)).toThrow(/^retry must be a number ≥ 0, got -1$/);
    },
  );

  it('B6 a cap below the base, and a multiplier below 1, are refused', () => {
    const error = new RangeError('maxMs must be a number ≥ 5000, got 10');
    expect(() => exponential({ baseMs: 5000, maxMs: 10 })).toThrow(error);
    expect(() => linear({ baseMs: 5000, maxMs: 10 })).toThrow(error);
    expect(() => exponential({ multiplier: 0.5 })).toThrow(
      /^multiplier must be a number ≥ 1, got 0.5$/,
    );
    expect(exponential({ baseMs: 60_000 }).delay(3)).toBe(60_000);
  });

  it('B7 no strategy gives a delay above 2^31 − 1 ms', () => {
    const longest = 2 ** 31 - 1;
    const far = { baseMs: 2 ** 40, maxMs: 2 ** 50 };
    const jitters: Jitter[] = ['none', 'proportional', 'full', 'equal', 'decorrelated'];
    for (const jitter of jitters) {
      const random = () => almostOne;
      for (const backoff of [
        exponential({ ...far, jitter, random }),
        linear({ ...far, jitter, random }),
        fixed({ baseMs: 2 ** 40, jitter, random }),
      ]) {
        expect(backoff.delay(3, longest)).toBeCloseTo(longest, 3);
        expect(backoff.delay(3, longest)).toBeLessThanOrEqual(longest);
      }
    }
    expect(sequence([2 ** 40]).delay(0)).toBe(longest);
  });
});
