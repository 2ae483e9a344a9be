import { describe, expect, it } from 'vitest';
import { parseRetryAfter } from './index.ts';

const now = Date.UTC(1994, 10, 6, 8, 49, 0);

describe('parseRetryAfter', () => {
  it.each([
    ['120', 120_000],
    ['0', 0],
    [' 7\t', 7000],
    ['1.5', 1500],
    ['0.25', 250],
    ['1.1', 1100],
    ['1.0004', 1000],
  ])('B8 %j seconds', (value, ms) => {
    expect(parseRetryAfter(value, now)).toBe(ms);
  });

  it.each([
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
  ])('B8 %j is 37 s ahead, and 0 once it is past', (value) => {
    expect(parseRetryAfter(value, now)).toBe(37_000);
    expect(parseRetryAfter(value, now + 37_001)).toBe(0);
    expect(parseRetryAfter(value, now + 1e12)).toBe(0);
  });

  it.each([
    '',
    ' ',
    'soon',
    '0x10',
    '.5',
    '1.',
    '1.5.5',
    '120, soon',
    'soon, 120',
    '120,',
    ',120',
    '120;60',
    'Sun, 06 Nov 1994 08:49:37 GMT, soon',
    '-1',
    '+1',
    '1e3',
    '٣',
    'Infinity',
    '1994-11-06T08:49:37Z',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'sun, 06 nov 1994 08:49:37 gmt',
    'Foo, 06 Nov 1994 08:49:37 GMT',
    'Sun, 31 Feb 1994 08:00:00 GMT',
    'Sun, 29 Feb 1995 08:00:00 GMT',
    'Sun, 00 Nov 1994 08:00:00 GMT',
    'Sun, 06 Foo 1994 08:00:00 GMT',
    'Sun, 06 Nov 1994 24:00:00 GMT',
    'Sun, 06 Nov 1994 08:60:00 GMT',
    'Sun, 06 Nov-1994 08:00:00 GMT',
    'Sun Nov 31 08:49:37 1994',
    'xSun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMTx',
    'xSun Nov  6 08:49:37 1994',
    'Sun Nov  6 08:49:37 1994x',
  ])('B8 %j is undefined', (value) => {
    expect(parseRetryAfter(value, now)).toBeUndefined();
  });

  it('B8 what is no string is undefined, so that what headers.get() gives can be passed', () => {
    for (const value of [null, undefined, 120, {}, [], [120], [['120']], [Symbol.iterator]]) {
      expect(parseRetryAfter(value, now)).toBeUndefined();
    }
  });

  it.each([
    ['120, 120', 120_000],
    ['60,120', 120_000],
    ['120 , 60.5', 120_000],
    [['60', '120'], 120_000],
    [['5', '7, 6'], 7000],
    ['Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT', 37_000],
    ['Sunday, 06-Nov-94 08:49:37 GMT , Sun Nov  6 08:49:38 1994,10', 38_000],
    [['Sun, 06 Nov 1994 08:49:37 GMT', '60'], 60_000],
  ])('B8 a repeated %j asks for the longest of its times', (value, ms) => {
    expect(parseRetryAfter(value, now)).toBe(ms);
  });

  it.each([[['120', 'soon']], [['120', 60]], [['120', '']]])(
    'B8 one value of %j that is garbage makes all of it undefined',
    (value) => {
      expect(parseRetryAfter(value, now)).toBeUndefined();
    },
  );

  it('A17 more than 1,000 characters are no time, whatever they are', () => {
    const zeros = (count: number) => `${'0'.repeat(count)}7`;
    expect(parseRetryAfter(zeros(999), now)).toBe(7000);
    expect(parseRetryAfter(zeros(1000), now)).toBeUndefined();
    for (const shape of ['1', '1,', '1 ', ' ,', 'T,', 'Sun, 06 Nov 1994 08:49:37 GMT,']) {
      expect(parseRetryAfter(`1${shape.repeat(2 ** 20 / shape.length)}`, now)).toBeUndefined();
    }
  });

  it('B8 a number too long for the clock is finite, never NaN', () => {
    expect(parseRetryAfter('9'.repeat(400), now)).toBe(Number.MAX_VALUE);
  });

  it('B8 two digits of a year are at most 50 years ahead', () => {
    const in2026 = Date.UTC(2026, 0, 1);
    expect(parseRetryAfter('Thursday, 02-Jan-76 00:00:00 GMT', in2026)).toBe(
      Date.UTC(2076, 0, 2) - in2026,
    );
    expect(parseRetryAfter('Saturday, 01-Jan-77 00:00:00 GMT', in2026)).toBe(0);
    expect(parseRetryAfter('Thursday, 01-Jan-26 00:00:05 GMT', in2026)).toBe(5000);
  });

  it('B8 a leap day exists in its years only', () => {
    const before = Date.UTC(2096, 1, 28);
    expect(parseRetryAfter('Wed, 29 Feb 2096 00:00:00 GMT', before)).toBe(86_400_000);
    expect(parseRetryAfter('Mon, 29 Feb 2100 00:00:00 GMT', before)).toBeUndefined();
  });

  it('B8 a now that is no number is refused', () => {
    expect(() => parseRetryAfter('1', Number.NaN)).toThrow(/^now must be .* got NaN$/);
    expect(() => parseRetryAfter('1', '5' as never)).toThrow(TypeError);
  });
});
