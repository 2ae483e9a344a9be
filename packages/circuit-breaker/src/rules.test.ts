import { expect, test } from 'vitest';
import {
  allOf,
  anyOf,
  CircuitBreaker,
  CircuitBreakerGroup,
  consecutiveFailures,
  failureCount,
  failureRate,
  slowCallRate,
  type TripRule,
} from './index.ts';

let t = 0;
const make = (trip: TripRule) => {
  t = 0;
  return new CircuitBreaker({ trip, now: () => t });
};
const play = (breaker: CircuitBreaker, outcomes: string) => {
  for (const outcome of outcomes) breaker[outcome === 'F' ? 'fail' : 'succeed'](breaker.acquire());
  return breaker.state;
};

test('K16 failureRate over a count window', () => {
  const rule = failureRate({ ratio: 0.5, windowSize: 10, minimumCalls: 5 });
  expect(play(make(rule), 'FFSS')).toBe('closed');
  expect(play(make(rule), 'FFSSF')).toBe('open');
  expect(play(make(rule), 'SSSFF')).toBe('closed');
  expect(play(make(rule), 'SSSFFF')).toBe('open');
  expect(play(make(rule), 'FFFFS')).toBe('open');
  expect(() => failureRate({ ratio: 0.5, windowSize: 4, minimumCalls: 5 })).toThrow(/minimumCalls/);
});

test('K16 failureRate over a time window', () => {
  const rule = failureRate({ ratio: 0.5, windowMs: 10_000, minimumCalls: 5 });
  const breaker = make(rule);
  play(breaker, 'FFFF');
  t = 9_999;
  expect(play(breaker, 'F')).toBe('open');
  const later = make(rule);
  play(later, 'FFFF');
  t = 11_000;
  expect([play(later, 'F'), later.failureCount]).toEqual(['closed', 1]);
});

test('K17 slowCallRate: exactly slowMs is not slow; slow successes open', () => {
  const breaker = make(slowCallRate({ slowMs: 1_000, ratio: 1, windowSize: 1 }));
  breaker.succeed(breaker.acquire(), 1_000);
  expect(breaker.state).toBe('closed');
  breaker.succeed(breaker.acquire(), 1_001);
  expect(breaker.state).toBe('open');
});

test('K18 consecutiveFailures', () => {
  const breaker = make(consecutiveFailures(5));
  expect(play(breaker, 'FFFFSFFFF')).toBe('closed');
  expect(play(breaker, 'F')).toBe('open');
});

test('K16 allOf needs all, anyOf one', () => {
  const count = failureCount({ threshold: 5 });
  const rate = failureRate({ ratio: 0.5, windowMs: 60_000, minimumCalls: 1 });
  expect(play(make(allOf(count, rate)), 'SSSSSSFFFFF')).toBe('closed');
  expect(play(make(allOf(count, rate)), 'SSSSSSFFFFFF')).toBe('open');
  expect(play(make(anyOf(count, consecutiveFailures(2))), 'FF')).toBe('open');
});

test('K21 a group makes breakers by name; a deleted one shares nothing; due yields what is due', () => {
  t = 0;
  const group = new CircuitBreakerGroup({ failureThreshold: 1, now: () => t });
  const stale = group.get('a').acquire();
  expect([group.delete('a'), group.peek('a')]).toEqual([true, undefined]);
  group.get('a').fail(stale);
  expect(group.get('a').state).toBe('closed');
  play(group.get('a'), 'F');
  t = 10;
  play(group.get('b'), 'F');
  const due = (now: number) => [...group.due((t = now))].map((breaker) => breaker.name);
  expect([due(29_999), due(30_000), due(30_010)]).toEqual([[], ['a'], ['a', 'b']]);
  const probe = group.get('b').acquire();
  expect(due(30_010)).toEqual(['a']);
  group.get('b').release(probe);
  expect(due(30_010)).toContain('b');
});
