import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { CircuitBreaker, failureRate, type TripRule } from './index.ts';

function play(trip: TripRule, outcomes: string, now = () => 0) {
  const breaker = new CircuitBreaker({ trip, now });
  for (const outcome of outcomes) {
    breaker[outcome === 'F' ? 'fail' : 'succeed'](breaker.acquire());
  }
  return breaker;
}

test('K16 a window of 10 calls, at least 5, half of them failed; a success can open', () => {
  const rule = failureRate({ ratio: 0.5, windowSize: 10, minimumCalls: 5 });
  const now = vi.fn(() => 0);
  const state = (outcomes: string) => play(rule, outcomes, now).state;
  expect(state('FFSS')).toBe('closed');
  expect(now).not.toHaveBeenCalled();
  expect(state('FFSSF')).toBe('open');
  expect(state('SSSFF')).toBe('closed');
  expect(state('SSSFFF')).toBe('open');
  expect(state('FFFFS')).toBe('open');
  // The eleventh call pushes the first one out.
  expect(state('FSSSSSSSSSFFFF')).toBe('closed');
  expect(state('FSSSSSSSSSFFFFF')).toBe('open');
  expect(play(rule, 'FSSSSSSSSSFFFFF').failureCount).toBe(5);
  expect(play(rule, 'FSSSSSSSSSF').failureCount).toBe(1);
  expect(play(rule, 'FFFFF').snapshot()).toMatchObject({ failureTimes: [] });
});

test('K16 minimumCalls defaults to 10, or windowSize if that is smaller', () => {
  expect(play(failureRate({ ratio: 1 }), 'F'.repeat(9)).state).toBe('closed');
  expect(play(failureRate({ ratio: 1 }), 'F'.repeat(10)).state).toBe('open');
  expect(play(failureRate({ ratio: 1, windowSize: 20 }), 'F'.repeat(9)).state).toBe('closed');
  expect(play(failureRate({ ratio: 1, windowSize: 20 }), 'F'.repeat(10)).state).toBe('open');
  expect(play(failureRate({ ratio: 1, windowSize: 3 }), 'FF').state).toBe('closed');
  expect(play(failureRate({ ratio: 1, windowSize: 3 }), 'FFF').state).toBe('open');
});

test('K16 a window of 10 s: four failures at 0 and one at 9,999 open, at 11,000 not', () => {
  let t = 0;
  const trip = failureRate({ ratio: 0.5, windowMs: 10_000, minimumCalls: 5 });
  const late = (lastAt: number) => {
    t = 0;
    const breaker = play(trip, 'FFFF', () => t);
    t = lastAt;
    breaker.fail(breaker.acquire());
    return [breaker.state, breaker.failureCount];
  };
  expect(late(9_999)).toEqual(['open', 5]);
  expect(late(11_000)).toEqual(['closed', 1]);
});

test('K16 a time window remembers windowMs at least and a bucket more at most, at any phase', () => {
  fc.assert(
    fc.property(
      fc.nat(100_000),
      fc.nat(2_000),
      fc.integer({ min: 1, max: 50 }),
      (at, age, width) => {
        const windowMs = 10 * width;
        const window = failureRate({ ratio: 1, windowMs, minimumCalls: 100 }).create();
        window.record(true, () => at, 0);
        const count = window.failureCount(at + age);
        if (age <= windowMs) expect(count).toBe(1);
        if (age >= windowMs + width) expect(count).toBe(0);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('K16 a time window agrees with counting each call by its bucket', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(60), fc.boolean()), { minLength: 1, maxLength: 60 }),
      (calls) => {
        const rule = failureRate({ ratio: 0.5, windowMs: 100, minimumCalls: 4 });
        const window = rule.create();
        const seen: [bucket: number, failed: boolean][] = [];
        let t = 0;
        for (const [wait, failed] of calls) {
          t += wait;
          seen.push([Math.floor(t / 10), failed]);
          const inside = seen.filter(([bucket]) => Math.floor(t / 10) - bucket <= 10);
          const failures = inside.filter(([, bad]) => bad).length;
          const opens = inside.length >= 4 && failures / inside.length >= 0.5;
          const answer = window.record(failed, () => t, 0);
          expect([answer, window.failureCount(t)]).toEqual([
            opens ? 'failure_rate' : undefined,
            failures,
          ]);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('K13 a time window survives a clock that steps back or jumps', () => {
  const window = failureRate({ ratio: 1, windowMs: 100, minimumCalls: 3 }).create();
  const at = (t: number) => window.record(true, () => t, 0);
  expect([at(-1_000), at(1_000), at(500)]).toEqual([undefined, undefined, undefined]);
  expect(window.failureCount(500)).toBe(2);
  expect(at(1_000)).toBe('failure_rate');
  expect(window.failureCount(3_600_000)).toBe(0);
});

test.each([
  [{}, TypeError, 'ratio must be a number, got undefined'],
  [{ ratio: 0 }, RangeError, 'ratio must be a number from 0.000001 to 1, got 0'],
  [{ ratio: 1.1 }, RangeError, 'ratio must be a number from 0.000001 to 1, got 1.1'],
  [{ ratio: NaN }, RangeError, 'got NaN'],
  [{ ratio: 1, windowMs: 0 }, RangeError, 'windowMs must be a number from 1 to'],
  [{ ratio: 1, windowSize: 0 }, RangeError, 'windowSize must be an integer from 1 to'],
  [{ ratio: 1, windowSize: 2.5 }, RangeError, 'got 2.5'],
  [
    { ratio: 1, windowSize: 4, minimumCalls: 5 },
    RangeError,
    'minimumCalls must be an integer from 1 to 4, got 5',
  ],
  [{ ratio: 1, minimumCalls: 0 }, RangeError, 'minimumCalls'],
  [{ ratio: 1, windowSize: 4, windowMs: 5 }, TypeError, 'windowMs excludes windowSize'],
  [
    { ratio: 1, slowMs: 5 },
    TypeError,
    'unknown option "slowMs"; known are ratio,windowMs,windowSize,minimumCalls',
  ],
  [undefined, TypeError, 'ratio must be a number, got undefined'],
  [null, TypeError, 'ratio must be a number, got undefined'],
])('refuses %j', (options, kind, message) => {
  expect(() => failureRate(options as never)).toThrow(kind);
  expect(() => failureRate(options as never)).toThrow(message);
});

test('an option that is undefined is an option not given', () => {
  const rule = failureRate({ ratio: 1, windowSize: 1, windowMs: undefined });
  expect(play(rule, 'F').state).toBe('open');
});
