import { consecutiveFailures } from '@whirl/circuit-breaker';
import { adaptive, byTags, composite, geo, roundRobin, sticky } from '@whirl/selector';
import { seededRandom, startTarget } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { banTarget, type ProxyRotator } from '../../src/index.ts';
import { errorOf, rig } from '../support/pool-rig.ts';
import { use } from '../support/rig.ts';

const good = { kind: 'ok' } as const;

/** Through whom a request went, read to its end. */
async function through(
  request: ReturnType<ProxyRotator['get']>,
): Promise<{ proxyId: string; tried: string[] }> {
  const response = await request;
  await response.body.dump();
  return { proxyId: response.proxyId, tried: response.attempts.map(({ proxyId }) => proxyId) };
}

describe('what a request asks of the pool, through the real selector', () => {
  it('S5 sticky(): a session stays with one proxy, and moves for good when that one fails', async () => {
    const { rotator, target, proxies } = await rig([good, good, good, good], {
      strategy: sticky(roundRobin()),
      circuitBreaker: { trip: consecutiveFailures(1) },
    });
    const basket = rotator.with({ sessionId: 'basket-17' });
    const home = await through(basket.get(target.url));
    for (let i = 0; i < 5; i++) {
      expect((await through(basket.get(target.url))).proxyId).toBe(home.proxyId);
      // Others do not disturb it.
      await through(rotator.get(target.url));
    }
    await proxies.find(({ id }) => id === home.proxyId)?.behave({ kind: 'reset' });
    const moved = await through(basket.get(target.url));
    expect(moved.tried).toEqual([home.proxyId, moved.proxyId]);
    expect(moved.proxyId).not.toBe(home.proxyId);
    for (let i = 0; i < 5; i++) {
      expect((await through(basket.get(target.url))).tried).toEqual([moved.proxyId]);
    }
  });

  it('S6b a strict region is a condition for every attempt; without such a proxy the error names it', async () => {
    const { rotator, target, proxies } = await rig([{ kind: 'reset' }, good, { kind: 'reset' }]);
    const [eu1, us1, eu2] = proxies;
    rotator.setProxies([
      { url: eu1?.url, region: 'eu' },
      { url: us1?.url, region: 'us' },
      { url: eu2?.url, region: 'eu' },
    ]);
    const strict = { region: 'eu', strictRegion: true };
    const failed = await errorOf(rotator.get(target.url, strict));
    expect(failed).toMatchObject({ code: 'RETRIES_EXHAUSTED' });
    expect(us1?.stats.requests).toBe(0);
    expect((await through(rotator.get(target.url, { region: 'eu' }))).proxyId).toBe(us1?.id);
    const nowhere = rotator.get(target.url, { region: 'jp', strictRegion: true });
    expect(await errorOf(nowhere)).toMatchObject({
      code: 'NO_PROXIES',
      message: 'no proxy has the region "jp"',
    });
    const unsaid = rotator.get(target.url, { strictRegion: true });
    expect((await errorOf(unsaid)).message).toBe('strictRegion needs a region');
  });

  it('S6b a preferred proxy gets the first attempt, and others the retries', async () => {
    const { rotator, target, proxies } = await rig([good, good, { kind: 'reset' }]);
    const [one, two, dead] = proxies.map(({ id }) => id);
    for (let i = 0; i < 3; i++) {
      expect((await through(rotator.get(target.url, { prefer: two }))).tried).toEqual([two]);
    }
    const { tried } = await through(rotator.get(target.url, { prefer: dead }));
    expect(tried[0]).toBe(dead);
    expect([one, two]).toContain(tried[1]);
  });

  it('F16d two sessions on one proxy never share a connection', async () => {
    const { rotator, target, proxies } = await rig([good]);
    const [proxy] = proxies;
    for (let i = 0; i < 3; i++) {
      await through(rotator.get(target.url, { sessionId: 'a' }));
      await through(rotator.get(target.url, { sessionId: 'b' }));
    }
    expect(proxy?.stats).toMatchObject({ connections: 2, requests: 6 });
  });

  it('F16d keepAlive: false gives every request a connection, for one proxy or the rotator', async () => {
    for (const perProxy of [false, true]) {
      const { rotator, target, proxies } = await rig([good], perProxy ? {} : { keepAlive: false });
      if (perProxy) rotator.setProxies([{ url: proxies[0]?.url, keepAlive: false }]);
      for (let i = 0; i < 3; i++) await through(rotator.get(target.url, { sessionId: 'a' }));
      expect(proxies[0]?.stats).toMatchObject({ connections: 3, requests: 3 });
    }
  });

  it('S6 geo(): the region first, then any proxy, or none if so configured', async () => {
    for (const fallback of ['any', 'none'] as const) {
      const { rotator, target, proxies } = await rig([good, good], {
        strategy: geo(roundRobin(), { fallback }),
      });
      const [us, eu] = proxies.map(({ url }) => url);
      rotator.setProxies([
        { url: us, id: 'us', region: 'US' },
        { url: eu, id: 'eu', region: 'EU' },
      ]);
      for (let i = 0; i < 3; i++) {
        expect((await through(rotator.get(target.url, { region: 'EU' }))).proxyId).toBe('eu');
      }
      const nowhere = rotator.get(target.url, { region: 'JP' });
      if (fallback === 'any') expect((await through(nowhere)).proxyId).toMatch(/us|eu/);
      else expect(await errorOf(nowhere)).toMatchObject({ code: 'ALL_PROXIES_UNAVAILABLE' });
    }
  });

  it('S6 composite(): its filters decide which proxies may be picked, failovers included', async () => {
    const { rotator, target, proxies } = await rig([good, { kind: 'reset' }, good], {
      strategy: composite([byTags('paid')], roundRobin()),
    });
    const [free, broken, paid] = proxies.map(({ url }) => url);
    rotator.setProxies([
      { url: free, id: 'free' },
      { url: broken, id: 'broken', tags: ['paid'] },
      { url: paid, id: 'paid', tags: ['paid'] },
    ]);
    const seen = new Set<string>();
    for (let i = 0; i < 4; i++) {
      const { proxyId, tried } = await through(rotator.get(target.url));
      expect(proxyId).toBe('paid');
      for (const id of tried) seen.add(id);
    }
    expect([...seen].sort()).toEqual(['broken', 'paid']);
    expect(proxies[0]?.stats.requests).toBe(0);
  });

  it('F13 adaptive() avoids a proxy for the target that banned it, and uses it for others', async () => {
    const { rotator, target, proxies } = await rig([good, { kind: 'ok', latencyMs: 40 }], {
      strategy: adaptive(),
      random: seededRandom(1),
      banRules: [
        {
          name: 'blocked',
          judge: ({ statusCode }) => (statusCode === 404 ? banTarget(60_000) : undefined),
        },
      ],
    });
    const elsewhere = use(await startTarget());
    const [quick, slow] = proxies.map(({ id }) => id);
    for (const proxyId of [quick, slow]) {
      for (let i = 0; i < 4; i++) await through(rotator.get(elsewhere.url, { proxyId }));
    }
    await through(rotator.get(`${target.origin}/nowhere`, { proxyId: quick, retryPolicy: null }));
    const taken = { here: new Set<string>(), elsewhere: new Set<string>() };
    for (let i = 0; i < 10; i++) {
      taken.here.add((await through(rotator.get(target.url))).proxyId);
      taken.elsewhere.add((await through(rotator.get(elsewhere.url))).proxyId);
    }
    expect([...taken.here]).toEqual([slow]);
    expect([...taken.elsewhere]).toContain(quick);
  });

  it('setProxies with a changed password of a kept id: new connections use it', async () => {
    const { rotator, target, proxies } = await rig([good]);
    const [proxy] = proxies;
    const address = `${proxy?.host}:${proxy?.port}`;
    const sent = () =>
      (proxy?.received ?? []).map(({ headers }) =>
        Buffer.from(headers['proxy-authorization']?.slice(6) ?? '', 'base64').toString(),
      );
    rotator.setProxies([`http://ann:old@${address}`]);
    await through(rotator.get(target.url));
    rotator.setProxies([`http://ann:new@${address}`]);
    await through(rotator.get(target.url));
    expect(sent()).toEqual(['ann:old', 'ann:new']);
    expect(proxy?.stats.connections).toBe(2);
  });
});
