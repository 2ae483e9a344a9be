import { describe, expect, it } from 'vitest';
import {
  check,
  checkBriefly,
  integer,
  oneOf,
  resolveBriefly,
  type BriefKind,
  type Kind,
} from './index.ts';

const atLeast1: BriefKind = ['a number ≥ 1', 'number', 5, (value: number) => value >= 1];
const func: BriefKind = ['a function', 'function'];
const bus: BriefKind = ['a bus with on()', (value: { on?: unknown } | null) => !!value?.on];

function messageOf(call: () => void): string {
  try {
    call();
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  return 'accepted';
}

describe('resolveBriefly', () => {
  const kinds = { openMs: atLeast1, now: ['a function', 'function', Date.now] as const };

  it('fills in the defaults, for undefined too', () => {
    expect(resolveBriefly('', {}, kinds)).toEqual({ openMs: 5, now: Date.now });
    expect(resolveBriefly('a', { openMs: undefined }, kinds).openMs).toBe(5);
    expect(resolveBriefly('a', { openMs: 7 }, kinds).openMs).toBe(7);
  });

  it.each([
    ['', null, new TypeError('options must be an object, got null')],
    ['', [], new TypeError('options must be an object, got an array')],
    ['a', 5, new TypeError('a must be an object, got 5')],
    ['', { openms: 1 }, new TypeError('unknown option "openms"; known are openMs, now')],
    ['a', { openms: 1 }, new TypeError('unknown option "a.openms"; known are openMs, now')],
    ['', { openMs: null }, new TypeError('openMs must be a number ≥ 1, got null')],
    ['a.b', { openMs: 0 }, new RangeError('a.b.openMs must be a number ≥ 1, got 0')],
  ])('at %o refuses %o with its path', (path, options, error) => {
    expect(() => resolveBriefly(path, options, kinds)).toThrow(error);
  });
});

describe('checkBriefly', () => {
  it.each([
    [atLeast1, [1, Infinity]],
    [func, [() => {}, class {}]],
    [bus, [{ on() {} }, Object.assign(() => {}, { on() {} })]],
  ] as [BriefKind, unknown[]][])('%o accepts what is of its kind', (kind, values) => {
    for (const value of values) expect(() => checkBriefly('x', value, kind)).not.toThrow();
  });

  it.each([
    [atLeast1, '5', 'TypeError: x must be a number ≥ 1, got a string'],
    [atLeast1, '', 'TypeError: x must be a number ≥ 1, got a string'],
    [atLeast1, Symbol('s'), 'TypeError: x must be a number ≥ 1, got a symbol'],
    [atLeast1, 5n, 'TypeError: x must be a number ≥ 1, got 5'],
    [func, undefined, 'TypeError: x must be a function, got undefined'],
    [func, true, 'TypeError: x must be a function, got true'],
    [func, { toString: () => 'hunter2' }, 'TypeError: x must be a function, got an object'],
    [bus, () => {}, 'TypeError: x must be a bus with on(), got a function'],
    [bus, null, 'TypeError: x must be a bus with on(), got null'],
  ] as [BriefKind, unknown, string][])('%o refuses %o', (kind, value, message) => {
    expect(messageOf(() => checkBriefly('x', value, kind))).toBe(message);
  });

  it.each<[Kind, BriefKind]>([
    [
      integer(1),
      ['an integer ≥ 1', 'number', undefined, (v: number) => Number.isSafeInteger(v) && v >= 1],
    ],
    [oneOf('a'), ['"a"', 'string', undefined, (value: string) => value === 'a']],
  ])('has the message of check(), but of a string only that it is one: %o', (kind, brief) => {
    for (const value of [0, 1.5, NaN, 1, 'a', 'b', true, 7n, null, undefined, {}, [], () => {}]) {
      const full = messageOf(() => check('x', value, kind));
      const expected = typeof value === 'string' ? full.replace(/got ".*"$/, 'got a string') : full;
      expect(messageOf(() => checkBriefly('x', value, brief))).toBe(expected);
    }
  });
});
