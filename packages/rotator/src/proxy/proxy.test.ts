import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { InvalidProxyError } from '../errors.ts';
import { allSteps } from '../steps.ts';
import { parseProxyList, parsingProxies } from './proxy-list.ts';
import { parseProxy } from './parse-proxy.ts';
import type { ProxyInput } from './proxy.ts';

const parseProxies = (list: string | readonly ProxyInput[]) =>
  allSteps(parsingProxies(list)).proxies;

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidProxyError);
    return (error as Error).message;
  }
  throw new Error('it was expected to be refused');
}

describe('F17 one proxy', () => {
  const understood: [ProxyInput, string, object][] = [
    ['http://h', 'h:80', { protocol: 'http', port: 80, username: undefined }],
    ['https://h/', 'h:443', { protocol: 'https' }],
    ['socks5h://H.Example:1081', 'h.example:1081', { protocol: 'socks5h' }],
    ['SOCKS4://1.2.3.4', '1.2.3.4:1080', { protocol: 'socks4' }],
    ['http://[::0001]:8080', '[::1]:8080', { host: '[::1]' }],
    ['http://ann:p%40ss%3A@h:1', 'ann@h:1', { username: 'ann', password: 'p@ss:' }],
    ['http://ann@h:1', 'ann@h:1', { username: 'ann', password: undefined }],
    ['h:1', 'h:1', { protocol: 'http', host: 'h', port: 1 }],
    ['h:1:ann:a:b', 'ann@h:1', { password: 'a:b' }],
    ['1.2.3.4:8080:ann:12345', 'ann@1.2.3.4:8080', { password: '12345' }],
    ['h:1@ann:p:w', 'ann@h:1', { password: 'p:w' }],
    ['ann:pw:h.test:1', 'ann@h.test:1', { password: 'pw' }],
    ['[::1]:8080:ann:pw', 'ann@[::1]:8080', { password: 'pw' }],
    ['socks5://h:1:ann:pw', 'ann@h:1', { protocol: 'socks5', password: 'pw' }],
    ['ann:pw@h:1', 'ann@h:1', { password: 'pw' }],
    ['bücher.example:1', 'xn--bcher-kva.example:1', {}],
    [{ url: 'h:1', id: 'mine', region: 'eu', tags: ['a'], weight: 0 }, 'mine', { region: 'eu' }],
    [{ host: '::1', port: 1, protocol: 'socks5', username: 'a%b' }, 'a%b@[::1]:1', {}],
    [{ url: 'http://h:1', username: 'ann', password: 'pw' }, 'ann@h:1', { password: 'pw' }],
  ];
  for (const [input, id, expected] of understood) {
    it(`understands ${typeof input === 'string' ? input : JSON.stringify(input)}`, () => {
      expect(parseProxy(input)).toMatchObject({ id, ...expected });
    });
  }

  it('user:pass:host:port is ambiguous unless the format is named', () => {
    expect(refusal(() => parseProxy('ann:1:h.test:80'))).toMatch(/ambiguous/);
    expect(refusal(() => parseProxy('h:1:ann:2'))).toMatch(/ambiguous/);
    const last = { format: 'user:pass:host:port' } as const;
    expect(parseProxy('ann:a:b:h.test:80', last)).toMatchObject({
      id: 'ann@h.test:80',
      password: 'a:b',
    });
    const first = { format: 'host:port:user:pass' } as const;
    expect(parseProxy('h:1:ann:2', first)).toMatchObject({ id: 'ann@h:1', password: '2' });
  });

  const refused: [string, RegExp][] = [
    ['', /must not be empty/],
    ['ftp://ann:hunter2@h:1', /scheme must be one of http, https, socks4/],
    ['http://ann:hunter2@h:0', /port must be 1 to 65535/],
    ['http://ann:hunter2@h:65536', /port must be 1 to 65535/],
    ['ann:hunter2@h', /no port/],
    ['http://ann:hunter2@', /no host/],
    ['http://ann:hunter2@h/path', /must not have a path/],
    ['http://ann:hunter2@h?x', /must not have a path/],
    ['http://ann:hunter2/x@h:1', /must not have a path/],
    ['http://ann:hunter2%@h:1', /broken % escape/],
    ['http://ann:hunter2%0A@h:1', /control characters/],
    ['http://a%3Ab:hunter2@h:1', /no ":" in the user name/],
    [`socks5://ann:hunter2${'x'.repeat(255)}@h:1`, /at most 255 bytes/],
    ['http://ann:hunter2@h h:1', /must not have/],
    ['ann:hunter2@a_b!c^:1', /neither a name nor an address/],
    ['::1:8080', /brackets/],
    ['h.test:1@ann:12345', /ambiguous/],
    ['h:1:hunter2', /expected host:port/],
    ['ann:hunter2', /port/],
  ];
  for (const [text, why] of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 40))}, naming it without its password`, () => {
      const message = refusal(() => parseProxy(text));
      expect(message).toMatch(why);
      expect(message).not.toContain('hunter2');
      expect(refusal(() => parseProxyList(`ok:1\n${text || '{"":'}`))).toMatch(/^line 2: /);
    });
  }

  it('refuses bad options by name, bound and value', () => {
    const bad: [object, RegExp][] = [
      [{ url: 'h:1', wieght: 2 }, /unknown option "proxy.wieght": did you mean "weight"\?/],
      [{ url: 'h:1', weight: -1 }, /weight must be a number from 0 to 1000000000000000, got -1/],
      [{ url: 'h:1', weight: 1e16 }, /weight must be a number from 0 to 10+, got 10+/],
      [{ url: 'h:1', cost: NaN }, /cost must be a number ≥ 0, got NaN/],
      [{ url: 'h:1', maxConcurrent: 0 }, /maxConcurrent must be an integer from 1 to \d+, got 0/],
      [{ url: 'h:1', maxConcurrent: 2 ** 53 }, /maxConcurrent must be an integer from 1 to \d+1,/],
      [{ url: 'h:1', id: '' }, /id must be a string of 1 to 256/],
      [{ url: 'h:1', tags: 'a' }, /tags must be an array of strings, got a string of 1/],
      [{ url: 'h:1', tunnel: 'no' }, /tunnel must be "auto" or "always"/],
      [{ url: 'h:1', keepAlive: 1 }, /keepAlive must be true or false/],
      [{ url: 'h:1', host: 'h' }, /either a url or a host/],
      [{ url: 'h:1', port: 1 }, /port and protocol go with host/],
      [{ host: 'h', port: 1.5 }, /port must be an integer, got 1.5/],
      [{ url: 'http://a:b@h:1', password: 'hunter2' }, /given twice/],
    ];
    for (const [input, why] of bad) {
      const message = refusal(() => parseProxy(input));
      expect(message).toMatch(why);
      expect(message).not.toContain('hunter2');
    }
    expect(refusal(() => parseProxy(null as never))).toMatch(/a text or an object/);
  });

  it('half a character is refused in an id and in credentials, which are not shown', () => {
    expect(refusal(() => parseProxy({ url: 'h:1', id: 'a\ud800' }))).toMatch(
      /^id must be well-formed Unicode/,
    );
    for (const url of ['h:1:\ud800:hunter2', 'h:1:ann:hunter2\udfff']) {
      expect(refusal(() => parseProxy(url))).toBe(
        'the credentials of the proxy h:1 must be well-formed Unicode',
      );
    }
    expect(parseProxy({ url: 'h:1', id: '🌀' }).id).toBe('🌀');
  });

  it('is frozen, and shows no password when it is printed', () => {
    const proxy = parseProxy('http://ann:hunter2@h:1');
    expect(proxy.password).toBe('hunter2');
    expect(proxy.url).toBe('http://ann@h:1');
    for (const shown of [inspect(proxy, { showHidden: true }), JSON.stringify({ ...proxy })]) {
      expect(shown).not.toContain('hunter2');
    }
    expect(Object.isFrozen(proxy)).toBe(true);
    expect(parseProxy(proxy)).toBe(proxy);
  });
});

describe('F17 lists', () => {
  it('text: comments, blank lines, any line end; identical lines collapse', () => {
    const text = '\uFEFF# ours\r\nh:1\n\n  h:2:ann:p#w # the second\rh:1\n[::1]:3\n';
    expect(parseProxyList(text).map(({ id }) => id)).toEqual(['h:1', 'ann@h:2', '[::1]:3']);
    expect(parseProxyList('[::1]:3\nh:1')).toHaveLength(2);
    expect(parseProxyList(' \n')).toEqual([]);
  });

  it('JSON: texts and objects; an error names the line on which the entry begins', () => {
    const list = '["h:1",\n {"url": "h:2", "tags": ["a,b", "]"]},\n\n "h:1",\n {"url":"bad"}]';
    expect(refusal(() => parseProxyList(list))).toMatch(
      /^line 5: a single word is not a proxy: it has no port/,
    );
    expect(parseProxyList(list.replace('"bad"', '"h:3"')).map(({ id }) => id)).toEqual([
      ...['h:1', 'h:2', 'h:3'],
    ]);
    const broken = refusal(() => parseProxyList('[\n"http://ann:hunter2@h:1" "x"]'));
    expect(broken).toMatch(/begins like JSON, but is not/);
    expect(broken).not.toContain('hunter2');
  });

  it('different proxies with one id are an error that names both', () => {
    const message = refusal(() => parseProxyList('http://ann:hunter2@h:1\n\nhttp://ann:other@h:1'));
    expect(message).toBe(
      'line 1 and line 3 are different proxies with one id, for h:1, whose passwords differ: give one an id',
    );
    expect(refusal(() => parseProxies(['h:1', { url: 'h:2', id: 'h:1' }]))).toMatch(
      /^entry 1 and entry 2/,
    );
    expect(parseProxies(['h:1', ' h:1 '])).toHaveLength(1);
    expect(parseProxies([{ url: 'h:1' }, { url: 'h:1' }])).toHaveLength(1);
    const understood = ['1', '2'].map((password) =>
      parseProxy({ url: 'h:1', username: 'u', password }),
    );
    expect(refusal(() => parseProxies(understood))).toMatch(/^entry 1 and entry 2/);
  });

  it('a named format holds for every line', () => {
    const format = 'user:pass:host:port';
    const [a, b] = parseProxyList('ann:1:h.test:80\nbob:2:h.test:80', { format });
    expect([a?.id, b?.id]).toEqual(['ann@h.test:80', 'bob@h.test:80']);
  });
});
