import { describe, expect, it } from 'vitest';
import { InvalidProxyError } from '../errors.ts';
import { proxyListEntries } from './proxy-list.ts';

const rows = (text: string, options = {}) =>
  [...proxyListEntries(text, options)].map(({ line, proxy, issue }) => [
    line,
    proxy?.url ?? issue?.reason,
  ]);

describe('proxyListEntries', () => {
  it('gives every entry with its line: proxies, duplicates, conflicts and issues', () => {
    const text = '# mine\n192.0.2.1:80\n\n192.0.2.1:80\nsocks5://192.0.2.1:80\n192.0.2.1:0\n';
    expect(rows(text)).toEqual([
      [2, 'http://192.0.2.1:80'],
      [4, 'http://192.0.2.1:80'],
      [5, 'socks5://192.0.2.1:80'],
      [6, '"192.0.2.1:0" is not a proxy: its port must be 1 to 65535'],
    ]);
  });

  it('names every issue, where the report of a list names 20', () => {
    const text = Array.from({ length: 50 }, (_, i) => `h${i}.example:0`).join('\n');
    expect(rows(text)).toHaveLength(50);
  });

  it('names the lines of JSON, and reads with the options of a list', () => {
    const text = '[\n  "192.0.2.1:80",\n  7\n]';
    expect(rows(text, { defaultProtocol: 'socks5' })).toEqual([
      [2, 'socks5://192.0.2.1:80'],
      [3, 'an entry must be a text or an object, got a number'],
    ]);
    const check = () => 'it is not wanted';
    expect(rows('192.0.2.1:80', { check })).toEqual([[1, '192.0.2.1:80: it is not wanted']]);
  });

  it('throws for a text that is no list', () => {
    expect(() => rows('<html><body>proxies</body></html>')).toThrow(InvalidProxyError);
  });
});
