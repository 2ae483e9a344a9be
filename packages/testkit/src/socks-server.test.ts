import { afterEach, describe, expect, it } from 'vitest';
import { startSocks, type SocksServerOptions } from './socks-server.ts';
import { startTarget } from './target.ts';
import { openWire } from './wire.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function rig(options: SocksServerOptions = {}) {
  const target = await startTarget();
  const socks = await startSocks(options);
  open.push(target, socks);
  const wire = await openWire(socks.port);
  open.push(wire);
  return { target, socks, wire };
}

const noAuth = Buffer.from([5, 1, 0]);
const both = Buffer.from([5, 2, 0, 2]);
const portBytes = (port: number) => Buffer.from([port >> 8, port & 255]);
const nameBytes = (name: string) => Buffer.from([3, name.length, ...Buffer.from(name)]);
const ask5 = (address: Buffer, port: number) =>
  Buffer.concat([Buffer.from([5, 1, 0]), address, portBytes(port)]);
const ask4 = (ip: number[], port: number, user: string, name?: string) =>
  Buffer.concat([
    Buffer.from([4, 1]),
    portBytes(port),
    Buffer.from(ip),
    Buffer.from(`${user}\0${name === undefined ? '' : `${name}\0`}`),
  ]);
const loopback = Buffer.from([1, 127, 0, 0, 1]);
const granted5 = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

describe('startSocks, version 5', () => {
  it('reaches an IPv4 address and carries bytes both ways, however the bytes arrive', async () => {
    const { target, socks, wire } = await rig();
    for (const byte of noAuth) wire.write(Buffer.from([byte]));
    expect([...(await wire.read(2))]).toEqual([5, 0]);
    for (const byte of ask5(loopback, target.port)) wire.write(Buffer.from([byte]));
    expect([...(await wire.read(12))].slice(2)).toEqual(granted5);
    wire.write('GET /echo HTTP/1.1\r\nHost: t\r\n\r\n');
    await wire.read('200 OK');
    expect(socks.destinations).toEqual([
      { version: 5, kind: 'ipv4', host: '127.0.0.1', port: target.port },
    ]);
  });

  it('reaches a name by its own hosts, and an IPv6 address', async () => {
    const target = await startTarget({ host: '::1' });
    const socks = await startSocks({ hosts: { 'some.test': '::1' } });
    open.push(target, socks);
    const ipv6 = Buffer.concat([Buffer.from([4]), Buffer.alloc(15), Buffer.from([1])]);
    for (const address of [nameBytes('some.test'), ipv6]) {
      const wire = await openWire(socks.port);
      open.push(wire);
      wire.write(Buffer.concat([noAuth, ask5(address, target.port)]));
      expect([...(await wire.read(12))]).toEqual([5, 0, ...granted5]);
    }
    expect(socks.destinations.map(({ kind, host }) => [kind, host])).toEqual([
      ['name', 'some.test'],
      ['ipv6', '0:0:0:0:0:0:0:1'],
    ]);
  });

  it('requires its credentials: no method without them, 1 to wrong ones, 0 to right ones', async () => {
    const { socks, wire } = await rig({ username: 'ann', password: 'pw' });
    wire.write(noAuth);
    expect([...(await wire.read(2))]).toEqual([5, 255]);
    expect(await wire.ended).toBe('fin');
    for (const [password, verdict] of [
      ['no', 1],
      ['pw', 0],
    ] as const) {
      const next = await openWire(socks.port);
      open.push(next);
      next.write(both);
      expect([...(await next.read(2))]).toEqual([5, 2]);
      next.write(Buffer.from([1, 3, ...Buffer.from('ann'), 2, ...Buffer.from(password)]));
      expect([...(await next.read(4))].slice(2)).toEqual([1, verdict]);
    }
    expect(socks.url).toBe(`socks5://ann:pw@127.0.0.1:${socks.port}`);
  });

  it('responds 5 to a target that refuses, 7 to a command other than CONNECT', async () => {
    const { socks, wire } = await rig();
    const dead = await startTarget();
    await dead.close();
    wire.write(Buffer.concat([noAuth, ask5(loopback, dead.port)]));
    expect((await wire.read(12))[3]).toBe(5);
    const other = await openWire(socks.port);
    open.push(other);
    other.write(Buffer.concat([noAuth, Buffer.from([5, 2, 0, 1, 127, 0, 0, 1, 0, 80])]));
    expect((await other.read(12))[3]).toBe(7);
  });
});

describe('startSocks, version 4', () => {
  it('reaches an IPv4 address, and with 4a a name', async () => {
    const { target, socks, wire } = await rig({ version: 4, hosts: { 'some.test': '127.0.0.1' } });
    wire.write(ask4([127, 0, 0, 1], target.port, 'ann'));
    expect([...(await wire.read(8))]).toEqual([0, 90, 0, 0, 0, 0, 0, 0]);
    wire.write('GET /echo HTTP/1.1\r\nHost: t\r\n\r\n');
    await wire.read('200 OK');
    const named = await openWire(socks.port);
    open.push(named);
    for (const byte of ask4([0, 0, 0, 1], target.port, '', 'some.test')) {
      named.write(Buffer.from([byte]));
    }
    expect((await named.read(8))[1]).toBe(90);
    expect(socks.destinations.map(({ kind, host }) => [kind, host])).toEqual([
      ['ipv4', '127.0.0.1'],
      ['name', 'some.test'],
    ]);
  });

  it('responds 93 to another user id', async () => {
    const { wire } = await rig({ version: 4, username: 'ann' });
    wire.write(ask4([127, 0, 0, 1], 80, 'bob'));
    expect((await wire.read(8))[1]).toBe(93);
    expect(await wire.ended).toBe('fin');
  });
});

describe('startSocks, misbehaving', () => {
  it('hang, close, garbage: no SOCKS reply ever', async () => {
    const { socks, wire } = await rig({ behaviour: 'garbage' });
    wire.write(noAuth);
    expect((await wire.read(4)).toString()).toMatch(/^HTTP/);
    socks.behave('close');
    const closed = await openWire(socks.port);
    open.push(closed);
    closed.write(noAuth);
    expect(await closed.ended).toBe('fin');
    expect(closed.received).toHaveLength(0);
    socks.behave('hang');
    const silent = await openWire(socks.port);
    open.push(silent);
    silent.write(noAuth);
    await expect.poll(() => socks.connections).toBe(3);
    expect(silent.received).toHaveLength(0);
    expect(socks.openSockets()).toBeGreaterThan(0);
  });

  it('reject, close-after-connect, silent-after-connect: the target is not reached', async () => {
    const { target, socks } = await rig();
    for (const [behaviour, code] of [
      ['reject', 1],
      ['close-after-connect', 0],
      ['silent-after-connect', 0],
    ] as const) {
      socks.behave(behaviour);
      const wire = await openWire(socks.port);
      open.push(wire);
      wire.write(Buffer.concat([noAuth, ask5(loopback, target.port)]));
      expect((await wire.read(12))[3]).toBe(code);
      if (behaviour !== 'silent-after-connect') expect(await wire.ended).toBe('fin');
    }
    expect(target.openSockets()).toBe(0);
  });
});
