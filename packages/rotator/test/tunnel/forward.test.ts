import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import { certificateOf, startProxy, startSocks } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import type {
  FirstFlight,
  ForwardedTunnel,
  ForwardListener,
  ForwardOptions,
  ProxyRotator,
} from '../../src/index.ts';
import { fast } from '../support/pool-rig.ts';
import { use } from '../support/rig.ts';
import { echo, startRawTarget, tunnelRig } from '../support/tunnel-rig.ts';

const host = '127.0.0.1';
const always: FirstFlight = { repeatable: () => true };

interface Given {
  opened: [];
  refused: [Error];
  takesMore: [];
  established: [net.Socket, Buffer | undefined];
  lost: [Error | undefined];
}

/** A forwarder that notes what it is called for, and waits for the next call of a kind. */
function forward(rotator: ProxyRotator, to: ForwardOptions) {
  const calls: string[] = [];
  const waiting = new Map<keyof Given, (given: never) => void>();
  const note = <Kind extends keyof Given>(kind: Kind, ...given: Given[Kind]) => {
    calls.push(kind);
    waiting.get(kind)?.(given as never);
  };
  const listener: ForwardListener = {
    opened: () => note('opened'),
    refused: (error) => note('refused', error),
    takesMore: () => note('takesMore'),
    established: (socket, first) => {
      note('established', socket, first);
      socket.on('error', () => {}).resume();
    },
    lost: (error) => note('lost', error),
  };
  const next = <Kind extends keyof Given>(kind: Kind) =>
    new Promise<Given[Kind]>((resolve) => waiting.set(kind, resolve));
  const tunnel: ForwardedTunnel = rotator.forward(to, {}, listener);
  return { tunnel, calls, next };
}

/** How many listeners each event of it has. */
function listenersOf(socket: net.Socket): Record<string, number> {
  const counts = socket.eventNames().map((name) => [String(name), socket.listenerCount(name)]);
  return Object.fromEntries(counts) as Record<string, number>;
}

describe('forward()', () => {
  it('T17 reports the way, then gives the connection and its first bytes, and the tunnel ends with it', async () => {
    const { port } = await startRawTarget(echo);
    const { rotator, proxies, next: told } = await tunnelRig([{ kind: 'ok' }]);
    const { tunnel, calls, next } = forward(rotator, { host, port });
    await next('opened');
    expect(tunnel.proxyId).toBe(proxies[0]?.id);
    const established = next('established');
    expect(tunnel.write(Buffer.from('hello'))).toBe(true);
    const [socket, first] = await established;
    expect(first?.toString()).toBe('hello');
    expect([tunnel.attemptCount, tunnel.attempts.length]).toEqual([1, 1]);
    expect(rotator.proxies()).toMatchObject([{ inFlight: 1 }]);
    socket.write('again');
    expect(String((await once(socket, 'data'))[0])).toBe('again');
    const ended = told('tunnel:end');
    socket.end();
    expect(await ended).toMatchObject({ bytesUp: 10, bytesDown: 10, closedBy: 'client' });
    expect(calls).toEqual(['opened', 'established']);
    expect(rotator.proxies()).toMatchObject([{ inFlight: 0 }]);
  });

  it('T17 a proxy that fails before the first byte of the target is replaced, unseen', async () => {
    const { port, received } = await startRawTarget(echo);
    const { rotator, proxies } = await tunnelRig([
      { kind: 'refuse' },
      { kind: 'silent-after-connect' },
      { kind: 'ok' },
    ]);
    const { tunnel, calls, next } = forward(rotator, {
      host,
      port,
      firstByteMs: 100,
      replay: always,
    });
    await next('opened');
    const established = next('established');
    tunnel.write(Buffer.from('hello'));
    const [socket] = await established;
    expect(tunnel.proxyId).toBe(proxies[2]?.id);
    expect(tunnel.attemptCount).toBe(3);
    expect(Buffer.concat(received[0] ?? []).toString()).toBe('hello');
    expect(calls).toEqual(['opened', 'established']);
    socket.destroy();
  });

  it('T17 what may not be sent again is lost with its proxy', async () => {
    const { port } = await startRawTarget(echo);
    const { rotator, next: told } = await tunnelRig([
      { kind: 'close-after-connect' },
      { kind: 'ok' },
    ]);
    const { tunnel, calls, next } = forward(rotator, { host, port });
    await next('opened');
    const lost = next('lost');
    const ended = told('tunnel:end');
    tunnel.write(Buffer.from('pay 5 euros'));
    expect((await lost)[0]).toMatchObject({ code: 'PROXY_CONNECTION', phase: 'headers' });
    expect(await ended).toMatchObject({ closedBy: 'target', replays: 0 });
    expect(calls).toEqual(['opened', 'lost']);
  });

  it('T17 it takes no more than 64 KiB while the next proxy is dialled, and calls back when it does', async () => {
    const { port, received } = await startRawTarget(echo);
    const { rotator, next: told } = await tunnelRig([
      { kind: 'close-after-connect' },
      { kind: 'ok', latencyMs: 100 },
    ]);
    const scheduled = told('retry:scheduled');
    const { tunnel, next } = forward(rotator, { host, port });
    await scheduled;
    const more = next('takesMore');
    const established = next('established');
    expect(tunnel.write(Buffer.from('a'))).toBe(true);
    expect(tunnel.write(Buffer.alloc(100_000, 'x'))).toBe(false);
    await more;
    tunnel.end();
    const [socket] = await established;
    await once(socket, 'end');
    expect(Buffer.concat(received[0] ?? []).length).toBe(100_001);
  });

  it('T17 no proxy: it is refused, before forward() returns', async () => {
    const { rotator } = await tunnelRig([], { proxies: [] });
    const { calls } = forward(rotator, { host, port: 443 });
    expect(calls).toEqual(['refused']);
  });

  it.each(['before it is open', 'before the first byte', 'after it'] as const)(
    'T17 reset() %s ends it with RST, blames no proxy, and nothing is called',
    async (when) => {
      const { port } = await startRawTarget(echo);
      const kind = when === 'before it is open' ? 'hang' : 'ok';
      const { rotator, proxies, told } = await tunnelRig([{ kind }]);
      const { tunnel, calls, next } = forward(rotator, { host, port });
      if (when !== 'before it is open') await next('opened');
      if (when === 'after it') {
        const established = next('established');
        tunnel.write(Buffer.from('hello'));
        await established;
      }
      const before = [...calls];
      tunnel.reset('idle');
      expect(rotator.proxies()).toMatchObject([{ inFlight: 0 }]);
      await proxies[0]?.idle();
      expect(calls).toEqual(before);
      const open = when !== 'before it is open';
      expect(told('tunnel:end')).toMatchObject(open ? [{ closedBy: 'idle' }] : []);
      expect(told('attempt:end')).toMatchObject([
        { blame: when === 'after it' ? 'none' : 'caller' },
      ]);
    },
  );

  it('T17 destroy() of the rotator ends it, with a ClosedError or with its connection', async () => {
    const { port } = await startRawTarget(echo);
    const { rotator, told } = await tunnelRig([{ kind: 'ok' }]);
    const waiting = forward(rotator, { host, port });
    await waiting.next('opened');
    const speaking = forward(rotator, { host, port });
    await speaking.next('opened');
    const established = speaking.next('established');
    speaking.tunnel.write(Buffer.from('hello'));
    const [socket] = await established;
    const lost = waiting.next('lost');
    await rotator.destroy();
    expect((await lost)[0]).toMatchObject({ code: 'CLOSED' });
    expect(socket.destroyed).toBe(true);
    expect(speaking.calls).toEqual(['opened', 'established']);
    expect(told('tunnel:end').map(({ closedBy }) => closedBy)).toEqual(['close', 'close']);
    expect(() => forward(rotator, { host, port })).toThrow(/closed/);
  });

  it('T17 a bad option is refused by name, and nothing is dialled', async () => {
    const { rotator, told } = await tunnelRig([{ kind: 'ok' }]);
    expect(() => forward(rotator, { host: 'a b', port: 1 })).toThrow(/host must be/);
    expect(() => forward(rotator, { host, port: 0 })).toThrow(/port must be/);
    const secure = { host, port: 1, secure: true };
    expect(() => forward(rotator, secure)).toThrow(/secure/);
    expect(told('request:start')).toEqual([]);
  });

  it.each([
    ['one proxy', [{ kind: 'silent-after-connect' }]],
    [
      'two proxies, once each',
      [{ kind: 'silent-after-connect' }, { kind: 'silent-after-connect' }],
    ],
    [
      'a proxy, and lost at the dial of the next',
      [{ kind: 'silent-after-connect' }, { kind: 'refuse' }],
    ],
  ] as const)(
    'T17 lost before the first byte, it counts the bytes that were sent: through %s',
    async (_, behaviours) => {
      const { port } = await startRawTarget(() => {});
      const { rotator, next: told } = await tunnelRig(behaviours, {
        retryPolicy: { ...fast, maxAttempts: behaviours.length },
      });
      const { tunnel, next } = forward(rotator, { host, port, firstByteMs: 50, replay: always });
      await next('opened');
      const ended = told('tunnel:end');
      tunnel.write(Buffer.from('pay 5'));
      tunnel.write(Buffer.from(' euros'));
      expect(await ended).toMatchObject({ bytesUp: 11, bytesDown: 0 });
    },
  );

  it('T17 ended before the first byte, it counts the bytes that were sent, and none that wait for a proxy', async () => {
    const { port } = await startRawTarget(() => {});
    const { rotator, told } = await tunnelRig([{ kind: 'ok' }]);
    const one = forward(rotator, { host, port });
    await one.next('opened');
    one.tunnel.write(Buffer.from('hello'));
    one.tunnel.reset('client');
    const two = await tunnelRig([{ kind: 'close-after-connect' }, { kind: 'hang' }]);
    const scheduled = two.next('retry:scheduled');
    const { tunnel } = forward(two.rotator, { host, port });
    await scheduled;
    tunnel.write(Buffer.from('hello'));
    tunnel.reset('client');
    expect(told('tunnel:end')).toMatchObject([{ bytesUp: 5, bytesDown: 0 }]);
    expect(two.told('tunnel:end')).toMatchObject([{ bytesUp: 0, bytesDown: 0 }]);
  });

  it.each(['http', 'https', 'socks5'] as const)(
    'T17 the connection that it gives has no listener of the attempt, also with a write under way: %s',
    async (protocol) => {
      // It says something at the first byte, and reads no further.
      const { port } = await startRawTarget((socket) => {
        socket.once('data', () => socket.pause().write('hi'));
      });
      const { cert: ca } = await certificateOf();
      const proxy =
        protocol === 'socks5'
          ? use(await startSocks())
          : use(await startProxy({ tls: protocol === 'https' }));
      const { rotator } = await tunnelRig([], { proxies: [proxy.url], proxyTls: { ca } });
      const { tunnel, next } = forward(rotator, { host, port });
      await next('opened');
      const established = next('established');
      expect(tunnel.write(Buffer.alloc(32 * 1024 * 1024, 'x'))).toBe(false);
      const [socket] = await established;
      // A socket of Node's own has some listeners too.
      const to = { host, port: proxy.port };
      const plain = protocol === 'https' ? tls.connect({ ...to, ca }) : net.connect(to);
      await once(plain, protocol === 'https' ? 'secureConnect' : 'connect');
      const own = listenersOf(plain);
      plain.destroy();
      const { end = 0, close = 0 } = own;
      // Those of the forwarder and of its tunnel, which counts bytes until the connection ends.
      const theirs = { error: 1, end: end + 1, finish: 1, close: close + 1 };
      expect(listenersOf(socket)).toEqual({ ...own, ...theirs });
      socket.destroy();
    },
  );
});
