import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { describe, expect, it } from 'vitest';
import type { FirstFlight, Tunnel } from '../../src/index.ts';
import { sums } from '../support/pool-rig.ts';
import { echo, startRawTarget, tunnelRig } from '../support/tunnel-rig.ts';

const host = '127.0.0.1';
const always: FirstFlight = { repeatable: () => true };

async function heard(tunnel: Tunnel): Promise<string> {
  const [chunk] = (await once(tunnel, 'data')) as [Buffer];
  return chunk.toString();
}

/** The error that it ends with. */
async function errorOf(tunnel: Tunnel): Promise<Error & { code?: string }> {
  const [error] = (await once(tunnel, 'error')) as [Error];
  return error;
}

describe('the first flight', () => {
  it.each(['close-after-connect', 'silent-after-connect', 'plain-after-connect'] as const)(
    'T4 is sent again through another proxy: %s',
    async (kind) => {
      const { port, received } = await startRawTarget(echo);
      const { rotator, proxies, told } = await tunnelRig([{ kind }, { kind }, { kind: 'ok' }]);
      const replay: FirstFlight = {
        repeatable: (written) => written.toString() === 'hello',
        plausible: (_, first) => first[0] === 0x68,
      };
      const tunnel = await rotator.connect({ host, port, replay, firstByteMs: 100 });
      expect(tunnel.proxyId).toBe(proxies[0]?.id);
      tunnel.write('hel');
      tunnel.write('lo');
      expect(await heard(tunnel)).toBe('hello');
      expect(tunnel.proxyId).toBe(proxies[2]?.id);
      expect(received.map((chunks) => Buffer.concat(chunks).toString())).toEqual(['hello']);
      tunnel.end();
      const { replays, bytesUp, bytesDown, proxyId } = await tunnel.ended;
      expect({ bytesUp, bytesDown }).toEqual({ bytesUp: 5, bytesDown: 5 });
      // A proxy that speaks at once has failed before anything was written.
      if (kind !== 'plain-after-connect') expect(replays).toBe(2);
      expect(proxyId).toBe(proxies[2]?.id);
      expect(told('tunnel:open')).toHaveLength(1);
      expect(told('attempt:end').map(({ outcome }) => outcome === 'success')).toEqual([
        false,
        false,
        true,
      ]);
      expect(sums(rotator)).toEqual({ attempts: 3, parts: 3, proxies: 3 });
    },
  );

  it('T4 without a rule, or where the rule refuses, it is never sent twice: the tunnel ends with an error', async () => {
    const { port, received } = await startRawTarget(echo);
    const never: FirstFlight = { repeatable: () => false };
    for (const replay of ['none', never] as const) {
      const { rotator, told } = await tunnelRig([{ kind: 'close-after-connect' }, { kind: 'ok' }]);
      const tunnel = await rotator.connect({ host, port, replay });
      tunnel.write('pay 5 euros');
      const error = await errorOf(tunnel);
      expect(error).toMatchObject({ code: 'PROXY_CONNECTION', phase: 'headers' });
      expect(await tunnel.ended).toMatchObject({ closedBy: 'target', replays: 0 });
      expect(told('retry:refused')).toMatchObject([{ reason: 'method' }]);
      expect(told('request:end')).toMatchObject([{ outcome: 'failure', attemptCount: 1 }]);
    }
    expect(received).toEqual([]);
  });

  it('T4 while nothing was written, a proxy that goes away is replaced', async () => {
    const { port } = await startRawTarget(echo);
    const { rotator, proxies, next } = await tunnelRig([
      { kind: 'close-after-connect' },
      { kind: 'ok' },
    ]);
    const scheduled = next('retry:scheduled');
    const tunnel = await rotator.connect({ host, port });
    await scheduled;
    tunnel.write('hello');
    expect(await heard(tunnel)).toBe('hello');
    expect(tunnel.proxyId).toBe(proxies[1]?.id);
    tunnel.destroy();
  });

  it('T4 a flight that is never sent twice ends its tunnel when its proxy fails, whatever a hedge is about to open', async () => {
    const granted = 'HTTP/1.1 200 OK\r\n\r\n';
    const slow = await startRawTarget(() => {});
    const failing = await startRawTarget((socket) => {
      socket.once('data', () => {
        // Only once the hedge is on its way.
        const open = () => {
          if (slow.received[0]?.length === 1) socket.write(granted);
          else setImmediate(open);
        };
        open();
        socket.once('data', () => {
          socket.once('close', () => slow.sockets[0]?.write(granted)).resetAndDestroy();
        });
      });
    });
    const { rotator, told } = await tunnelRig([], {
      proxies: [failing, slow].map(({ port }) => `http://127.0.0.1:${port}`),
      hedge: { afterMs: 1 },
    });
    const tunnel = await rotator.connect({ host, port: 9 });
    tunnel.write('hello');
    expect(await errorOf(tunnel)).toMatchObject({ code: 'PROXY_CONNECTION' });
    expect(told('attempt:end').map(({ outcome }) => outcome)).toEqual(['failure', 'aborted']);
    expect(told('tunnel:end')).toMatchObject([{ bytesUp: 5, bytesDown: 0, replays: 0 }]);
  });

  it('T4 an empty write says nothing: the tunnel is as quiet as before, and loses no byte that follows', async () => {
    const { port } = await startRawTarget(echo);
    const { rotator, proxies, told } = await tunnelRig([{ kind: 'ok' }, { kind: 'ok' }]);
    const tunnel = await rotator.connect({ host, port });
    await new Promise<void>((resolve) => tunnel.write('', () => resolve()));
    tunnel.failed();
    tunnel.write('hello');
    expect(await heard(tunnel)).toBe('hello');
    expect(tunnel.proxyId).toBe(proxies[1]?.id);
    tunnel.destroy();
    expect(told('tunnel:end')).toMatchObject([{ bytesUp: 5, bytesDown: 5, replays: 0 }]);
  });

  it('T4 more than 64 KiB are not kept: they are not sent twice', async () => {
    const { port } = await startRawTarget(echo);
    const { rotator } = await tunnelRig([{ kind: 'silent-after-connect' }, { kind: 'ok' }], {
      retryPolicy: { maxAttempts: 10, attemptTimeoutMs: 100 },
    });
    const tunnel = await rotator.connect({ host, port, replay: always, firstByteMs: 100 });
    tunnel.write(Buffer.alloc(65_537));
    expect(await errorOf(tunnel)).toMatchObject({ code: 'ATTEMPT_TIMEOUT' });
  });

  it('T4 what is written while the next proxy is dialled is held, and goes out in order', async () => {
    const { port, received } = await startRawTarget(echo);
    const { rotator, next } = await tunnelRig([
      { kind: 'close-after-connect' },
      { kind: 'ok', latencyMs: 100 },
    ]);
    const scheduled = next('retry:scheduled');
    const tunnel = await rotator.connect({ host, port });
    await scheduled;
    const large = Buffer.alloc(100_000, 'x');
    for (const bytes of ['a', 'b', large, 'c']) tunnel.write(bytes);
    tunnel.end();
    for await (const chunk of tunnel) void chunk;
    const all = Buffer.concat(received[0] ?? []);
    expect([all.length, all.subarray(0, 2).toString(), all.at(-1)]).toEqual([100_003, 'ab', 0x63]);
  });

  it('T5 the verdict waits for what was written, and firstByteMs runs from the last write', async () => {
    const { port } = await startRawTarget(() => {});
    const { rotator, told } = await tunnelRig([{ kind: 'ok' }], { retryPolicy: null });
    const tunnel = await rotator.connect({ host, port, firstByteMs: 150 });
    const failed = errorOf(tunnel);
    tunnel.write('1');
    await new Promise((resolve) => setTimeout(resolve, 100));
    const writtenAt = performance.now();
    tunnel.write('2');
    const error = await failed;
    expect(performance.now() - writtenAt).toBeGreaterThan(140);
    expect(error.message).toContain('no first byte');
    expect(told('attempt:end')).toMatchObject([{ outcome: 'timeout', phase: 'headers' }]);
  });

  it('T6 a quiet tunnel is opened again through another proxy, blaming none; the last one stays', async () => {
    const { port } = await startRawTarget((socket) => socket.write('220 ready\r\n'));
    const { rotator, proxies, told } = await tunnelRig([
      { kind: 'silent-after-connect' },
      { kind: 'silent-after-connect' },
      { kind: 'ok' },
    ]);
    const tunnel = await rotator.connect({ host, port, quietMs: 50 });
    expect(await heard(tunnel)).toBe('220 ready\r\n');
    expect(tunnel.proxyId).toBe(proxies[2]?.id);
    expect(told('attempt:end').map(({ outcome, blame }) => [outcome, blame])).toEqual([
      ['aborted', 'caller'],
      ['aborted', 'caller'],
      ['success', 'none'],
    ]);
    tunnel.destroy();
    const { rotator: alone, next } = await tunnelRig([{ kind: 'ok' }], {
      retryPolicy: { maxAttempts: 1 },
    });
    const silent = await startRawTarget(echo);
    const last = await alone.connect({ host, port: silent.port, quietMs: 20 });
    const ended = next('attempt:end');
    await new Promise((resolve) => setTimeout(resolve, 60));
    last.write('still there');
    expect(await heard(last)).toBe('still there');
    expect(await ended).toMatchObject({ outcome: 'success' });
    last.destroy();
  });

  it('T7 a hedge sends the first flight through a second proxy, and the first response wins', async () => {
    const { port } = await startRawTarget(echo);
    const { rotator, proxies, told } = await tunnelRig(
      [{ kind: 'silent-after-connect' }, { kind: 'ok' }],
      { hedge: { afterMs: 1000 } },
    );
    const tunnel = await rotator.connect({ host, port, replay: always });
    await new Promise((resolve) => setTimeout(resolve, 1100));
    // A tunnel that nothing was written to is not waited for.
    expect(told('attempt:start')).toHaveLength(1);
    tunnel.write('hello');
    expect(await heard(tunnel)).toBe('hello');
    expect(tunnel.proxyId).toBe(proxies[1]?.id);
    expect(told('attempt:end')).toMatchObject([
      { attempt: 0, outcome: 'aborted', blame: 'caller', hedge: false },
      { attempt: 1, outcome: 'success', hedge: true },
    ]);
    tunnel.destroy();
    expect(sums(rotator)).toEqual({ attempts: 2, parts: 2, proxies: 2 });
  });
});
