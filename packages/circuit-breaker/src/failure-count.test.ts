import { expect, test } from 'vitest';
import { CircuitBreaker, failureCount } from './index.ts';

test('K1 by default the 5th failure within 60,000 ms, as a rule of its own', () => {
  let t = 0;
  const breaker = new CircuitBreaker({ trip: failureCount(), now: () => t });
  for (let i = 0; i < 4; i++) breaker.fail(breaker.acquire());
  t = 60_000;
  expect(breaker.failureCount).toBe(4);
  t = 60_001;
  expect(breaker.failureCount).toBe(0);
  for (let i = 0; i < 4; i++) breaker.fail(breaker.acquire());
  breaker.succeed(breaker.acquire());
  expect(breaker.state).toBe('closed');
  breaker.fail(breaker.acquire());
  expect(breaker.state).toBe('open');
});

test('K1 the last N times are enough: exact at every failure', () => {
  const window = failureCount({ threshold: 3, windowMs: 10 }).create();
  const answers = [0, 4, 11, 14, 15, 24].map((t) => window.record(true, () => t, 0));
  expect(answers).toEqual([
    undefined,
    undefined,
    undefined,
    'failures', // 4, 11, 14
    'failures', // 11, 14, 15
    'failures', // 14, 15, 24
  ]);
  expect(window.failureTimes?.(25)).toEqual([15, 24]);
  expect(window.failureCount(34)).toBe(1);
});

test('K16 a rule given to two breakers is not shared state', () => {
  const trip = failureCount({ threshold: 2 });
  const [one, other] = [new CircuitBreaker({ trip }), new CircuitBreaker({ trip })];
  one.fail(one.acquire());
  other.fail(other.acquire());
  expect([one.failureCount, other.failureCount, one.state]).toEqual([1, 1, 'closed']);
});

test.each([
  [{ threshold: 0 }, /^threshold must be an integer from 1 to \d+, got 0$/],
  [{ threshold: 1.5 }, /^threshold .*got 1.5$/],
  [{ windowMs: 0 }, /^windowMs must be a number from 1 to \d+, got 0$/],
  [{ windowMs: Infinity }, /windowMs .*got Infinity/],
])('refuses %j', (options, message) => {
  expect(() => failureCount(options)).toThrow(RangeError);
  expect(() => failureCount(options)).toThrow(message);
});
