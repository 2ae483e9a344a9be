import { expect, test, vi } from 'vitest';
import { CircuitBreaker, consecutiveFailures } from './index.ts';

test('K18 five failures in a row open, however far apart; a success starts over', () => {
  const now = vi.fn(() => 0);
  const breaker = new CircuitBreaker({ trip: consecutiveFailures(5), now });
  const play = (outcomes: string) => {
    for (const outcome of outcomes) {
      breaker[outcome === 'F' ? 'fail' : 'succeed'](breaker.acquire());
    }
  };
  play('FFFFSFFFF');
  // It needs no time, so it reads no clock.
  expect(now).not.toHaveBeenCalled();
  expect([breaker.state, breaker.failureCount, breaker.failureTimes]).toEqual(['closed', 4, []]);
  play('F');
  expect([breaker.state, breaker.failureCount]).toEqual(['open', 5]);
});

test.each([
  [0, ' from 1 to 9007199254740991, got 0'],
  [-1, ' from 1 to 9007199254740991, got -1'],
  [2.5, ' from 1 to 9007199254740991, got 2.5'],
  [NaN, ' from 1 to 9007199254740991, got NaN'],
  ['5', ', got a string'],
])('refuses %j', (threshold, rest) => {
  expect(() => consecutiveFailures(threshold as number)).toThrow(
    `threshold must be an integer${rest}`,
  );
});
