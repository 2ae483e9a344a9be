import { expect, test } from 'vitest';
import { CircuitBreaker, slowCallRate } from './index.ts';

test('K17 exactly slowMs is not slow; slow successes open, and so do slow failures', () => {
  const trip = slowCallRate({ slowMs: 1_000, ratio: 0.5, windowSize: 4 });
  const breaker = new CircuitBreaker({ trip });
  breaker.succeed(breaker.acquire(), 1_000);
  breaker.fail(breaker.acquire(), 1_000);
  breaker.succeed(breaker.acquire(), 1_001);
  expect([breaker.state, breaker.failureCount]).toEqual(['closed', 1]);
  breaker.fail(breaker.acquire(), 1_001);
  expect([breaker.state, breaker.failureCount]).toEqual(['open', 2]);
});

test('K17 a call without a duration is not slow', () => {
  const breaker = new CircuitBreaker({
    trip: slowCallRate({ slowMs: 0, ratio: 1, windowSize: 1 }),
  });
  breaker.fail(breaker.acquire());
  breaker.succeed(breaker.acquire());
  expect(breaker.state).toBe('closed');
});

test('K17 the reason is slow_calls', () => {
  const heard: unknown[] = [];
  const breaker = new CircuitBreaker({
    trip: slowCallRate({ slowMs: 10, ratio: 1, windowSize: 1 }),
    bus: { has: () => true, emit: (_type, event) => void heard.push(event) },
  });
  breaker.succeed(breaker.acquire(), 11);
  expect(heard).toMatchObject([{ reason: 'slow_calls', failureCount: 1 }]);
});

test.each([
  [{ ratio: 1 }, 'slowMs must be a number, got undefined'],
  [{ ratio: 1, slowMs: -1 }, 'slowMs must be a number from 0 to'],
  [{ slowMs: 1 }, 'ratio must be a number'],
  [{ slowMs: 1, ratio: 1, slow: 1 }, 'unknown option "slow"; known are ratio,'],
])('refuses %j', (options, message) => {
  expect(() => slowCallRate(options as never)).toThrow(message);
});
