import { describe, expect, it } from 'vitest';
import {
  parseDuration,
  parseHostPort,
  parseInteger,
  parseStatuses,
  parseUrl,
} from './arguments.ts';

describe('what is written behind options', () => {
  it.each([
    ['10s', 10_000],
    ['500ms', 500],
    ['1.5m', 90_000],
    ['24h', 86_400_000],
    ['3', 3000],
  ])('the time %s', (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(['', '0', '0s', '-1s', '1 s', 's', '1e3', '25h', '1d'])('no time: "%s"', (text) => {
    expect(() => parseDuration(text)).toThrow('It must be a time');
  });

  it('whole numbers within their bounds', () => {
    const parse = parseInteger(1, 10);
    expect([parse('1'), parse('10')]).toEqual([1, 10]);
    for (const text of ['0', '11', '1.5', '', ' 1', '1e1', '0x1']) {
      expect(() => parse(text), text).toThrow('It must be an integer from 1 to 10.');
    }
  });

  it('URLs are http or https, without credentials', () => {
    expect(parseUrl('http://example.com').href).toBe('http://example.com/');
    for (const text of ['example.com', 'ftp://example.com', '/', '']) {
      expect(() => parseUrl(text), text).toThrow('It must begin with http:// or https://.');
    }
    for (const text of [
      'http://',
      'http://[::1/',
      'https://h:65536/',
      'http://h:0/',
      'http://a b/',
      'http://1.2.3.256/',
    ]) {
      expect(() => parseUrl(text), text).toThrow('It must be a URL with a valid host and port.');
    }
    expect(() => parseUrl('http://u:p@example.com')).toThrow('It must not hold credentials.');
  });

  it('host:port with names and addresses', () => {
    expect(parseHostPort('example.com:443')).toEqual({ host: 'example.com', port: 443 });
    expect(parseHostPort('[2001:db8::1]:80')).toEqual({ host: '[2001:db8::1]', port: 80 });
    for (const text of ['example.com', ':80', 'h:0', 'h:65536', 'h:80/x', 'http://h:80', 'a@h:1']) {
      expect(() => parseHostPort(text), text).toThrow('It must be host:port');
    }
  });

  it('statuses alone, in classes, ranges and lists', () => {
    const good = (text: string, statuses: readonly number[]) => statuses.map(parseStatuses(text));
    expect(good('200', [200, 201])).toEqual([true, false]);
    expect(good('2xx', [199, 200, 299, 300])).toEqual([false, true, true, false]);
    expect(good('200-204,404', [200, 204, 205, 404])).toEqual([true, true, false, true]);
    for (const text of ['', '20', '6xx', '200-', '200,', 'ok']) {
      expect(() => parseStatuses(text), text).toThrow('It must be a status such as');
    }
  });
});
