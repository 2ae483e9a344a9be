import { describe, expect, it } from 'vitest';
import { SocksNegotiation, type SocksStep } from './socks-negotiation.ts';

interface Run {
  readonly steps: readonly SocksStep[];
  readonly written: string;
}

/** Plays bytes into a negotiation; `verdict` is given on credentials. */
function negotiate(
  chunks: readonly Buffer[],
  { needsPassword = false, verdict = true }: { needsPassword?: boolean; verdict?: boolean } = {},
): Run {
  const written: Buffer[] = [];
  const steps: SocksStep[] = [];
  const socks = new SocksNegotiation(needsPassword, (reply) => written.push(reply));
  for (const chunk of chunks) {
    let step = socks.push(chunk);
    while (step !== undefined) {
      steps.push(step);
      step = step.kind !== 'credentials' ? undefined : verdict ? socks.accept() : socks.deny();
    }
  }
  return { steps, written: Buffer.concat(written).toString('hex') };
}

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const name = (host: string) => Buffer.concat([Buffer.from([3, host.length]), Buffer.from(host)]);
const request = (address: Buffer, command = 1, port = 443) =>
  Buffer.concat([Buffer.from([5, command, 0]), address, Buffer.from([port >> 8, port & 255])]);
const login = (user: string, pass: string) =>
  Buffer.concat([
    Buffer.from([1, Buffer.byteLength(user)]),
    Buffer.from(user),
    Buffer.from([Buffer.byteLength(pass)]),
    Buffer.from(pass),
  ]);
const none = hex('05 01 00');
const ends = (run: Run, written: string) =>
  expect(run).toEqual({ steps: [{ kind: 'end' }], written });

describe('W6 SOCKS5 understands CONNECT to', () => {
  it.each([
    ['a name, unresolved', name('Shop.Example'), 'shop.example'],
    ['an IPv4 address', hex('01 7f000001'), '127.0.0.1'],
    ['an IPv6 address', hex('04 20010db8000000000000000000000007'), '2001:db8::7'],
    ['an IPv4-mapped address', hex('04 00000000000000000000ffff7f000001'), '::ffff:7f00:1'],
    ['an IPv4 address given as a name', name('127.0.0.1'), '127.0.0.1'],
    ['an IPv6 address given as a name', name('2001:DB8::7'), '2001:db8::7'],
  ])('%s', (_, address, host) => {
    const { steps, written } = negotiate([none, request(address)]);
    expect(steps).toEqual([{ kind: 'request', to: { host, port: 443 }, rest: Buffer.alloc(0) }]);
    expect(written).toBe('0500');
  });

  it('whatever the bytes are split into, and keeps those behind the request', () => {
    const all = Buffer.concat([
      hex('05 03 00 01 02'),
      login('ann-session-1', 'pä:ss'),
      request(name('shop.example')),
      Buffer.from('hello'),
    ]);
    for (let at = 1; at < all.length; at++) {
      const { steps, written } = negotiate([all.subarray(0, at), all.subarray(at)]);
      expect(steps[0]).toEqual({
        kind: 'credentials',
        username: 'ann-session-1',
        password: 'pä:ss',
      });
      expect(steps[1]).toMatchObject({ kind: 'request', to: { host: 'shop.example', port: 443 } });
      expect(written).toBe('05020100');
    }
    const single = negotiate(Array.from(all, (byte) => Buffer.from([byte])));
    expect(single.steps.map(({ kind }) => kind)).toEqual(['credentials', 'request']);
    const { steps } = negotiate([all]);
    expect(steps[1]).toMatchObject({ rest: Buffer.from('hello') });
  });
});

describe('W6 SOCKS5 refuses', () => {
  it('BIND and UDP ASSOCIATE with 7', () => {
    for (const command of [2, 3]) {
      const run = negotiate([none, request(name('a.example'), command)]);
      ends(run, '050005070001000000000000');
    }
  });

  it('an unknown address type with 8', () => {
    ends(negotiate([none, hex('05 01 00 02 01 00 00 01')]), '050005080001000000000000');
  });

  it.each([
    ['port zero', request(name('a.example'), 1, 0)],
    ['an empty name', request(name(''))],
    ['a name with a space', request(name('a b'))],
    ['a name with a zone', request(name('fe80::1%eth0'))],
    ['another version in the request', hex('04 01 00 01 7f000001 0050')],
    ['a reserved byte that is set', hex('05 01 01 01 7f000001 0050')],
  ])('%s with 1', (_, bytes) => {
    ends(negotiate([none, bytes]), '050005010001000000000000');
  });

  it('the method "none" where a password is needed', () => {
    ends(negotiate([none], { needsPassword: true }), '05ff');
    ends(negotiate([hex('05 02 00 01')], { needsPassword: true }), '05ff');
  });

  it('methods that it does not know, and no method at all', () => {
    ends(negotiate([hex('05 01 01')]), '05ff');
    ends(negotiate([hex('05 00')]), '05ff');
  });

  it('wrong credentials, and credentials of another version', () => {
    const offer = hex('05 01 02');
    const denied = negotiate([offer, login('ann', 'wrong')], { verdict: false });
    expect(denied.steps.map(({ kind }) => kind)).toEqual(['credentials', 'end']);
    expect(denied.written).toBe('05020101');
    ends(negotiate([offer, hex('05 01 61 01 61')]), '05020101');
  });

  it('another version, without a reply', () => {
    ends(negotiate([hex('04 01 00 50')]), '');
  });
});

it('W6 the bytes behind credentials wait for the verdict', () => {
  const socks = new SocksNegotiation(true, () => {});
  const step = socks.push(
    Buffer.concat([hex('05 01 02'), login('ann', 'x'), request(name('a.example'))]),
  );
  expect(step?.kind).toBe('credentials');
  expect(socks.push(Buffer.from('more'))).toBeUndefined();
  expect(socks.accept()).toMatchObject({ kind: 'request', rest: Buffer.from('more') });
});

it('W6 a client that offers a username is asked for it, because it may name a session', () => {
  expect(negotiate([hex('05 02 00 02')]).written).toBe('0502');
  expect(negotiate([hex('05 01 00')]).written).toBe('0500');
});
