import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { InvalidProxyError } from '../errors.ts';
import { readProxyList } from './proxy-list.ts';
import { parseProxy } from './parse-proxy.ts';
import { describe as described } from './refusal.ts';

const marker = 'hunter2SECRET';
const base64 = Buffer.from(`user:${marker}:tail-of-a-share-link-that-is-long`).toString('base64');

/** What lists hold that is no proxy, with a secret in each place in which it has been seen. */
const refused = [
  `192.0.2.1,8080,ann,${marker}`,
  `192.0.2.1;8080;ann;${marker}`,
  `192.0.2.1|8080|ann|${marker}`,
  `192.0.2.1\t8080\tann\t${marker}`,
  `192.0.2.1 8080 ann ${marker}`,
  `192.0.2.1:8080:${marker}`,
  `192.0.2.1:8080,${marker}`,
  `ann:${marker}`,
  `ann:${marker}@192.0.2.1`,
  `ann:${marker}@192.0.2.1:99999`,
  `${marker}@192.0.2.1:0`,
  `192.0.2.1:80@${marker}:12345`,
  `proxy.example:80@${marker}:12345`,
  `http://ann:${marker}@192.0.2.1:0`,
  `http://ann:${marker}@proxy.example/path`,
  `http://proxy.example:80?token=${marker}`,
  `http://proxy.example:80/#${marker}`,
  `http://${marker}:x%zz@proxy.example:80`,
  `socks://ann:${marker}@proxy.example:1080`,
  `ssl://ann:${marker}@proxy.example:443`,
  `quic://ann:${marker}@proxy.example:443`,
  `${marker}://proxy.example:80`,
  `ss://${base64}@192.0.2.1:8388#${marker}`,
  `vmess://${base64}`,
  `vless://${marker}@192.0.2.1:443?security=tls`,
  `trojan://${marker}@192.0.2.1:443`,
  `https://t.me/proxy?server=192.0.2.1&port=443&secret=${marker}`,
  `{"url":"http://ann:${marker}@h:1"`,
  `{"password":"${marker}"}`,
  `["${marker}"]x`,
  `<a href="http://ann:${marker}@h">`,
  `http=${marker}:80`,
  `PROXY ${marker}:80`,
  `cache_peer 192.0.2.1 parent 80 0 login=ann:${marker}`,
  `- {name: a, server: 192.0.2.1, password: ${marker}}`,
  `1. ann:${marker}@192.0.2.1:80`,
  `| 192.0.2.1 | 80 | ${marker} |`,
  marker,
  base64,
  `${marker}.${marker}.${marker}`,
  `192.0.2.1:80:ann\u0000:${marker}`,
  `192.0.2.1:80:ann:${marker}\ud800`,
  `socks5://ann:${marker}${'x'.repeat(255)}@192.0.2.1:1080`,
  `192.0.2.1:80::${marker}:x`,
  `192.0.2.1:80:${marker}:elite`,
  `${marker}`.repeat(200),
];

describe('F17c nothing secret is shown', () => {
  it.each(refused)('F17c %s: not its secret in any message', (line) => {
    const shows = (text: string) => {
      expect(text).not.toContain(marker);
      expect(text).not.toContain(marker.toLowerCase());
      expect(text).not.toContain(base64.slice(0, 16));
    };
    let errors = 0;
    for (const act of [
      () => parseProxy(line),
      () => parseProxy({ url: line }),
      () => readProxyList(`192.0.2.9:80\n${line}\n192.0.2.8:x\n`),
      () => readProxyList(JSON.stringify(['192.0.2.9:80', line, { url: line }])),
      () => readProxyList([{ url: line }, line, { host: line, port: 1 }]),
      () => readProxyList(line, { format: 'host:port:region' }),
    ]) {
      try {
        act();
      } catch (error) {
        errors++;
        expect(error).toBeInstanceOf(InvalidProxyError);
        const { message, issues } = error as InvalidProxyError;
        shows(message + JSON.stringify(issues));
        for (const { reason } of issues) expect(reason.length).toBeLessThan(300);
      }
    }
    expect(errors).toBeGreaterThanOrEqual(3);
    const { skipped } = readProxyList(`192.0.2.9:80\n192.0.2.8:80\n${line}\n`, {
      onInvalid: 'skip',
    });
    shows(JSON.stringify(skipped));
  });

  it('F17c the values and the names of an object are not shown where they may be secrets', () => {
    for (const input of [
      { url: 'h.example:1', id: `${marker}`.repeat(30) },
      { url: 'h.example:1', region: `${marker}\ud800` },
      { url: 'h.example:1', tunnel: marker },
      { url: 'h.example:1', [`ann:${marker}@h:1`]: 1 },
      { url: 'h.example:1', [marker]: 1 },
    ]) {
      expect(() => parseProxy(input as object)).toThrow(InvalidProxyError);
      try {
        parseProxy(input as object);
      } catch (error) {
        expect((error as Error).message).not.toContain(marker);
      }
    }
    expect(() => readProxyList(`{"${marker}": []}`)).toThrow(/^(?!.*hunter2)/);
  });

  it('F17c what is understood hides its password from whatever prints it', () => {
    for (const line of [
      `192.0.2.1:80@ann:${marker}`,
      `ann:${marker}:192.0.2.1:80`,
      `http://ann:${marker}@h`,
    ]) {
      const proxy = parseProxy(line);
      expect(proxy.password).toBe(marker);
      expect(inspect(proxy) + JSON.stringify(proxy) + proxy.url + proxy.id).not.toContain(marker);
    }
  });

  it.each([
    ['http://ann:pw@h.example:80', '"http://***@h.example:80"'],
    ['SOCKS5://192.0.2.1:99999/', '"socks5://192.0.2.1:99999"'],
    ['[2001:db8::1]:0', '"[2001:db8::1]:0"'],
    ['h.example:80:ann:pw', 'a text of 4 parts between colons'],
    ['a,b,c', 'a text of 3 parts between commas'],
    ['{"a":1}', 'a JSON object'],
    ['http://h/?a=b', 'a URL that begins with http://'],
    ['192.0.2.1:80@bob:123', 'a text with "@"'],
    ['word', 'a single word'],
  ])('F17c %s is described as %s', (text, shown) => {
    expect(described(text)).toBe(shown);
  });
});
