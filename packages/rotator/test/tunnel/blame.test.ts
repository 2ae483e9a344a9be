import { once } from 'node:events';
import { startProxy, startSocks } from '@whirl/testkit';
import { describe, expect, it, vi } from 'vitest';
import type { FirstFlight, Tunnel } from '../../src/index.ts';
import { errorOf } from '../support/pool-rig.ts';
import { use } from '../support/rig.ts';
import { echo, startRawTarget, tunnelRig } from '../support/tunnel-rig.ts';

const host = '127.0.0.1';
const always: FirstFlight = { repeatable: () => true };

/** Writes, and waits for what comes back, or for the error. */
async function spoken(tunnel: Tunnel, text: string): Promise<string> {
  tunnel.write(text);
  const [chunk] = (await once(tunnel, 'data')) as [Buffer];
  tunnel.destroy();
  return chunk.toString();
}

describe('what a tunnel teaches of its proxies', () => {
  it('T14 a target that closes at once costs no proxy its circuit, and a proxy that pretends to be the target is detected', async () => {
    const good = await startRawTarget(echo);
    const down = await startRawTarget((socket) => socket.destroy());
    const { rotator, proxies, told } = await tunnelRig([
      { kind: 'ok' },
      { kind: 'ok' },
      { kind: 'silent-after-connect' },
    ]);
    const [, , liar] = proxies.map(({ id }) => id);
    for (let i = 0; i < 12; i++) {
      const tunnel = await rotator.connect({
        host,
        port: good.port,
        replay: always,
        firstByteMs: 400,
      });
      expect(await spoken(tunnel, 'hello')).toBe('hello');
      await errorOf(
        rotator
          .connect({ host, port: down.port, replay: always, firstByteMs: 400 })
          .then((each) => spoken(each, 'hello')),
      );
    }
    for (const { id, state } of rotator.proxies()) {
      expect([id, state]).toEqual([id, id === liar ? 'open' : 'closed']);
    }
    const blamed = told('attempt:end').filter(({ blame }) => blame === 'proxy');
    expect(new Set(blamed.map(({ proxyId }) => proxyId))).toEqual(new Set([liar]));
    const origins = rotator.targets().map(({ origin, failures }) => [origin, failures.target > 0]);
    expect(Object.fromEntries(origins)).toMatchObject({
      [`tcp://127.0.0.1:${good.port}`]: false,
      [`tcp://127.0.0.1:${down.port}`]: true,
    });
  });

  it('T14 a test of a circuit gives its ticket back after its lease, while its tunnel is idle', async () => {
    const { port } = await startRawTarget(echo);
    const { rotator, proxies } = await tunnelRig([{ kind: 'ok' }], {
      circuitBreaker: { failureThreshold: 1, openMs: 20, probeLeaseMs: 1000 },
    });
    const id = proxies[0]?.id ?? '';
    await proxies[0]?.behave({ kind: 'refuse' });
    await errorOf(rotator.with({ retryPolicy: null }).connect({ host, port }));
    await proxies[0]?.behave({ kind: 'ok' });
    expect(rotator.circuitBreakerState(id)?.state).toBe('open');
    await expect.poll(() => rotator.circuitBreakerState(id)?.canAttempt).toBe(true);
    const idle = await rotator.connect({ host, port });
    const meanwhile = await errorOf(rotator.connect({ host, port }));
    expect(meanwhile).toMatchObject({ code: 'ALL_PROXIES_UNAVAILABLE' });
    const next = await vi.waitFor(() => rotator.connect({ host, port }), 20_000);
    expect(await spoken(next, 'hello')).toBe('hello');
    expect(rotator.circuitBreakerState(id)?.state).toBe('closed');
    idle.destroy();
  });

  it('T15 a target that the rules refuse is not dialled, and bad options are refused by name', async () => {
    const { rotator, proxies, told } = await tunnelRig([{ kind: 'ok' }], {
      deny: { targets: ['10.0.0.0/8', '*:25', 'metadata.internal'] },
    });
    for (const to of [
      { host: '10.1.2.3', port: 443 },
      { host: '0x0a.1', port: 443 },
      { host: '::ffff:10.0.0.1', port: 443 },
      { host: 'mail.test', port: 25 },
      { host: 'METADATA.internal.', port: 80 },
    ]) {
      const error = await errorOf(rotator.connect(to));
      expect(error).toMatchObject({ code: 'INVALID_REQUEST' });
      expect(error.message).toContain('is denied by');
    }
    const bad: [Record<string, unknown>, RegExp][] = [
      [{ host: '', port: 1 }, /^host must be a name or an address, got ""$/],
      [{ host: 'a b', port: 1 }, /^host must be/],
      [{ host: 'a\r\nX: 1', port: 1 }, /^host must be/],
      [{ host: 'user:secret@a', port: 1 }, /^host must be a name or an address, got a string$/],
      [{ host: 'a:80', port: 1 }, /^host must be/],
      [{ host: 'a', port: 0 }, /^port must be an integer from 1 to 65535, got 0$/],
      [{ host: 'a', port: '80' }, /^port must be/],
      [{ host: 'a', port: 1, secure: 1 }, /^secure must be true, false or an object, got 1$/],
      [{ host: 'a', port: 1, secure: { alpn: [] } }, /^secure\.alpn must be/],
      [{ host: 'a', port: 1, secure: { sni: 'b' } }, /^unknown option "secure\.sni"/],
      [{ host: 'a', port: 1, firstByteMs: 0 }, /^firstByteMs must be a number > 0, got 0$/],
      [{ host: 'a', port: 1, quietMs: NaN }, /^quietMs must be a number > 0, got NaN$/],
      [{ host: 'a', port: 1, replay: 'tls' }, /^replay must be "none" or an object/],
      [{ host: 'a', port: 1, signal: {} }, /^signal must be an AbortSignal, got an object$/],
      [{ host: 'a', port: 1, firstbyteMs: 1 }, /did you mean "firstByteMs"/],
      [{ host: 'a', port: 1, proxyId: 'none' }, /^proxyId: no proxy has the id "none"$/],
    ];
    for (const [options, message] of bad) {
      expect((await errorOf(rotator.connect(options as never))).message).toMatch(message);
    }
    expect(proxies[0]?.stats.connections).toBe(0);
    expect(told('request:start')).toEqual([]);
  });

  it('T15 no error or event of a tunnel shows a password', async () => {
    const { port } = await startRawTarget(echo);
    const guarded = use(await startProxy({ username: 'user', password: 'hunter2' }));
    const wrong = guarded.url.replace('hunter2', 'sesame99');
    const { rotator } = await tunnelRig([], { proxies: [wrong], retryPolicy: null });
    const facts: unknown[] = [];
    rotator.bus.on('*', (type, event) => facts.push([type, event]));
    const error = await errorOf(rotator.connect({ host, port }));
    expect(error).toMatchObject({ code: 'PROXY_AUTHENTICATION', statusCode: 407 });
    rotator.setProxies([guarded.url]);
    rotator.resetCircuitBreaker(guarded.id);
    expect(await spoken(await rotator.connect({ host, port }), 'hello')).toBe('hello');
    const told = JSON.stringify([facts, error, error.message, error.stack]);
    for (const secret of ['sesame99', 'hunter2', btoa('user:sesame99'), btoa('user:hunter2')]) {
      expect(told).not.toContain(secret);
    }
  });

  it('T16 a target may speak first, through CONNECT and through SOCKS, and none of its bytes is lost', async () => {
    const banner = `220 ${'ready '.repeat(2000)}\r\n`;
    const { port } = await startRawTarget((socket) => socket.write(banner));
    const proxy = use(await startProxy());
    const socks = use(await startSocks());
    for (const url of [proxy.url, socks.url]) {
      const { rotator, told } = await tunnelRig([], { proxies: [url], retryPolicy: null });
      const tunnel = await rotator.connect({ host, port });
      let text = '';
      while (text.length < banner.length) {
        const [chunk] = (await once(tunnel, 'data')) as [Buffer];
        text += chunk.toString();
      }
      expect(text).toBe(banner);
      expect(told('attempt:end')).toMatchObject([{ outcome: 'success' }]);
      tunnel.destroy();
      expect(await tunnel.ended).toMatchObject({ bytesUp: 0, bytesDown: banner.length });
    }
  });
});
