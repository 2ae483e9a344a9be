import { describe, expect, it } from 'vitest';
import {
  formatAttempt,
  formatBytes,
  formatCount,
  formatLatency,
  formatNumber,
  formatPercent,
  formatSpan,
} from './format.ts';

describe('figures for people', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [12_345, '12.3 kB'],
    [5e9, '5 GB'],
    [7e15, '7000 TB'],
  ])('%i bytes read %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [null, '–'],
    [undefined, '–'],
    [0, '0'],
    [1234567, '1,234,567'],
  ])('count %s reads %s', (count, text) => expect(formatCount(count)).toBe(text));

  it.each([
    [null, '–'],
    [1, '100 %'],
    [0.99999, '99.9 %'],
    [0.5, '50.0 %'],
    [0.00001, '0.1 %'],
    [0, '0 %'],
  ])('ratio %s reads %s: only a flawless record is 100 %', (ratio, text) =>
    expect(formatPercent(ratio)).toBe(text),
  );

  it.each([
    [null, '–'],
    [0.0004, '0.4 ms'],
    [0.008, '8 ms'],
    [0.00996, '10 ms'],
    [0.2124, '212 ms'],
    [0.9994, '999 ms'],
    [0.9996, '1.00 s'],
    [1.24, '1.24 s'],
    [12.44, '12.4 s'],
  ])('latency of %s s reads %s', (seconds, text) => expect(formatLatency(seconds)).toBe(text));

  it.each([
    [-5, '0 s'],
    [1, '1 s'],
    [41_500, '42 s'],
    [185_000, '3 m 05 s'],
    [7_800_000, '2 h 10 m'],
    [273_600_000, '3 d 4 h'],
  ])('span of %s ms reads %s', (ms, text) => expect(formatSpan(ms)).toBe(text));

  it('attempts count from one for people', () => {
    expect([0, 1, 2, 3, 10, 20].map(formatAttempt)).toEqual([
      '1st attempt',
      '2nd attempt',
      '3rd attempt',
      '4th attempt',
      '11th attempt',
      '21st attempt',
    ]);
  });

  it('numbers agree with their noun', () => {
    expect(formatNumber(1, 'proxy', 'proxies')).toBe('one proxy');
    expect(formatNumber(10_000, 'proxy', 'proxies')).toBe('10,000 proxies');
  });
});
