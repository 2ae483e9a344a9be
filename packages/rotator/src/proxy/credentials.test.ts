import { describe, expect, it } from 'vitest';
import { parseProxy } from './parse-proxy.ts';

describe('F17f no invented credentials', () => {
  it.each(['192.0.2.1:8080::US:*', '192.0.2.1:8080:::', 'h.example:80::DE:Berlin'])(
    'F17f %s has no user before its password: it is refused as columns',
    (line) => {
      expect(() => parseProxy(line)).toThrow(/if these are columns, name the format/);
    },
  );

  it.each([
    '192.0.2.1:8080:socks5:elite',
    '192.0.2.1:8080:US:HTTP',
    '192.0.2.1:8080:anonymous:US',
    '192.0.2.1:8080:US:Transparent',
    'socks5://192.0.2.1:8080:high:US',
    'elite:pw:192.0.2.1:8080',
  ])('F17f %s: a word of another column is no credential', (line) => {
    expect(() => parseProxy(line)).toThrow(/if these are columns, name the format/);
  });

  it('F17f two capitals may be a login, and with an @ or a named format so may any word', () => {
    expect(parseProxy('192.0.2.1:8080:US:xy')).toMatchObject({ username: 'US', password: 'xy' });
    expect(parseProxy('elite:high@192.0.2.1:8080')).toMatchObject({ username: 'elite' });
    const format = 'host:port:user:pass';
    expect(parseProxy('192.0.2.1:8080:elite:x', { format })).toMatchObject({ username: 'elite' });
  });
});

describe('F17g which side is the host', () => {
  it.each([
    ['192.0.2.1:80@ann:pw', '192.0.2.1', 'pw'],
    ['h.example:80@ann:p:w', 'h.example', 'p:w'],
    ['h.example:80@ann:p@w', 'h.example', 'p@w'],
    ['h:80@ann:pw', 'h', 'pw'],
    ['http://192.0.2.1:80@ann:pw', '192.0.2.1', 'pw'],
    ['ann:12345@192.0.2.1:80', '192.0.2.1', '12345'],
    ['ann:12345@h.example:80', 'h.example', '12345'],
    ['http://ann:12345@h:80', 'h', '12345'],
    ['ann:p@w@192.0.2.1:80', '192.0.2.1', 'p@w'],
    ['ann:pw:192.0.2.1:80', '192.0.2.1', 'pw'],
    ['ann:pw:h.example:80', 'h.example', 'pw'],
  ])('F17g %s has the host %s', (line, host, password) => {
    expect(parseProxy(line)).toMatchObject({ host, port: 80, username: 'ann', password });
  });

  it.each([
    '192.0.2.1:80@ann:12345',
    'h.example:80@ann:12345',
    'h:80@ann:12345',
    'http://192.0.2.1:80@ann:12345',
    '192.0.2.1:80@ann:99999',
    '192.0.2.1:80@192.0.2.2:81',
    'ann:1:192.0.2.1:80',
    'ann:1:h.example:80',
  ])('F17g %s has two readings: it is refused and not shown', (line) => {
    expect(() => parseProxy(line)).toThrow(/^a (?:text|URL) .* is not a proxy: it is ambiguous/);
  });

  it('F17g a mistake in a port never makes the user the host', () => {
    for (const line of [
      'ann:12345@h.example:99999',
      'ann:1@h.example:80:x',
      'ann:1@192.0.2.1:8o',
    ]) {
      expect(() => parseProxy(line)).toThrow(/is not a proxy/);
    }
  });

  it('F17 credentials: escapes are decoded beside an @ alone, other scripts are kept', () => {
    expect(parseProxy('ann:p%40%C3%BC@h:1').password).toBe('p@ü');
    expect(parseProxy('h:1:ann:p%40w').password).toBe('p%40w');
    expect(parseProxy('h:1:ännä:пароль')).toMatchObject({ username: 'ännä', password: 'пароль' });
    expect(() => parseProxy('ann:p%E9@h:1')).toThrow(/broken % escape/);
  });
});

describe('F17 schemes', () => {
  it('F17 a scheme may be written in any case', () => {
    expect(parseProxy('SoCkS5H://h.example').protocol).toBe('socks5h');
  });

  it.each([
    ['socks://h:1', /SOCKS4 in some programs and SOCKS5 in others/],
    ['ssl://h:1', /reached over TLS in some programs and an HTTP proxy that tunnels/],
    ['quic://h:1', /over QUIC are not supported/],
    ['ss://eA@h:1#x', /a share link \(ss\), no HTTP or SOCKS proxy/],
    ['hysteria2://x@h:1', /a share link \(hysteria2\)/],
    ['ftp://h:1', /^"ftp:\/\/h:1" is not a proxy: its scheme must be one of http, https/],
    ['what://h:1', /^a URL of an unknown scheme is not a proxy: its scheme must be one of/],
    ['https://t.me/socks?server=x', /for Telegram/],
  ])('F17 %s is refused by name', (url, why) => {
    expect(() => parseProxy(url)).toThrow(why);
  });

  it('F17 an object with a misspelt option names the nearest known one', () => {
    expect(() => parseProxy({ url: 'h:1', maxConcurent: 3 } as object)).toThrow(
      'unknown option "proxy.maxConcurent": did you mean "maxConcurrent"?',
    );
    expect(() => parseProxy({ url: 'h:1', keep_alive: true } as object)).toThrow(/"keepAlive"\?$/);
    expect(() => parseProxy({ host: 'h', exit_ip: '' } as object)).toThrow(/format "records"$/);
  });
});
