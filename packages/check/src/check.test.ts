import { describe, expect, it } from 'vitest';
import {
  above,
  anything,
  anyString,
  array,
  boolean,
  check,
  checkEach,
  checkNames,
  checkOptions,
  func,
  integer,
  matching,
  number,
  object,
  oneOf,
  or,
  string,
  strings,
  withMethods,
  type Kind,
} from './index.ts';

const max = Number.MAX_SAFE_INTEGER;

describe('check', () => {
  it.each<[Kind, unknown[]]>([
    [number(), [0, -1.5, Number.MAX_VALUE]],
    [number(0), [0, 1e300]],
    [number(-1, 0.5), [-1, 0.5]],
    [above(0), [Number.MIN_VALUE, 5]],
    [or(false, number(1)), [false, 1]],
    [or(Infinity, integer(0)), [Infinity, 0]],
    [or(null, anyString), [null, '']],
    [matching('lower case', (value) => /^[a-z]+$/.test(value)), ['a']],
    [integer(1), [1, max]],
    [integer(0, 65_535), [0, 65_535]],
    [oneOf('tls', 'http'), ['tls', 'http']],
    [withMethods('a bus', 'on', 'has'), [{ on: () => {}, has: () => {} }]],
    [boolean, [true, false]],
    [string, ['a']],
    [anyString, ['', 'a']],
    [func, [() => {}, class {}]],
    [object, [{}, Object.create(null), new Map()]],
    [array, [[]]],
    [strings, [[], ['']]],
    [anything, [undefined, null, NaN]],
  ])('%o accepts what is in its bounds, the bounds included', (kind, values) => {
    for (const value of values) expect(() => check('x', value, kind)).not.toThrow();
  });

  it.each<[Kind, unknown, string]>([
    [number(), NaN, 'a finite number, got NaN'],
    [number(0), -1, 'a number ≥ 0, got -1'],
    [number(0), Infinity, 'a number ≥ 0, got Infinity'],
    [number(0, 1), 1.1, 'a number from 0 to 1, got 1.1'],
    [above(0), 0, 'a number > 0, got 0'],
    [above(0), Infinity, 'a number > 0, got Infinity'],
    [or(false, number(1)), 0, 'a number ≥ 1 or false, got 0'],
    [or(Infinity, integer(0)), NaN, 'an integer ≥ 0 or Infinity, got NaN'],
    [matching('lower case', (value) => /^[a-z]+$/.test(value)), 'A', 'lower case, got "A"'],
    [integer(1), 1.5, 'an integer ≥ 1, got 1.5'],
    [integer(1), max + 1, `an integer ≥ 1, got ${max + 1}`],
    [integer(0, 9), 10, 'an integer from 0 to 9, got 10'],
    [oneOf('tls', 'http', 'none'), 'ssl', '"tls", "http" or "none", got "ssl"'],
    [oneOf('tls'), 'ssl', '"tls", got "ssl"'],
    [string, '', 'a string of at least one character, got ""'],
  ])('what is out of bounds is a RangeError: %o, %o', (kind, value, rest) => {
    expect(() => check('a.b', value, kind)).toThrow(new RangeError(`a.b must be ${rest}`));
  });

  it.each<[Kind, unknown, string]>([
    [number(0), '5', 'a number ≥ 0, got "5"'],
    [above(0), '5', 'a number > 0, got "5"'],
    [or(false, number(1)), true, 'a number ≥ 1 or false, got true'],
    [matching('lower case', () => true), 5, 'lower case, got 5'],
    [integer(0), 5n, 'an integer ≥ 0, got 5'],
    [oneOf('tls', 'http'), 5, '"tls" or "http", got 5'],
    [withMethods('a bus', 'on', 'has'), { on: () => {} }, 'a bus with on(), has(), got an object'],
    [withMethods('a bus', 'on'), null, 'a bus with on(), got null'],
    [boolean, 'yes', 'true or false, got "yes"'],
    [string, undefined, 'a string of at least one character, got undefined'],
    [anyString, Symbol('s'), 'a string, got Symbol(s)'],
    [func, {}, 'a function, got an object'],
    [object, [], 'an object, got an array'],
    [object, () => {}, 'an object, got a function'],
    [array, {}, 'an array, got an object'],
    [strings, ['a', 1], 'an array of strings, got an array'],
  ])('a wrong type is a TypeError: %o, %o', (kind, value, rest) => {
    expect(() => check('x', value, kind)).toThrow(new TypeError(`x must be ${rest}`));
  });

  it.each(['http://ann:hunter2@h:1', 'ann:hunter2', 'hunter2@h', 'x'.repeat(65)])(
    'a string that may hold a password is not printed: %s',
    (value) => {
      expect(() => check('x', value, number(0))).toThrow(
        new TypeError('x must be a number ≥ 0, got a string'),
      );
    },
  );
});

it('a string of a secret kind is not printed, and a value of another type is', () => {
  const pair = { ...matching('"name:password"', () => false), isSecret: true };
  expect(() => check('auth[0]', 'hunter2', pair)).toThrow(
    new RangeError('auth[0] must be "name:password", got a string'),
  );
  expect(() => check('auth[0]', 5, pair)).toThrow(
    new TypeError('auth[0] must be "name:password", got 5'),
  );
});

describe('checkOptions', () => {
  const kinds = { openMs: number(1), name: anyString };

  it('accepts what is known, and undefined as an option not given', () => {
    for (const options of [{}, { openMs: 5 }, { openMs: undefined, name: '' }]) {
      expect(() => checkOptions('', options, kinds)).not.toThrow();
    }
  });

  it('refuses a required option that is not given, and reads one that is inherited', () => {
    const required = ['name'];
    expect(() => checkOptions('a', {}, kinds, required)).toThrow(
      new TypeError('a.name must be a string, got undefined'),
    );
    expect(() => checkOptions('a', { name: '' }, kinds, required)).not.toThrow();
    expect(() => checkOptions('', Object.create({ openMs: 0 }), kinds)).toThrow(
      new RangeError('openMs must be a number ≥ 1, got 0'),
    );
  });

  it.each([
    ['', { openMs: 0 }, new RangeError('openMs must be a number ≥ 1, got 0')],
    ['a.b', { openMs: 0 }, new RangeError('a.b.openMs must be a number ≥ 1, got 0')],
    ['', null, new TypeError('options must be an object, got null')],
    ['a', 5, new TypeError('a must be an object, got 5')],
    ['', { openms: 1 }, new TypeError('unknown option "openms": did you mean "openMs"?')],
    ['a', { openms: 1 }, new TypeError('unknown option "a.openms": did you mean "openMs"?')],
    ['', { zzz: undefined }, new TypeError('unknown option "zzz"; known are openMs, name')],
    ['', { toString: 1 }, new TypeError('unknown option "toString"; known are openMs, name')],
  ])('at %o refuses %o with its path', (path, options, error) => {
    expect(() => checkOptions(path, options, kinds)).toThrow(error);
  });
});

it('checkEach names the entry that is wrong', () => {
  expect(() => checkEach('auth', ['a', ''], anyString)).not.toThrow();
  expect(() => checkEach('auth', ['a', 5], anyString)).toThrow(
    new TypeError('auth[1] must be a string, got 5'),
  );
  expect(() => checkEach('auth', 'a', anyString, 'an array of names')).toThrow(
    new TypeError('auth must be an array of names, got "a"'),
  );
});

it('checkNames looks at names alone', () => {
  expect(() => checkNames('x', { a: NaN }, ['a'])).not.toThrow();
  expect(() => checkNames('x', { b: 1 }, ['a'])).toThrow(
    new TypeError('unknown option "x.b"; known are a'),
  );
});

it.each([
  [8, 'unknown option "zzz"; known are n0, n1, n2, n3, n4, n5, n6, n7'],
  [9, 'unknown option "zzz"'],
])('%i known names are listed where none of them is near, more are not', (count, message) => {
  const known = Array.from({ length: count }, (_, i) => `n${i}`);
  expect(() => checkNames('', { zzz: 1 }, known)).toThrow(new TypeError(message));
});
