import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Exit, type Gateway } from './exit.ts';
import { parseProxy } from './parse-proxy.ts';
import type { ProxyInput } from './proxy.ts';
import { readProxyList } from './proxy-list.ts';
import { withoutSecrets } from './secrets.ts';
import { SessionTokens } from './session-tokens.ts';

const line = 'http://customer-U-cc-{region}-sessid-{session}:pw@gate.example:7777';

/** A sequence that looks random and is the same in each run. */
function chance(seed = 1): () => number {
  let at = seed;
  return () => (at = (at * 16_807) % 2_147_483_647) / 2_147_483_647;
}

function exitOf(input: ProxyInput, region?: string): Exit {
  const gateway = parseProxy(input) as Gateway;
  return new Exit({ gateway, tokens: new SessionTokens(chance()) }, `${gateway.id}/1`, region);
}

const sentBy = ({ username, password }: Exit) => `${username}:${password}`;

describe('V1 placeholders', () => {
  it('V1 a URL with placeholders is a gateway: its id is its address, its exits are 10', () => {
    const proxy = parseProxy(line);
    expect(proxy).toMatchObject({
      id: 'gate.example:7777',
      username: 'customer-U-cc-{region}-sessid-{session}',
      url: 'http://customer-U-cc-{region}-sessid-{session}@gate.example:7777',
      group: 'gate.example',
      exits: { count: 10, renew: true, renewPerMinute: 60, perRegion: true },
    });
  });

  it.each([
    ['http://u-{session}:pw@gate.example:7777', /^u-[a-z0-9]{8}:pw$/],
    ['http://u-{session:number}:pw@gate.example:7777', /^u-[1-9]\d{7}:pw$/],
    [
      'http://u-{session:uuid}:pw@gate.example:7777',
      /^u-[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}:pw$/,
    ],
    ['u-{session:number}:p:w@gate.example:7777', /^u-[1-9]\d{7}:p:w$/],
    ['gate.example:7777:u-{session:number}:pw', /^u-[1-9]\d{7}:pw$/],
    ['http://u:pw_session-{session}@gate.example:7777', /^u:pw_session-[a-z0-9]{8}$/],
    ['http://{session}:a%40{session}@gate.example:7777', /^([a-z0-9]{8}):a@\1$/],
    [{ host: 'gate.example', username: 'u-{session}', password: 'pw' }, /^u-[a-z0-9]{8}:pw$/],
    [{ url: 'gate.example:1', username: 'u', password: '{session}' }, /^u:[a-z0-9]{8}$/],
  ])('V1 %j', (input, sent) => {
    expect(sentBy(exitOf(input))).toMatch(sent);
  });

  it('V1 {ttl} is whole seconds, {ttl:minutes} whole minutes of sessionTtlMs', () => {
    const url = 'http://u-{session}-s-{ttl}-m-{ttl:minutes}:pw@gate.example:7777';
    const exit = exitOf({ url, sessionTtlMs: 599_600 });
    expect(exit.username).toMatch(/-s-600-m-10$/);
    expect(() => parseProxy(url)).toThrow('{ttl} needs sessionTtlMs');
  });

  it('V4 {region} has the spelling of regions, by default lower case', () => {
    const url = 'http://u-{region}-{region:upper}-{session}:pw@gate.example:7777';
    const regions = { GB: 'uk' };
    expect(exitOf({ url, regions }, 'GB').username).toMatch(/^u-uk-UK-/);
    expect(exitOf({ url, regions }, 'DE').username).toMatch(/^u-de-DE-/);
    const { exits } = parseProxy({ url, regions }) as Gateway;
    expect([exits.spelled('us-sessid-x'), exits.spelled('a:b'), exits.spelled('')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('V1 an exit with a region of its own has that one alone', () => {
    const { exits, region } = parseProxy({ url: line, region: 'US' }) as Gateway;
    expect([exits.perRegion, region]).toEqual([false, 'US']);
  });

  it('V1 without {session} there is one exit, and nothing to renew', () => {
    const url = 'http://u-{region}:pw@gate.example:7777';
    expect(parseProxy(url).exits).toMatchObject({ count: 1, renew: false });
    expect(() => parseProxy({ url, exits: 2 })).toThrow('exits goes with a gateway of exits');
  });

  it.each([
    [{ exits: 0 }, 'exits must be an integer from 1 to 100000, got 0'],
    [{ exits: 100_001 }, 'exits must be'],
    [{ renewPerMinute: 0 }, 'renewPerMinute must be'],
    [{ sessionTtlMs: 999 }, 'sessionTtlMs must be an integer from 1000'],
    [{ renew: 1 }, 'renew must be true or false, got 1'],
    [{ regions: ['us'] }, 'regions must be an object'],
    [{ regions: { US: 'a:b' } }, 'each spelling in regions must be a string without colons'],
    [{ group: '' }, 'group must be'],
  ])('V1 %j is refused by its name', (options, message) => {
    expect(() => parseProxy({ url: line, ...options } as ProxyInput)).toThrow(message);
  });

  it('V1 options of exits without a placeholder are refused', () => {
    const refused = (options: object) => () =>
      parseProxy({ url: 'http://u:p@h.example:1', ...options } as ProxyInput);
    expect(refused({ exits: 2 })).toThrow('{session}');
    expect(refused({ sessionTtlMs: 5000 })).toThrow('{session}');
    expect(refused({ regions: { US: 'us' } })).toThrow('{region}');
    expect(refused({ zone: 'z' })).toThrow('zone goes with a provider');
  });
});

describe('V1 tokens', () => {
  it.each(['text', 'number', 'uuid'] as const)('V1 no %s comes twice', (kind) => {
    for (const random of [chance(), () => 0, () => 0.999_999_999]) {
      const tokens = new SessionTokens(random);
      const seen = Array.from({ length: 20_000 }, () => tokens.next(kind));
      expect(new Set(seen).size).toBe(seen.length);
    }
  });

  it('V1 two sources do not begin alike', () => {
    const first = (seed: number) => new SessionTokens(chance(seed)).next('text');
    expect(new Set([1, 2, 3, 4, 5].map(first)).size).toBe(5);
  });
});

describe('V8 what is no placeholder', () => {
  it('V8 %7Bsession%7D is the text itself', () => {
    const proxy = parseProxy('http://u-%7Bsession%7D:p%7Bregion%7D@gate.example:7777');
    expect([proxy.exits, proxy.username, proxy.password]).toEqual([
      undefined,
      'u-{session}',
      'p{region}',
    ]);
    const both = exitOf('http://u-%7Bsession%7D-{session}:pw@gate.example:7777');
    expect(both.username).toMatch(/^u-\{session\}-[a-z0-9]{8}$/);
    expect(both.url).toBe('http://u-%7Bsession%7D-{session}@gate.example:7777');
  });

  it.each([
    [
      'http://u-{sesion}:pw@gate.example:7777',
      '{sesion} is no placeholder: did you mean {session}?',
    ],
    ['http://u-{city}:pw@gate.example:7777', '{city} is no placeholder (known are {session},'],
    ['http://u-{session:hex}:pw@gate.example:7777', '{session:hex} is no placeholder'],
    ['http://u:pw-{regions}@gate.example:7777', 'did you mean {region}?'],
    ['http://u-{session}:pw-{secretword}@gate.example:7777', '{…} is no placeholder'],
    ['http://{region}.gate.example:7777', 'placeholders stand in the user name and the password'],
  ])('V8 %s is refused by name, and never by its password', (text, message) => {
    expect(() => parseProxy(text)).toThrow(message);
    expect(() => parseProxy(text)).not.toThrow(/secretword/);
  });

  it.each(['\udc00', '\udc03', 'a\ud800', '\ud800{session}', '\udc20x\udc21'])(
    'V8 half a character is no placeholder in any form of list: %j',
    (half) => {
      const refused = (input: ProxyInput | readonly ProxyInput[], format?: string) => () =>
        readProxyList(Array.isArray(input) ? input : [input as ProxyInput], { format });
      const text = `http://u-${half}:pw@gate.example:1`;
      expect(refused(text)).toThrow(/well-formed/);
      expect(refused({ url: 'gate.example:1', username: half, password: 'p' })).toThrow(
        /well-formed/,
      );
      expect(refused({ host: 'gate.example', username: 'u', password: half })).toThrow(
        /well-formed/,
      );
      const row = JSON.stringify([{ ip: 'gate.example', port: 1, user: 'u', pass: half }]);
      expect(() => readProxyList(row)).toThrow(/well-formed/);
      const format = 'host,port,user,pass';
      expect(() => readProxyList(`gate.example,1,u,${half}`, { format })).toThrow(/well-formed/);
    },
  );

  it.each(['p{a}w', '{', '{}', '{12}', 'a{b:c}d', '}{'])(
    'V8 a password %j stays one',
    (password) => {
      const proxy = parseProxy({ host: 'h.example', port: 1, username: 'u', password });
      expect([proxy.password, proxy.exits]).toEqual([password, undefined]);
    },
  );

  it('V8 every format of lists takes gateways', () => {
    const url = 'http://u-{session:number}:pw@gate.example:7777';
    const lists = [
      `# gateway\n${url}`,
      'gate.example:7777:u-{session:number}:pw',
      `host,port,username,password\ngate.example,7777,u-{session:number},pw`,
      JSON.stringify([{ url, exits: 20 }]),
      JSON.stringify({
        proxies: [{ ip: 'gate.example', port: 7777, user: 'u-{session:number}', pass: 'pw' }],
      }),
      `${JSON.stringify({ url })}\n${JSON.stringify({ url: 'http://other.example:1' })}`,
    ];
    for (const list of lists) {
      const [proxy] = readProxyList(list).proxies;
      expect(proxy).toMatchObject({ id: 'gate.example:7777', username: 'u-{session:number}' });
    }
    const format = 'host,port,user,pass';
    const [proxy] = readProxyList('gate.example,7777,u-{session},pw', { format }).proxies;
    expect(proxy?.exits?.count).toBe(10);
  });

  it('V8 two gateways at one address need ids of their own', () => {
    const lines = ['http://a-{session}:pw@gate.example:1', 'http://b-{session}:pw@gate.example:1'];
    expect(() => readProxyList(lines.join('\n'))).toThrow('different proxies with one id');
    const same = readProxyList([lines[0], lines[0]].join('\n'));
    expect(same.duplicates).toBe(1);
  });
});

describe('V7 what is shown of an exit', () => {
  it('V7 neither its session nor a password is printed', () => {
    const exit = exitOf('http://u-{session}:hidden@gate.example:7777');
    const token = (exit.username as string).slice(2);
    const shown = [inspect(exit, { depth: 9, showHidden: true }), JSON.stringify(exit), exit.url];
    for (const text of shown) {
      expect(text).not.toContain(token);
      expect(text).not.toContain('hidden');
    }
    expect(withoutSecrets(`no session ${token} for ${exit.username}`, exit, undefined)).toBe(
      'no session *** for ***',
    );
  });

  it('V7 a gateway prints its placeholders, and no password', () => {
    const gateway = parseProxy('http://u-{session}:hidden@gate.example:7777');
    expect(inspect(gateway, { depth: 9, showHidden: true })).not.toContain('hidden');
    expect(JSON.stringify(gateway)).not.toContain('hidden');
  });
});
