import { geo, roundRobin } from '@whirl/selector';
import { describe, expect, it } from 'vitest';
import { throttle } from '../../src/index.ts';
import { errorOf, fast, rig, sums } from '../support/pool-rig.ts';

describe('when no proxy can take a request', () => {
  it('F11 all circuits open: nothing is dialled, and the error has the time of the next test', async () => {
    let now = 1_700_000_000_000;
    const { rotator, target, proxies, told } = await rig([{ kind: 'ok' }], { now: () => now });
    const failing = await rig([{ kind: 'reset' }], {
      now: () => now,
      retryPolicy: { ...fast, maxAttempts: 5 },
    });
    await errorOf(failing.rotator.get(failing.target.url));
    const before = failing.proxies[0]?.stats.connections;
    now += 10_000;
    const error = await errorOf(failing.rotator.get(failing.target.url));
    expect(error).toMatchObject({
      code: 'ALL_PROXIES_UNAVAILABLE',
      name: 'AllProxiesUnavailableError',
      statusCode: 503,
      retryAfterMs: 20_000,
      attempts: [],
    });
    expect(failing.proxies[0]?.stats.connections).toBe(before);
    expect(failing.told('request:end').at(-1)).toMatchObject({
      outcome: 'circuit_open',
      attemptCount: 0,
    });

    rotator.forceOpenCircuitBreaker(proxies[0]?.id ?? '');
    const forced = await errorOf(rotator.get(target.url));
    expect(forced).toMatchObject({ code: 'ALL_PROXIES_UNAVAILABLE', retryAfterMs: undefined });
    expect(told('attempt:start')).toEqual([]);
    rotator.setProxies([]);
    expect(await errorOf(rotator.get(target.url))).toMatchObject({
      name: 'AllProxiesUnavailableError',
      code: 'NO_PROXIES',
    });
  });

  it('F11 no proxy left in mid-request: the last outcome stands', async () => {
    const circuitBreaker = { failureThreshold: 1 };
    const broken = await rig([{ kind: 'reset' }], { circuitBreaker });
    expect(await errorOf(broken.rotator.get(broken.target.url))).toMatchObject({
      code: 'RETRIES_EXHAUSTED',
      cause: { code: 'PROXY_CONNECTION' },
    });
    expect(broken.told('retry:refused')).toMatchObject([{ reason: 'no_proxy' }]);

    const answering = await rig([{ kind: 'status', statusCode: 502 }], { circuitBreaker });
    const first = await answering.rotator.get(answering.target.url);
    expect(first.statusCode).toBe(502);
    await first.body.dump();
  });

  it('F11 no proxy left of those with the tags of the request: the last response stands', async () => {
    const { rotator, target, proxies, told } = await rig(
      [{ kind: 'status', statusCode: 502 }, { kind: 'ok' }],
      { proxies: [], circuitBreaker: { failureThreshold: 1 } },
    );
    const [a, b] = proxies.map(({ url }) => url);
    rotator.setProxies([{ url: a, tags: ['home'] }, { url: b }]);
    const response = await rotator.get(target.url, { tags: ['home'] });
    await response.body.dump();
    expect(response.statusCode).toBe(502);
    expect(told('retry:refused')).toMatchObject([{ reason: 'no_proxy' }]);
    expect(told('retry:scheduled')).toEqual([]);
  });

  it('F16d F11 a pinned request is served by its proxy, whatever tags it asks for besides', async () => {
    const { rotator, target, proxies } = await rig([{ kind: 'reset' }, { kind: 'ok' }]);
    const pinned = { proxyId: proxies[0]?.id ?? '', tags: ['home'] };
    expect((await errorOf(rotator.get(target.url, pinned)))['attempts']).toHaveLength(3);
  });

  it('F11 everyone at maxConcurrent: PROXIES_BUSY at once, or after queueTimeoutMs', async () => {
    for (const queueTimeoutMs of [0, 50]) {
      const { rotator, target, proxies } = await rig([{ kind: 'ok' }], {
        proxies: [],
        queueTimeoutMs,
      });
      rotator.addProxy({ url: proxies[0]?.url ?? '', maxConcurrent: 1 });
      const held = await rotator.get(`${target.origin}/bytes/1000000`);
      expect(rotator.proxies()).toMatchObject([{ inFlight: 1 }]);
      expect(await errorOf(rotator.get(target.url))).toMatchObject({ code: 'PROXIES_BUSY' });
      expect((await held.body.arrayBuffer()).byteLength).toBe(1_000_000);
      await (await rotator.get(target.url)).body.dump();
      expect(sums(rotator)).toEqual({ attempts: 2, parts: 2, proxies: 2 });
    }
  });

  it('F11 waiting requests are served in their order, and maxConcurrent is never exceeded', async () => {
    const { rotator, target, proxies } = await rig([{ kind: 'ok' }], {
      proxies: [],
      queueTimeoutMs: 10_000,
    });
    rotator.addProxy({ url: proxies[0]?.url ?? '', maxConcurrent: 2 });
    let most = 0;
    rotator.bus.on('attempt:start', () => {
      most = Math.max(most, rotator.proxies()[0]?.inFlight ?? 0);
    });
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const response = await rotator.get(target.url);
        order.push(i);
        await response.body.dump();
      }),
    );
    expect(most).toBe(2);
    expect(order.slice(0, 2).toSorted((a, b) => a - b)).toEqual([0, 1]);
    expect(order.slice(-2).toSorted((a, b) => a - b)).toEqual([10, 11]);
  });

  it('F11 a request that waits for a busy region lets those pass that want another', async () => {
    const { rotator, target, proxies } = await rig([{ kind: 'ok' }, { kind: 'ok' }], {
      proxies: [],
      strategy: geo(roundRobin(), { fallback: 'none' }),
      queueTimeoutMs: 10_000,
    });
    const [eu, us] = proxies.map(({ url }) => url);
    rotator.setProxies([
      { url: eu, region: 'EU', maxConcurrent: 1 },
      { url: us, region: 'US', maxConcurrent: 1 },
    ]);
    const large = `${target.origin}/bytes/1000000`;
    const held = await rotator.get(large, { region: 'EU' });
    const other = await rotator.get(large, { region: 'US' });
    const order: string[] = [];
    const waiting = ['EU', 'EU', 'US'].map(async (region, i) => {
      const response = await rotator.get(target.url, { region });
      order.push(`${region} ${i}`);
      await response.body.dump();
    });
    await other.body.arrayBuffer();
    await waiting[2];
    expect(order).toEqual(['US 2']);
    await held.body.arrayBuffer();
    await Promise.all(waiting);
    expect(order).toEqual(['US 2', 'EU 0', 'EU 1']);
  });

  it('F11 a request that may not use a banned proxy lets those pass that are pinned to it', async () => {
    let bans = 1;
    const { rotator, target, proxies } = await rig([{ kind: 'ok' }], {
      proxies: [],
      circuitBreaker: false,
      queueTimeoutMs: 1000,
      retryPolicy: null,
      banRules: [{ name: 'first', judge: () => (bans-- > 0 ? throttle(60_000) : undefined) }],
    });
    rotator.addProxy({ url: proxies[0]?.url ?? '', maxConcurrent: 1 });
    const held = await rotator.get(`${target.origin}/bytes/1000000`);
    const refused = errorOf(rotator.get(target.url));
    const pinned = rotator.get(target.url, { proxyId: proxies[0]?.id ?? '' });
    await held.body.arrayBuffer();
    await (await pinned).body.dump();
    expect(await refused).toMatchObject({ code: 'PROXIES_BUSY' });
  });

  it('F11 setProxies with a larger bound serves waiting requests', async () => {
    const { rotator, target, proxies } = await rig([{ kind: 'ok' }], {
      proxies: [],
      queueTimeoutMs: 10_000,
    });
    const [url] = proxies.map((proxy) => proxy.url);
    rotator.setProxies([{ url, maxConcurrent: 1 }]);
    const held = await rotator.get(`${target.origin}/bytes/1000000`);
    const waiting = rotator.get(target.url);
    rotator.setProxies([{ url, maxConcurrent: 2 }]);
    await (await waiting).body.dump();
    await held.body.dump();
  });
});
