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
