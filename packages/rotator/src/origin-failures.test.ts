import { expect, it } from 'vitest';
import { OriginFailures } from './origin-failures.ts';

it('C5 two different proxies within 30 s put the blame on the target; an answer clears it', () => {
  const failures = new OriginFailures();
  const at = 1_700_000_000_000;
  expect(failures.blamesTarget('a', 'p1', at)).toBe(false);
  expect(failures.blamesTarget('a', 'p1', at + 1)).toBe(false);
  expect(failures.blamesTarget('b', 'p2', at + 2)).toBe(false);
  expect(failures.blamesTarget('a', 'p2', at + 30_001)).toBe(true);
  expect(failures.blamesTarget('a', 'p1', at + 60_002)).toBe(false);
  failures.clear('a');
  expect(failures.blamesTarget('a', 'p3', at + 60_003)).toBe(false);
});

it('G3 an origin is down when its failures since its last answer outnumber the attempts under way', () => {
  const failures = new OriginFailures();
  const at = 1_700_000_000_000;
  const fail = (ms: number) => {
    failures.blamesTarget('a', `p${ms % 2}`, at + ms);
    return failures.isDown('a');
  };
  failures.begun();
  expect([1, 2, 3, 4].map(fail)).toEqual([false, false, false, true]);
  failures.begun();
  expect([5, 6].map((ms) => fail(ms))).toEqual([true, true]);
  for (let i = 0; i < 10; i++) failures.begun();
  expect(fail(7)).toBe(false);
  for (let i = 0; i < 10; i++) failures.ended();
  expect([fail(8), failures.isDown('b')]).toEqual([true, false]);
  failures.clear('a');
  expect(fail(9)).toBe(false);
  // Old failures are forgotten.
  expect([10, 11, 12, 13].map(fail)).toEqual([false, false, false, true]);
  expect(fail(31_000)).toBe(false);
});
