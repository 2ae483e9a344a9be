import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CircuitBreaker, type CircuitBreakerOptions } from './index.ts';

const max = Number.MAX_SAFE_INTEGER;
const number = (name: string, min = 1, top = max) =>
  `${name} must be a number from ${min} to ${top}`;
const whole = (name: string) => `${name} must be an integer from 1 to ${max}`;

test.each([
  ['failureThreshold', 0, RangeError, whole('failureThreshold')],
  ['failureThreshold', 1.5, RangeError, whole('failureThreshold')],
  ['windowMs', 0.5, RangeError, number('windowMs')],
  ['openMs', NaN, RangeError, number('openMs')],
  ['openMs', 0, RangeError, number('openMs')],
  ['openMs', Infinity, RangeError, number('openMs')],
  ['openMs', max + 1, RangeError, number('openMs')],
  ['halfOpenPermits', 0, RangeError, whole('halfOpenPermits')],
  ['successThreshold', 2.5, RangeError, whole('successThreshold')],
  ['probeLeaseMs', 0, RangeError, number('probeLeaseMs')],
  ['maxOpenMs', 29_999, RangeError, number('maxOpenMs', 30_000)],
  ['openMultiplier', 0.9, RangeError, number('openMultiplier')],
  ['openJitter', -0.1, RangeError, number('openJitter', 0, 1)],
  ['openJitter', 1.1, RangeError, number('openJitter', 0, 1)],
])('%s: %s is refused, naming option, bound and value', (name, value, kind, message) => {
  const make = () => new CircuitBreaker({ [name]: value });
  expect(make).toThrow(new kind(`${message}, got ${value}`));
});

test.each([
  ['openMs', '30', 'openMs must be a number, got a string'],
  ['openMs', 30n, 'openMs must be a number, got a bigint'],
  ['openMs', null, 'openMs must be a number, got null'],
  ['openMs', { toString: () => 'secret' }, 'openMs must be a number, got an object'],
  ['failureThreshold', 'a:b@c', 'failureThreshold must be an integer, got a string'],
  ['name', 5, 'name must be a string, got a number'],
  ['now', 5, 'now must be a function, got a number'],
  ['now', Symbol('clock'), 'now must be a function, got a symbol'],
  ['random', true, 'random must be a function, got a boolean'],
  ['trip', 5, 'trip must be an object, got a number'],
  ['trip', {}, 'trip.create must be a function, got undefined'],
  ['bus', {}, 'bus.has must be a function, got undefined'],
  ['bus', { has: () => true }, 'bus.emit must be a function, got undefined'],
])('%s: a wrong type is refused and not printed (%o)', (name, value, message) => {
  expect(() => new CircuitBreaker({ [name]: value })).toThrow(new TypeError(message));
});

test('a name that nothing reads is refused, and those that are known are listed', () => {
  const known =
    'name,failureThreshold,windowMs,openMs,halfOpenPermits,successThreshold,probeLeaseMs,maxOpenMs,openMultiplier,openJitter,trip,now,random,bus';
  for (const name of ['openms', 'toString', 'constructor', 'hasOwnProperty']) {
    expect(() => new CircuitBreaker({ [name]: 1 })).toThrow(
      `unknown option "${name}"; known are ${known}`,
    );
  }
});

test.each([5, null, 'options', () => {}])(
  'options that are no object (%o) are refused',
  (options) => {
    expect(() => new CircuitBreaker(options as never)).toThrow(/^options must be an object, got /);
  },
);

test('trip() refuses bad options and changes nothing', () => {
  const breaker = new CircuitBreaker();
  const options = [{ openMs: 0 }, { openMs: NaN }, { reason: 5 }, { openms: 5 }, null, 5];
  for (const bad of options) {
    expect(() => breaker.trip(bad as never)).toThrow(/openMs|reason|openms|options/);
  }
  expect([breaker.state, breaker.generation]).toEqual(['closed', 0]);
});

test('an option that is undefined has its default; frozen options work and are copied', () => {
  const options: CircuitBreakerOptions = Object.freeze({ openMs: undefined, name: 'frozen' });
  const breaker = new CircuitBreaker(options);
  expect([breaker.openMs, breaker.name]).toEqual([30_000, 'frozen']);
  const changed = { openMs: 10 };
  const other = new CircuitBreaker(changed);
  changed.openMs = 20;
  expect(other.openMs).toBe(10);
});

test('bounds themselves are allowed', () => {
  const options: CircuitBreakerOptions = {
    failureThreshold: 1,
    windowMs: 1,
    openMs: 1,
    halfOpenPermits: 1,
    successThreshold: 1,
    probeLeaseMs: 1,
    maxOpenMs: 1,
    openMultiplier: 1,
    openJitter: 1,
  };
  expect(new CircuitBreaker(options).openMs).toBe(1);
  expect(new CircuitBreaker({ openMs: max, openJitter: 0 }).openMs).toBe(max);
});

test('whatever is given, there is a breaker or an error that names the option', () => {
  const names = ['openMs', 'failureThreshold', 'openJitter', 'name', 'trip', 'now', 'bus'];
  fc.assert(
    fc.property(
      fc.constantFrom(...names),
      fc.anything({ withNullPrototype: true }),
      (name, value) => {
        try {
          expect(new CircuitBreaker({ [name]: value }).state).toBe('closed');
        } catch (error) {
          expect(error instanceof TypeError || error instanceof RangeError).toBe(true);
          expect((error as Error).message).toContain(name);
        }
      },
    ),
    { numRuns: 1_000 },
  );
});
