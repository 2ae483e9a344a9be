import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Tunnel } from '../../src/index.ts';
import { errorOf, sums } from '../support/pool-rig.ts';
import { echo, startRawTarget, tunnelRig } from '../support/tunnel-rig.ts';

const host = '127.0.0.1';

/** The next bytes. */
async function heard(tunnel: Tunnel): Promise<string> {
  const [chunk] = (await once(tunnel, 'data')) as [Buffer];
  return chunk.toString();
}

describe('connect()', () => {
  it('T1 T3 opens a tunnel: bytes both ways, one request, one attempt, one tunnel', async () => {
    const { port } = await startRawTarget(echo);
    const { rotator, proxies, told } = await tunnelRig([{ kind: 'ok' }]);
    const tunnel = await rotator.connect({ host, port });
    const [proxyId] = proxies.map(({ id }) => id);
    const origin = `tcp://127.0.0.1:${port}`;
    expect(tunnel.proxyId).toBe(proxyId);
    expect(told('request:start')).toMatchObject([{ method: 'CONNECT', origin }]);
    expect(told('tunnel:open')).toMatchObject([{ proxyId, origin }]);
    // Nothing was written: there is no verdict.
    expect([told('attempt:end'), tunnel.isEstablished]).toEqual([[], false]);
    expect(rotator.inFlight()).toMatchObject([{ method: 'CONNECT', origin, proxyId }]);
    tunnel.write('hello');
    expect(await heard(tunnel)).toBe('hello');
    expect(tunnel.isEstablished).toBe(true);
    expect(told('attempt:end')).toMatchObject([{ outcome: 'success', blame: 'none', origin }]);
    expect(told('request:end')).toMatchObject([{ outcome: 'success', attemptCount: 1 }]);
    expect(rotator.proxies()).toMatchObject([{ inFlight: 1, successRate: 1 }]);
    tunnel.end();
    tunnel.resume();
    const end = await tunnel.ended;
    const { requestId } = tunnel;
    expect(end).toMatchObject({ bytesUp: 5, bytesDown: 5, closedBy: 'client', replays: 0 });
    expect(told('tunnel:end')).toMatchObject([{ requestId, proxyId, origin }]);
    expect(rotator.proxies()).toMatchObject([{ inFlight: 0 }]);
    expect(sums(rotator)).toEqual({ attempts: 1, parts: 1, proxies: 1 });
  });

  it('T2 fails over until a proxy opens the way', async () => {
    const { port } = await startRawTarget(echo);
    const { rotator, proxies, told } = await tunnelRig([
      { kind: 'refuse' },
      { kind: 'reset' },
      { kind: 'close' },
      { kind: 'status', statusCode: 502 },
      { kind: 'garbage' },
      { kind: 'ok' },
    ]);
    const tunnel = await rotator.connect({ host, port });
    expect(tunnel.proxyId).toBe(proxies[5]?.id);
    tunnel.write('hello');
    expect(await heard(tunnel)).toBe('hello');
    expect(tunnel.attempts.map(({ outcome }) => outcome)).toEqual([
      ...Array<string>(5).fill('failure'),
      'success',
    ]);
    expect(told('tunnel:open')).toHaveLength(1);
    expect(sums(rotator)).toEqual({ attempts: 6, parts: 6, proxies: 6 });
    tunnel.destroy();
  });

  it('T2 rejects as a request does when no attempt is left', async () => {
    const { port } = await startRawTarget(echo);
    const { rotator, told } = await tunnelRig([{ kind: 'reset' }, { kind: 'refuse' }], {
      retryPolicy: { maxAttempts: 2, failoverDelay: 'none' },
    });
    const error = await errorOf(rotator.connect({ host, port }));
    expect(error).toMatchObject({ code: 'RETRIES_EXHAUSTED' });
    expect(error['attempts']).toHaveLength(2);
    expect(told('request:end')).toMatchObject([{ outcome: 'failure', attemptCount: 2 }]);
    expect([told('tunnel:open'), told('tunnel:end')]).toEqual([[], []]);
  });
});
