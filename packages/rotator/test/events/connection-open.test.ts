import type { ConnectionOpen, WhirlBus } from '@whirl/events';
import { startProxy, startSocks, startTarget } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { read, startRotator, use } from '../support/rig.ts';

function heardOn(bus: WhirlBus): ConnectionOpen[] {
  const heard: ConnectionOpen[] = [];
  bus.on('connection:open', (event) => heard.push(event));
  return heard;
}

describe('connection:open shows where the time of a connection went', () => {
  it('through CONNECT and TLS, once: a slow response to CONNECT is in tunnelMs', async () => {
    const target = use(await startTarget({ tls: true }));
    const proxy = use(await startProxy({ behaviour: { kind: 'ok', latencyMs: 60 } }));
    const rotator = startRotator({ proxies: [proxy.url], tls: { ca: target.ca } });
    const heard = heardOn(rotator.bus);
    await read(rotator.get(target.url));
    const first = await rotator.get(target.url);
    await first.body.dump();
    const [{ proxyId, origin, proxyMs, tunnelMs, tlsMs }] = heard as [ConnectionOpen];
    expect([heard.length, proxyId, origin]).toEqual([1, proxy.id, target.origin]);
    expect(proxyMs).toBeGreaterThan(0);
    // Timers may fire a millisecond early.
    expect(tunnelMs).toBeGreaterThan(58);
    expect(tlsMs).toBeGreaterThan(0);
  });

  it('the sum of the parts is a part of the latency', async () => {
    const target = use(await startTarget({ tls: true }));
    const socks = use(await startSocks());
    const rotator = startRotator({ proxies: [socks.url], tls: { ca: target.ca } });
    const heard = heardOn(rotator.bus);
    const { attempts } = await rotator.get(target.url).then(async (response) => {
      await response.body.dump();
      return response;
    });
    const [{ proxyMs, tunnelMs, tlsMs }] = heard as [ConnectionOpen];
    expect(Math.min(proxyMs, tunnelMs, tlsMs)).toBeGreaterThan(0);
    expect(proxyMs + tunnelMs + tlsMs).toBeLessThanOrEqual(attempts[0]?.latencyMs ?? 0);
  });

  it('in absolute form there is no tunnel, no TLS, and no origin', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const rotator = startRotator({ proxies: [proxy.url] });
    const heard = heardOn(rotator.bus);
    await read(rotator.get(target.url));
    expect(heard).toMatchObject([{ origin: undefined, tunnelMs: 0, tlsMs: 0 }]);
    expect(heard[0]?.proxyMs).toBeGreaterThan(0);
  });

  it('before anything is sent: a listener that aborts leaves the target unasked', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy());
    const rotator = startRotator({ proxies: [proxy.url], tunnel: 'always' });
    const stop = new AbortController();
    rotator.bus.on('connection:open', () => stop.abort());
    await expect(rotator.get(target.url, { signal: stop.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
    await proxy.idle();
    expect([proxy.stats.connects, target.requests]).toEqual([1, 0]);
  });

  it('not for a dial that failed', async () => {
    const target = use(await startTarget());
    const proxy = use(await startProxy({ behaviour: { kind: 'status', statusCode: 502 } }));
    const rotator = startRotator({ proxies: [proxy.url], tunnel: 'always' });
    const heard = heardOn(rotator.bus);
    await expect(rotator.get(target.url)).rejects.toMatchObject({ code: 'RETRIES_EXHAUSTED' });
    expect(heard).toEqual([]);
  });
});
