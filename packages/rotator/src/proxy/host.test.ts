import { describe, expect, it } from 'vitest';
import { normalHost } from './host.ts';
import { parseProxyList } from './proxy-list.ts';
import { parseProxy } from './parse-proxy.ts';

describe('F17d a host is a name or an address', () => {
  it.each([
    ['Proxy.Example', 'proxy.example'],
    ['a_b-c.example', 'a_b-c.example'],
    ['proxy.example.', 'proxy.example.'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['0x1.example', '0x1.example'],
    ['1.2.3.4.example', '1.2.3.4.example'],
    ['[2001:DB8:0:0::1]', '[2001:db8::1]'],
    ['[::ffff:192.0.2.1]', '[::ffff:c000:201]'],
  ])('F17d %s is %s', (written, host) => {
    expect(normalHost(written)).toBe(host);
  });

  it.each([
    ...['a,b', 'a=b', '"a"', '*.a', '(a)', 'a b', 'a\tb', 'a\0b', 'a%2eb', 'a/b', 'a?b', 'a#b'],
    ...['', '.', '.a', 'a..b', 'a..', `${'a'.repeat(64)}.example`, `${'a.'.repeat(127)}a`],
    ...['ex\u200bample', 'ex\u00adample', 'a\u2028b', '[::1', '[::1%lo]', '[1.2.3.4]', '[g::1]'],
    ...['xn--a', '\ud800.example'],
  ])('F17d %j is refused in lines, in URLs and in objects', (host) => {
    expect(normalHost(host)).toBeUndefined();
    for (const act of [
      () => parseProxyList(`h:1\n${host}:8080`),
      () => parseProxy(`socks5://${host}:1080`),
      () => parseProxy({ host, port: 8080 }),
    ]) {
      if (act.toString().includes('parseProxyList') && /#|^$/.test(host)) continue;
      expect(act).toThrow(/is not a proxy|must not be empty|are not proxies/);
    }
  });

  it('F17h an invisible character in the middle of a host is named by its code', () => {
    expect(() => parseProxy('ex\u200bample.test:80')).toThrow(
      'its host holds an invisible character, U+200B',
    );
  });
});

describe('F17e an IPv4 address is four decimal numbers of one reading', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.07', '192.0.2.7'],
    ['192.00.002.1', '192.0.2.1'],
  ])('F17e %s is %s: both readings agree', (written, host) => {
    expect(normalHost(written)).toBe(host);
    expect(parseProxy(`${written}:80`).id).toBe(`${host}:80`);
  });

  it.each([
    ...['192.0.2.017', '192.0.2.08', '127.1', '1', '0x7f.1', '0x7f000001', '2130706433'],
    ...['192.0.2', '192.0.2.1.5', '192.0.2.256', '192.0.2.1.', '192.0.2.0x1', '999.1.1.1'],
  ])('F17e %s is refused in lines, in URLs and in objects', (host) => {
    const why = /four numbers without leading zeros/;
    expect(() => parseProxy(`${host}:80`)).toThrow(why);
    expect(() => parseProxy(`http://${host}`)).toThrow(why);
    expect(() => parseProxy({ host, port: 80 })).toThrow(why);
  });

  it.each(['１９２.0.2.1', '192。0。2。1', '①.example'.replace('①.example', '１２７.1')])(
    'F17e %s, whose digits or dots are not ASCII, is no address',
    (host) => {
      expect(normalHost(host)).toBeUndefined();
    },
  );
});

describe('F17 ports and IPv6', () => {
  it.each([
    ['192.0.2.1:0', /port must be 1 to 65535/],
    ['192.0.2.1:65536', /port must be 1 to 65535/],
    ['192.0.2.1:', /port must be 1 to 65535/],
    ['192.0.2.1:8o80', /port must be 1 to 65535/],
    ['192.0.2.1:+80', /port must be 1 to 65535/],
    ['2001:db8::1', /written in brackets/],
    ['2001:db8::1:8080', /written in brackets/],
    ['[2001:db8::1]', /it has no port/],
    ['[2001:db8::1]8080', /neither a name nor an address/],
  ])('F17 %s is refused', (text, why) => {
    expect(() => parseProxy(text)).toThrow(why);
  });

  it('F17 IPv6 in brackets is understood in each form', () => {
    for (const text of [
      '[2001:db8::1]:80:ann:pw',
      'ann:pw@[2001:db8::1]:80',
      'ann:pw:[2001:db8::1]:80',
      '[2001:db8::1]:80@ann:pw',
    ]) {
      expect(parseProxy(text)).toMatchObject({ id: 'ann@[2001:db8::1]:80', password: 'pw' });
    }
  });
});
