import { seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { readUsername, UsernameError, type Wishes } from './username.ts';
import { readWishFields } from './wish-fields.ts';

describe('W9 a username is a name and what is asked for', () => {
  it.each<[string, string, Wishes]>([
    ['', '', {}],
    ['ann', 'ann', {}],
    ['ann-of-green-gables', 'ann-of-green-gables', {}],
    ['ann-session-s1', 'ann', { session: 's1' }],
    ['ann-sessid-s1', 'ann', { session: 's1' }],
    ['ann-sid-s1', 'ann', { session: 's1' }],
    ['ann-region-us', 'ann', { region: 'us' }],
    ['ann-country-us', 'ann', { region: 'us' }],
    ['ann-cc-US', 'ann', { region: 'US' }],
    ['ann-tag-home-tag-fast', 'ann', { tags: ['home', 'fast'] }],
    ['ann-proxy-gate.example%3A8080', 'ann', { proxyId: 'gate.example:8080' }],
    ['ann-ttl-30', 'ann', { ttlMs: 1_800_000 }],
    ['ann-sesstime-1', 'ann', { ttlMs: 60_000 }],
    ['ann-sessionduration-10', 'ann', { ttlMs: 600_000 }],
    ['ann-lifetime-1440', 'ann', { ttlMs: 86_400_000 }],
    ['ann-retries-0', 'ann', { retries: 0 }],
    ['ann-strict-0', 'ann', { strict: false }],
    ['ann-strict-1', 'ann', { strict: true }],
    ['my-team-SESSION-a-Region-eu', 'my-team', { session: 'a', region: 'eu' }],
    ['session', 'session', {}],
    ['session-session-s1', 'session', { session: 's1' }],
    ['-session-s1', '', { session: 's1' }],
    ['ann--session-s1', 'ann-', { session: 's1' }],
    ['ann-session-region', 'ann', { session: 'region' }],
    ['ann-session-a%2Db', 'ann', { session: 'a-b' }],
    ['ann-session-%C3%A4', 'ann', { session: 'ä' }],
    [`ann-session-${'x'.repeat(128)}`, 'ann', { session: 'x'.repeat(128) }],
  ])('%j', (username, name, wishes) => {
    expect(readUsername(username)).toEqual({ name, wishes });
  });
});

describe('W10 what cannot be understood is refused by name', () => {
  it.each([
    ['ann-session-a-b', 'unknown key "b"'],
    ['ann-session-a-city-rome', 'unknown key "city"'],
    ['ann-session-a--b', 'unknown key ""'],
    ['ann-session', 'the key "session" has no value'],
    ['ann-session-', 'the key "session" has no value'],
    ['ann-session-a-cc', 'the key "cc" has no value'],
    ['ann-session-a-session-b', 'the key "session" is given twice'],
    ['ann-session-a-sid-a', 'the key "sid" is given twice'],
    ['ann-country-us-cc-de', 'the key "cc" is given twice'],
    ['ann-ttl-1-lifetime-2', 'the key "lifetime" is given twice'],
    [`ann-session-a-${'k'.repeat(40)}`, `unknown key "${'k'.repeat(32)}…"`],
  ])('%j: %s', (username, message) => {
    expect(() => readUsername(username)).toThrow(new UsernameError(message));
  });
});

describe('W11 values are decoded and have bounds', () => {
  it.each([
    [`ann-session-${'x'.repeat(129)}`, /1 to 128 characters/],
    [`ann-session-${'%41'.repeat(129)}`, /1 to 128 characters/],
    ['ann-session-%', /not percent-encoded/],
    ['ann-session-%4', /not percent-encoded/],
    ['ann-session-%zz', /not percent-encoded/],
    ['ann-session-%ff', /not percent-encoded/],
    ['ann-session-%0d%0a', /control character/],
    ['ann-session-%00', /control character/],
    ['ann-ttl-0', /integer from 1 to 1440/],
    ['ann-ttl-1441', /integer from 1 to 1440/],
    ['ann-ttl-1.5', /integer from 1 to 1440/],
    ['ann-ttl-1m', /integer from 1 to 1440/],
    ['ann-retries-10', /integer from 0 to 9/],
    ['ann-retries-%2D1', /integer from 0 to 9/],
    ['ann-strict-yes', /integer from 0 to 1/],
    [`ann${'-tag-a'.repeat(33)}`, /more than 32 times/],
  ])('%j', (username, reason) => {
    expect(() => readUsername(username)).toThrow(UsernameError);
    expect(() => readUsername(username)).toThrow(reason);
  });
});

/**
 * The grammar read a second time, from its end instead of its beginning: the last key whose rest is
 * well-formed pairs is where the wishes start. It says only whether there is a meaning, and which pairs.
 */
function pairsByExpression(
  username: string,
): { name: string; pairs: [string, string][] } | undefined {
  const key =
    'session|sessid|sid|region|country|cc|tag|proxy|ttl|sesstime|sessionduration|lifetime|retries|strict';
  const whole = new RegExp(
    `^(?<name>[^-]*(?:-(?!(?:${key})(?:-|$))[^-]*)*)(?<rest>(?:-.*)?)$`,
    'is',
  );
  const { name = '', rest = '' } = whole.exec(username)?.groups ?? {};
  if (rest !== '' && !new RegExp(`^(?:-(?:${key})-[^-]+)+$`, 'is').test(rest)) return undefined;
  const pairs = [...rest.matchAll(new RegExp(`-(${key})-([^-]+)`, 'gis'))].map(
    ([, k = '', v = '']): [string, string] => [k.toLowerCase(), v],
  );
  return { name, pairs };
}

it('W9 20,000 random usernames mean what a second parser of the grammar reads', () => {
  const random = seededRandom(19);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const pieces = [
    'ann',
    '',
    'session',
    'SID',
    'cc',
    'tag',
    'ttl',
    '5',
    'a%2Db',
    'x',
    'retries',
    '1',
    'strict',
    'proxy',
    '0',
    'city',
    'sessions',
  ];
  const canonical: Record<string, string> = {
    sessid: 'session',
    sid: 'session',
    country: 'region',
    cc: 'region',
    sesstime: 'ttl',
    sessionduration: 'ttl',
    lifetime: 'ttl',
  };
  let meant = 0;
  for (let round = 0; round < 20_000; round++) {
    const username = Array.from({ length: Math.floor(random() * 9) }, () => pick(pieces)).join('-');
    const expected = pairsByExpression(username);
    let read: ReturnType<typeof readUsername> | undefined;
    try {
      read = readUsername(username);
    } catch (error) {
      expect(error).toBeInstanceOf(UsernameError);
    }
    const names = expected?.pairs.map(([key]) => canonical[key] ?? key).filter((k) => k !== 'tag');
    const bad =
      expected === undefined ||
      new Set(names).size !== names?.length ||
      expected.pairs.some(([key, value]) => {
        const one = canonical[key] ?? key;
        if (one === 'ttl') return value !== '5' && value !== '1';
        if (one === 'retries') return !['0', '1', '5'].includes(value);
        return one === 'strict' && value !== '0' && value !== '1';
      });
    expect(read === undefined, username).toBe(bad);
    if (read === undefined || expected === undefined) continue;
    meant++;
    expect(read.name).toBe(expected.name);
    const tags = expected.pairs
      .filter(([key]) => key === 'tag')
      .map(([, v]) => decodeURIComponent(v));
    expect(read.wishes.tags ?? []).toEqual(tags);
    const session = expected.pairs.find(([key]) => (canonical[key] ?? key) === 'session')?.[1];
    expect(read.wishes.session).toBe(session && decodeURIComponent(session));
  }
  expect(meant).toBeGreaterThan(1000);
});

it('W9 10,000 strings of any characters are read or refused, never anything else', () => {
  const random = seededRandom(20);
  for (let round = 0; round < 10_000; round++) {
    const length = Math.floor(random() * 40);
    const text = Array.from({ length }, () =>
      String.fromCodePoint(Math.floor(random() * 0x250)),
    ).join('');
    const username = random() < 0.5 ? `ann-session-${text}` : text;
    try {
      const { name, wishes } = readUsername(username);
      expect(username.startsWith(name)).toBe(true);
      expect(Object.values(wishes)).not.toContain('');
    } catch (error) {
      expect(error).toBeInstanceOf(UsernameError);
    }
  }
});

describe('W12 fields ask for the same', () => {
  it('whatever their letters', () => {
    const fields = [
      'Host',
      'a',
      'X-Whirl-Session',
      's-1',
      'x-whirl-REGION',
      'eu',
      'X-Whirl-Tags',
      'a, b',
    ];
    fields.push('X-Whirl-Proxy', 'gate.example:8080', 'X-Whirl-Ttl', '5');
    expect(readWishFields(fields)).toEqual({
      session: 's-1',
      region: 'eu',
      tags: ['a', 'b'],
      proxyId: 'gate.example:8080',
      ttlMs: 300_000,
    });
    expect(readWishFields(['Host', 'a', 'X-Whirly', 'b'])).toBeUndefined();
  });

  it.each([
    [['X-Whirl-City', 'rome'], 'unknown field X-Whirl-City'],
    [['X-Whirl-Session', 'a', 'x-whirl-session', 'b'], 'the field x-whirl-session is given twice'],
    [['X-Whirl-Session', ''], 'the value of "X-Whirl-Session" must have 1 to 128 characters'],
    [['X-Whirl-Tags', 'a,,b'], 'the value of "X-Whirl-Tags" must have 1 to 128 characters'],
    [['X-Whirl-Ttl', '0'], 'the value of "X-Whirl-Ttl" must be an integer from 1 to 1440'],
  ])('%j is refused', (fields, message) => {
    expect(() => readWishFields(fields)).toThrow(new UsernameError(message));
  });
});
