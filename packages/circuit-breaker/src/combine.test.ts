import { expect, test } from 'vitest';
import {
  allOf,
  anyOf,
  CircuitBreaker,
  consecutiveFailures,
  failureCount,
  failureRate,
  slowCallRate,
  type TripRule,
} from './index.ts';

function open(trip: TripRule, outcomes: string) {
  const heard: { reason: string; failureCount: number }[] = [];
  const breaker = new CircuitBreaker({
    trip,
    now: () => 0,
    bus: { has: () => true, emit: (_type, event) => void heard.push(event as never) },
  });
  for (const outcome of outcomes) {
    const ticket = breaker.acquire();
    if (outcome === 'F') breaker.fail(ticket, 1);
    else breaker.succeed(ticket, outcome === 'L' ? 5_000 : 1);
  }
  return { breaker, heard };
}

const count = failureCount({ threshold: 5 });
const rate = failureRate({ ratio: 0.5, minimumCalls: 1 });
const slow = slowCallRate({ slowMs: 1_000, ratio: 1, windowSize: 2 });

test('K16 allOf opens when all rules hold at one outcome, for the reason of the first', () => {
  expect(open(allOf(count, rate), 'SSSSSSFFFFF').breaker.state).toBe('closed');
  const { breaker, heard } = open(allOf(count, rate), 'SSSSSSFFFFFF');
  expect(breaker.state).toBe('open');
  expect(heard).toMatchObject([{ reason: 'failures', failureCount: 5 }]);
  expect(open(allOf(rate, count), 'SSSSSSFFFFFF').heard).toMatchObject([
    { reason: 'failure_rate', failureCount: 6 },
  ]);
});

test('K16 anyOf opens when one rule holds, for its reason and with its count', () => {
  const rules = anyOf(count, consecutiveFailures(2), slow);
  expect(open(rules, 'FSFSFS').breaker.state).toBe('closed');
  expect(open(rules, 'FSFSFS').breaker.failureCount).toBe(3);
  expect(open(rules, 'FF').heard).toMatchObject([{ reason: 'failures', failureCount: 2 }]);
  expect(open(rules, 'FLL').heard).toMatchObject([{ reason: 'slow_calls', failureCount: 2 }]);
  expect(open(rules, 'FLL').breaker.failureTimes).toEqual([]);
  expect(open(anyOf(slow, rate), 'F').heard).toMatchObject([{ reason: 'failure_rate' }]);
});

test('K16 allOf shows the first rule’s failures while closed', () => {
  const { breaker } = open(allOf(count, rate), 'FFFF');
  expect([breaker.failureCount, breaker.failureTimes]).toEqual([4, [0, 0, 0, 0]]);
});

test('K17 a combination gets durations if one of its rules needs them', () => {
  expect(anyOf(count, slow).needsDuration).toBe(true);
  expect(allOf(count, rate).needsDuration).toBe(false);
});

test.each([
  [[], 'rule.create must be a function, got undefined'],
  [[undefined], 'rule.create must be a function, got undefined'],
  [[count, {}], 'rule.create must be a function, got undefined'],
])('refuses %j', (rules, message) => {
  expect(() => anyOf(...(rules as TripRule[]))).toThrow(message);
  expect(() => allOf(...(rules as TripRule[]))).toThrow(message);
});
