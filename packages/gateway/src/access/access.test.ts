import { createVirtualClock } from '@whirl/testkit';
import { hostname, networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { CredentialList, readBasic } from './credential-list.ts';
import { TargetRules } from './target-rules.ts';
import { WrongPasswords } from './wrong-passwords.ts';

describe('W29 credentials', () => {
  const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;

  it('match by name and password, both whole', () => {
    const list = new CredentialList([
      { name: 'ann', password: 's3cret' },
      { name: 'bob', password: '' },
    ]);
    const matches = (name: string, password: string) => list.matches({ name, password });
    expect(matches('ann', 's3cret')).toBe(true);
    expect(matches('bob', '')).toBe(true);
    for (const wrong of ['', 's3cre', 's3cret ', 'S3CRET', 's3cret\u0000']) {
      expect(matches('ann', wrong)).toBe(false);
    }
    expect(matches('ANN', 's3cret')).toBe(false);
    expect(matches('eve', 's3cret')).toBe(false);
    expect(matches('__proto__', '')).toBe(false);
    expect(list.size).toBe(2);
  });

  it.each([
    [basic('ann:s3cret'), 'ann', 's3cret'],
    [basic('ann-session-1:a:b'), 'ann-session-1', 'a:b'],
    [basic(':'), '', ''],
    [basic('änn:pä'), 'änn', 'pä'],
    [`basic   ${Buffer.from('a:b').toString('base64')}`, 'a', 'b'],
  ])('are read from %j', (value, username, password) => {
    expect(readBasic(value)).toEqual({ username, password });
  });

  it.each(['', 'Basic', 'Basic ', 'Basic !', 'Bearer abc', basic('ann'), 'Basic YQ== YQ=='])(
    '%j are none',
    (value) => {
      expect(readBasic(value)).toBeUndefined();
    },
  );
});

describe('W29 wrong passwords are limited for each address', () => {
  const clock = () => {
    const virtual = createVirtualClock();
    return { virtual, now: () => virtual.now() };
  };

  it('the same one counts once, another address counts for itself', () => {
    const { virtual, now } = clock();
    const wrong = new WrongPasswords({ limit: 2, windowMs: 60_000, now });
    for (let i = 0; i < 10; i++) expect(wrong.note('a', 'ann', 'same')).toBe(false);
    expect(wrong.note('a', 'ann', 'second')).toBe(false);
    expect(wrong.note('a', 'ann', 'third')).toBe(true);
    expect(wrong.note('a', 'ann', 'same')).toBe(true);
    expect(wrong.waitMs('a')).toBe(60_000);
    expect(wrong.note('b', 'ann', 'third')).toBe(false);
    virtual.advance(60_000);
    expect(wrong.waitMs('a')).toBe(0);
    expect(wrong.note('a', 'ann', 'third')).toBe(false);
  });

  it('a name and a password cannot be shifted into each other', () => {
    const wrong = new WrongPasswords({ limit: 1, windowMs: 60_000, now: () => 0 });
    expect(wrong.note('a', 'ab', 'c')).toBe(false);
    expect(wrong.note('a', 'a', 'bc')).toBe(true);
  });

  it('the memory is bounded, and what has passed leaves it', () => {
    const { virtual, now } = clock();
    const wrong = new WrongPasswords({ limit: 2, windowMs: 60_000, now, capacity: 100 });
    for (let i = 0; i < 1000; i++) wrong.note(`a${i}`, 'ann', 'x');
    expect(wrong.size).toBeLessThanOrEqual(101);
    virtual.advance(60_000);
    wrong.note('b', 'ann', 'x');
    expect(wrong.size).toBe(1);
  });
});

describe('W30 refused targets', () => {
  const rules = (options: Partial<ConstructorParameters<typeof TargetRules>[0]> = {}) =>
    new TargetRules({
      denyPrivate: false,
      own: () => [{ host: '127.0.0.1', port: 8001 }],
      ...options,
    });
  const ask = (of: TargetRules, host: string, port = 443) => of.refusal({ host, port });

  it('port 25, and nothing else by itself', () => {
    expect(ask(rules(), 'mail.example', 25)).toMatch(/port 25/);
    expect(ask(rules(), 'mail.example', 587)).toBeUndefined();
    expect(ask(rules(), '127.0.0.1', 8002)).toBeUndefined();
    expect(ask(rules(), '169.254.169.254', 80)).toBeUndefined();
  });

  const spellings = [
    'localhost',
    'LOCALHOST',
    'localhost.',
    'a.localhost',
    'localhost.localdomain',
    'ip6-localhost',
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '127.255.255.254',
    '127.0.0.1.',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '0.0.0.0',
    '0',
    '0x0',
    '::',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::0001',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:127.0.0.1',
    '::127.0.0.1',
    '64:ff9b::127.0.0.1',
    '2002:7f00:1::',
  ];

  it.each(spellings)('the own address, written %s', (host) => {
    expect(ask(rules(), host, 8001)).toMatch(/this server itself/);
    expect(ask(rules(), host, 8002)).toBeUndefined();
  });

  it('the own port on every address and name of the machine', () => {
    const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    expect(addresses.length).toBeGreaterThan(0);
    for (const { address } of addresses) {
      expect(ask(rules(), address.split('%')[0] as string, 8001)).toMatch(/this server itself/);
    }
    expect(ask(rules(), hostname(), 8001)).toMatch(/this server itself/);
  });

  it('every address of the process, under a name of its own too', () => {
    const own = rules({
      own: () => [
        { host: 'proxy.example', port: 1 },
        { host: '::', port: 2 },
      ],
    });
    expect(ask(own, 'PROXY.example', 1)).toMatch(/this server itself/);
    expect(ask(own, '127.0.0.1', 2)).toMatch(/this server itself/);
    expect(ask(own, 'other.example', 1)).toBeUndefined();
  });

  it.each([
    ...spellings.filter((each) => !/^(ip6-|localhost\.local)/.test(each)),
    '10.0.0.1',
    '10.1',
    '100.64.0.1',
    '169.254.169.254',
    '0xa9fea9fe',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '192.0.0.8',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    'fc00::1',
    'fd12::1',
    'fe80::1',
    'ff02::1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    'metadata.google.internal',
  ])('denyPrivate refuses %s', (host) => {
    expect(ask(rules({ denyPrivate: true }), host)).toMatch(/private network/);
  });

  it.each([
    'shop.example',
    '8.8.8.8',
    '172.32.0.1',
    '100.128.0.1',
    '192.0.2.1',
    '2001:4860:4860::8888',
    'localhost.example',
  ])('denyPrivate leaves %s alone', (host) => {
    expect(ask(rules({ denyPrivate: true }), host)).toBeUndefined();
  });

  it('allow and deny take globs, networks and ports, and deny wins', () => {
    const chosen = rules({
      allow: ['*.example.com:443', '10.0.0.0/8', '[2001:db8::]/32:80-90'],
      deny: ['secret.example.com', '*:22', '10.1.0.0/16'],
    });
    expect(ask(chosen, 'www.example.com')).toBeUndefined();
    expect(ask(chosen, 'www.example.com', 80)).toBe('no rule allows the target');
    expect(ask(chosen, 'example.org')).toBe('no rule allows the target');
    expect(ask(chosen, 'secret.example.com')).toBe('the target is denied by a rule');
    expect(ask(chosen, '10.2.3.4')).toBeUndefined();
    expect(ask(chosen, '10.1.3.4')).toBe('the target is denied by a rule');
    expect(ask(chosen, '10.2.3.4', 22)).toBe('the target is denied by a rule');
    expect(ask(chosen, '2001:db8::1', 85)).toBeUndefined();
    expect(ask(chosen, '2001:db8::1', 91)).toBe('no rule allows the target');
  });

  it('a rule that is none is named', () => {
    expect(() => rules({ allow: ['ok.example', '10.0.0.0/33'] })).toThrow(/^allow\[1\] must be/);
    expect(() => rules({ deny: ['a b'] })).toThrow(/^deny\[0\] must be/);
  });
});
