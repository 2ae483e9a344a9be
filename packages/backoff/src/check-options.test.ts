import { expect, it } from 'vitest';
import { check, checkOptions, refuse, type Rule } from './check-options.ts';

const told = (error: unknown) => {
  const { name, message } = error as Error;
  return `${name}: ${message}`;
};

it.each<[Rule, ...unknown[]]>([
  [0, 0, -0, 1, 0.5, Number.MAX_VALUE],
  [1, 1, 1.5],
  ['function', () => {}, class {}],
  ['object', {}, [], Object.create(null)],
  ['', undefined, null, 0, NaN, 'text', {}],
])('a value that obeys rule %j is accepted', (rule, ...values) => {
  for (const value of values) expect(() => check('x', value, rule)).not.toThrow();
});

it.each<[Rule, unknown, string]>([
  [0, -1, 'RangeError: x must be a number ≥ 0, got -1'],
  [1, 0.999, 'RangeError: x must be a number ≥ 1, got 0.999'],
  [0, Infinity, 'RangeError: x must be a number ≥ 0, got Infinity'],
  [0, NaN, 'RangeError: x must be a number ≥ 0, got NaN'],
  [0, '5', 'TypeError: x must be a number ≥ 0, got string'],
  [0, null, 'TypeError: x must be a number ≥ 0, got null'],
  [0, undefined, 'TypeError: x must be a number ≥ 0, got undefined'],
  [0, 5n, 'TypeError: x must be a number ≥ 0, got bigint'],
  ['function', {}, 'TypeError: x must be function, got object'],
  ['function', undefined, 'TypeError: x must be function, got undefined'],
  ['object', null, 'TypeError: x must be object, got null'],
  ['object', 5, 'TypeError: x must be object, got number'],
])('a value that does not obey rule %j is refused: %o', (rule, value, message) => {
  let caught: unknown;
  try {
    check('x', value, rule);
  } catch (error) {
    caught = error;
  }
  expect(told(caught)).toBe(message);
});

it('options that are undefined are left out, others are checked by their rules', () => {
  const rules = { a: 1, b: 'function' } as const;
  expect(() => checkOptions({ a: undefined, b: undefined }, rules)).not.toThrow();
  expect(() => checkOptions({ a: 1, b: () => {} }, rules)).not.toThrow();
  expect(() => checkOptions({ a: 0 }, rules)).toThrow(
    new RangeError('a must be a number ≥ 1, got 0'),
  );
  expect(() => checkOptions({ c: undefined }, rules)).toThrow(new TypeError('unknown option "c"'));
  expect(() => checkOptions(null as never, rules)).toThrow(
    new TypeError('options must be object, got null'),
  );
});

it('a number that is refused is out of range, anything else is of a wrong type', () => {
  expect(() => refuse('x', 'whole', 1.5)).toThrow(new RangeError('x must be whole, got 1.5'));
  expect(() => refuse('x', 'a or b', 'c')).toThrow(new TypeError('x must be a or b, got c'));
});
