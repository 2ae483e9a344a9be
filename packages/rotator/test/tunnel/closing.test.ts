import { once } from 'node:events';
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import type { Tunnel } from '../../src/index.ts';
import { errorOf } from '../support/pool-rig.ts';
import { use } from '../support/rig.ts';
import { listenOn, startWireProxy, tear } from '../support/wire-proxy.ts';
import { echo, startRawTarget, tunnelRig, type RawTarget } from '../support/tunnel-rig.ts';

const host = '127.0.0.1';

/** Everything that comes until the other side has ended. The tunnel stays as it is. */
async function textOf(tunnel: Tunnel): Promise<string> {
  let text = '';
  tunnel.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await once(tunnel, 'end');
  return text;
}

function closed(socket: net.Socket): Promise<void> {
  if (socket.closed) return Promise.resolve();
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}

/** A tunnel that the target has answered, and the target's end of it. */
async function established(target: RawTarget, options = {}) {
  const rig = await tunnelRig([{ kind: 'ok' }], options);
  const tunnel = await rig.rotator.connect({ host, port: target.port });
  tunnel.write('hello');
  await once(tunnel, 'established');
  return { ...rig, tunnel, socket: target.sockets.at(-1) as net.Socket };
}

describe('the end of a tunnel', () => {
  it('T8 a half-close of the caller reaches the target, which may go on', async () => {
    const target = await startRawTarget((socket) => {
      socket.once('data', () => socket.write('1'));
      socket.on('end', () => socket.end('2'));
    });
    const { tunnel, next } = await established(target);
    const ended = next('tunnel:end');
    tunnel.end();
    expect(await textOf(tunnel)).toBe('12');
    expect(await ended).toMatchObject({ closedBy: 'client', bytesUp: 5, bytesDown: 2 });
  });

  it('T8 a half-close of the target reaches the caller, which may go on', async () => {
    // A proxy that copies FIN as FIN, unlike one that closes both sides.
    const target = await startRawTarget((socket) => socket.once('data', () => socket.end('bye')));
    const relay = net.createServer({ allowHalfOpen: true }, (socket) => {
      socket.once('data', () => {
        const up = net.connect({ port: target.port, host, allowHalfOpen: true }, () => {
          socket.write('HTTP/1.1 200 OK\r\n\r\n');
          socket.pipe(up).pipe(socket);
        });
        up.on('error', () => {});
      });
    });
    const sockets = new Set<net.Socket>();
    const { port, close } = await listenOn(relay, sockets);
    use({ close });
    const { rotator } = await tunnelRig([], { proxies: [`http://127.0.0.1:${port}`] });
    const tunnel = await rotator.connect({ host, port: target.port });
    tunnel.write('1');
    expect(await textOf(tunnel)).toBe('bye');
    expect(tunnel.writable).toBe(true);
    tunnel.write('2');
    tunnel.end('3');
    expect(await tunnel.ended).toMatchObject({ closedBy: 'target', bytesUp: 3, bytesDown: 3 });
    await closed(target.sockets[0] as net.Socket);
    expect(Buffer.concat(target.received[0] ?? []).toString()).toBe('123');
  });

  it('T8 RST from the other side is an error of the tunnel', async () => {
    const target = await startRawTarget((socket) => socket.once('data', () => socket.write('1')));
    const ports = new Map([['target.test', target.port]]);
    const wire = use(await startWireProxy(ports));
    const { rotator } = await tunnelRig([], { proxies: [wire.url] });
    const tunnel = await rotator.connect({ host: 'target.test', port: 443 });
    tunnel.write('hello');
    await once(tunnel, 'data');
    tear(target.sockets[0] as net.Socket);
    const [error] = (await once(tunnel, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNRESET');
    expect(await tunnel.ended).toMatchObject({ closedBy: 'target' });
  });

  it.each(['client', 'idle', 'limit'] as const)(
    'T8 reset(%j) is RST at the proxy, and says why',
    async (closedBy) => {
      const target = await startRawTarget((socket) => socket.once('data', () => socket.write('1')));
      const seen: (string | undefined)[] = [];
      const relay = net.createServer((socket) => {
        socket.once('data', () => {
          const up = net.connect({ port: target.port, host }, () => {
            socket.write('HTTP/1.1 200 OK\r\n\r\n');
            socket.pipe(up).pipe(socket);
          });
        });
        socket.on('end', () => seen.push('FIN'));
        socket.on('error', ({ code }: NodeJS.ErrnoException) => seen.push(code));
      });
      const { port, close } = await listenOn(relay, new Set());
      use({ close });
      const { rotator } = await tunnelRig([], { proxies: [`http://127.0.0.1:${port}`] });
      const [peer] = await Promise.all([
        once(relay, 'connection') as Promise<[net.Socket]>,
        rotator.connect({ host, port: target.port }).then(async (tunnel) => {
          tunnel.write('hello');
          await once(tunnel, 'data');
          tunnel.reset(closedBy);
          expect(await tunnel.ended).toMatchObject({ closedBy });
        }),
      ]);
      await closed(peer[0]);
      expect(seen).toEqual(['ECONNRESET']);
    },
  );

  it('T9 a caller that leaves frees its attempt at once, and no proxy is to blame', async () => {
    const target = await startRawTarget(() => {});
    const { rotator, proxies, told } = await tunnelRig([{ kind: 'hang' }]);
    const abort = new AbortController();
    const connecting = errorOf(rotator.connect({ host, port: target.port, signal: abort.signal }));
    await once(abort.signal, 'abort', { signal: AbortSignal.timeout(30) }).catch(() => {});
    const at = performance.now();
    abort.abort(new Error('the client has left'));
    expect(rotator.proxies()).toMatchObject([{ inFlight: 0 }]);
    expect((await connecting).message).toBe('the client has left');
    await proxies[0]?.idle();
    expect(performance.now() - at).toBeLessThan(1000);
    await proxies[0]?.behave({ kind: 'ok' });
    // Open, without a verdict.
    const open = await rotator.connect({ host, port: target.port });
    open.write('hello');
    open.destroy();
    expect(rotator.proxies()).toMatchObject([{ inFlight: 0 }]);
    expect(told('attempt:end').map(({ outcome, blame }) => [outcome, blame])).toEqual([
      ['aborted', 'caller'],
      ['aborted', 'caller'],
    ]);
    expect(told('request:end').map(({ outcome }) => outcome)).toEqual(['aborted', 'aborted']);
    expect(rotator.getCircuitBreakerStates().get(proxies[0]?.id ?? '')?.failureCount).toBe(0);
    await expect(
      rotator.connect({ host, port: target.port, signal: AbortSignal.abort(new Error('before')) }),
    ).rejects.toThrow('before');
  });

  it('T9 an abort after the verdict ends the tunnel', async () => {
    const target = await startRawTarget(echo);
    const { rotator } = await tunnelRig([{ kind: 'ok' }]);
    const abort = new AbortController();
    const tunnel = await rotator.connect({ host, port: target.port, signal: abort.signal });
    tunnel.write('hello');
    await once(tunnel, 'data');
    const failed = once(tunnel, 'error');
    abort.abort(new Error('enough'));
    expect((await failed)[0]).toMatchObject({ message: 'enough' });
    expect(await tunnel.ended).toMatchObject({ closedBy: 'client' });
  });

  it('T10 close() lets tunnels end within graceMs, then ends them', async () => {
    const target = await startRawTarget(echo);
    const { rotator, tunnel } = await established(target);
    const failed = once(tunnel, 'error');
    const closing = rotator.close({ graceMs: 100 });
    tunnel.write('still open');
    await once(tunnel, 'data');
    expect(await errorOf(rotator.connect({ host, port: target.port }))).toMatchObject({
      code: 'CLOSED',
    });
    expect((await failed)[0]).toMatchObject({ code: 'CLOSED' });
    expect(await tunnel.ended).toMatchObject({ closedBy: 'close' });
    await closing;
    const other = await established(target);
    other.tunnel.resume().end();
    // Well before the test's own deadline.
    await other.rotator.close({ graceMs: 600_000 });
    expect((await other.tunnel.ended).closedBy).toBe('client');
  });

  it('T3 maxConcurrent counts open tunnels, and the next one waits in the queue', async () => {
    const target = await startRawTarget(echo);
    const { rotator, proxies } = await tunnelRig([{ kind: 'ok' }], { queueTimeoutMs: 10_000 });
    rotator.setProxies([{ url: proxies[0]?.url, maxConcurrent: 1 }]);
    const first = await rotator.connect({ host, port: target.port });
    first.write('hello');
    await once(first, 'data');
    let isOpen = false;
    const second = rotator.connect({ host, port: target.port }).then((tunnel) => {
      isOpen = true;
      return tunnel;
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(isOpen).toBe(false);
    first.destroy();
    (await second).destroy();
    expect(rotator.proxies()).toMatchObject([{ inFlight: 0 }]);
  });
});

describe('handOver()', () => {
  it('T11 gives the connection, with what was not read, and the tunnel ends with it', async () => {
    const target = await startRawTarget(echo);
    const { rotator } = await tunnelRig([{ kind: 'ok' }]);
    const tunnel = await rotator.connect({ host, port: target.port });
    expect(() => tunnel.handOver()).toThrow('the tunnel is not established yet');
    const socket = await new Promise<net.Socket>((resolve) => {
      tunnel.once('established', () => resolve(tunnel.handOver()));
      tunnel.write('hello');
    });
    expect(() => tunnel.handOver()).toThrow('the connection was taken before');
    // It is paused.
    setImmediate(() => socket.resume());
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(first.toString()).toBe('hello');
    socket.write('again');
    const [second] = (await once(socket, 'data')) as [Buffer];
    expect(second.toString()).toBe('again');
    socket.end();
    expect(await tunnel.ended).toMatchObject({ bytesUp: 10, bytesDown: 10, closedBy: 'client' });
    expect(rotator.proxies()).toMatchObject([{ inFlight: 0 }]);
  });

  it('T11 what was buffered before it is not lost, and keeps its order', async () => {
    const target = await startRawTarget(echo);
    const { tunnel } = await established(target);
    const large = Buffer.alloc(1_000_000, 'a');
    tunnel.write(large);
    tunnel.write('b');
    const socket = tunnel.handOver();
    socket.end('c');
    const got: Buffer[] = [];
    for await (const chunk of socket) got.push(chunk as Buffer);
    const all = Buffer.concat(got).toString();
    expect(all.length).toBe(1_000_007);
    expect([all.slice(0, 6), all.slice(-3)]).toEqual(['helloa', 'abc']);
  });
});
