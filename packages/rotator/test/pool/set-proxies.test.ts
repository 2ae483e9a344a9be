import { consecutiveFailures } from '@whirl/circuit-breaker';
import { describe, expect, it, vi } from 'vitest';
import { ProxyRotator, type AccessOptions } from '../../src/index.ts';
import { errorOf, rig } from '../support/pool-rig.ts';

const epoch = 1_700_000_000_000;
const refuse = { kind: 'refuse' } as const;

/** A rotator whose proxy `a` has failed so many times, under a clock that stands still. */
async function failed(times: number, options = {}) {
  const clock = { now: epoch };
  const made = await rig([refuse], {
    proxies: [],
    retryPolicy: null,
    now: () => clock.now,
    ...options,
  });
  const url = made.proxies[0]?.url ?? '';
  const { rotator, target } = made;
  rotator.addProxy({ id: 'a', url });
  for (let i = 0; i < times; i++) await errorOf(rotator.get(target.url));
  const circuit = () => rotator.getCircuitBreakerStates().get('a');
  return { ...made, clock, url, circuit };
}

describe('setProxies with an id that is kept', () => {
  it('F17 keeps what was learned, whatever options of the proxy change', async () => {
    const { rotator, url, circuit } = await failed(3);
    const [before] = rotator.proxies();
    expect(before).toMatchObject({ successRate: 0 });
    for (const changed of [
      { weight: 2 },
      { region: 'eu' },
      { tags: ['home'] },
      { cost: 3 },
      { maxConcurrent: 5 },
    ]) {
      rotator.setProxies([{ id: 'a', url, ...changed }]);
      const { successRate, score } = rotator.proxies()[0] ?? {};
      expect({ successRate, score }).toEqual({ successRate: 0, score: before?.score });
      expect(circuit()?.failureCount).toBe(3);
    }
  });

  it('F17 keeps its connections unless its address, credentials, tunnel or keepAlive change', async () => {
    const { rotator, target, proxies } = await rig([{ kind: 'ok' }], { proxies: [] });
    const proxy = { id: 'a', url: proxies[0]?.url ?? '' };
    const connections = async (changed: object) => {
      rotator.setProxies([{ ...proxy, ...changed }]);
      await (await rotator.get(target.url)).body.dump();
      return proxies[0]?.stats.connections;
    };
    expect(await connections({})).toBe(1);
    expect(await connections({ weight: 2, region: 'eu', tags: ['home'] })).toBe(1);
    expect(await connections({})).toBe(1);
    expect(await connections({ tunnel: 'always' })).toBe(2);
    expect(await connections({ tunnel: 'always', weight: 2 })).toBe(2);
  });

  it('S6 its new tags and bound count from the next request on', async () => {
    const { rotator, target, proxies } = await rig([{ kind: 'ok' }], { proxies: [] });
    const proxy = { id: 'a', url: proxies[0]?.url ?? '' };
    const get = async (tags: string[]) => {
      await (await rotator.get(target.url, { tags })).body.dump();
    };
    rotator.setProxies([{ ...proxy, tags: ['old'] }]);
    await get(['old']);
    rotator.setProxies([{ ...proxy, tags: ['new'], maxConcurrent: 1 }]);
    expect(await errorOf(get(['old']))).toMatchObject({ code: 'NO_PROXIES' });
    await get(['new']);
    const held = await rotator.get(`${target.origin}/bytes/1000000`);
    expect(await errorOf(get(['new']))).toMatchObject({ code: 'PROXIES_BUSY' });
    rotator.setProxies([{ ...proxy, tags: ['new'], maxConcurrent: 2 }]);
    await get(['new']);
    await held.body.dump();
  });

  it('S2 F11 an open circuit is still known to the selection', async () => {
    const offered: number[] = [];
    const rotator = new ProxyRotator({
      proxies: ['h:1', 'h:2'],
      strategy: { name: 'counting', pick: ({ size }) => (offered.push(size), -1) },
    });
    for (const id of ['h:1', 'h:2']) rotator.forceOpenCircuitBreaker(id);
    rotator.setProxies([
      { url: 'h:1', weight: 2 },
      { url: 'h:2', weight: 2 },
    ]);
    expect(await errorOf(rotator.get('http://target.test/'))).toMatchObject({
      code: 'ALL_PROXIES_UNAVAILABLE',
    });
    expect(offered).toEqual([0]);
  });

  it('F17 circuit options that say the same keep the circuit, others take over from then on', async () => {
    const trip = consecutiveFailures(3);
    const { rotator, url, circuit, target } = await failed(2, { circuitBreaker: { openMs: 1000 } });
    const set = (circuitBreaker?: object) => rotator.setProxies([{ id: 'a', url, circuitBreaker }]);
    for (const same of [undefined, {}, { openMs: 1000 }]) {
      set(same);
      expect(circuit()).toMatchObject({ failureCount: 2, openMs: 1000, failureThreshold: 5 });
    }
    set({ failureThreshold: 2 });
    expect(circuit()).toMatchObject({ failureCount: 0, openMs: 1000, failureThreshold: 2 });
    for (let i = 0; i < 2; i++) await errorOf(rotator.get(target.url));
    expect(circuit()?.state).toBe('open');
    rotator.resetCircuitBreaker('a');
    set({ trip });
    await errorOf(rotator.get(target.url));
    set({ trip });
    for (let i = 0; i < 2; i++) await errorOf(rotator.get(target.url));
    expect(circuit()?.state).toBe('open');
  });

  it('F17 a circuit that was open stays so for the rest of its time under new options', async () => {
    const { rotator, url, circuit, clock, told, target } = await failed(5);
    expect(circuit()).toMatchObject({ state: 'open', nextTestAt: epoch + 30_000 });
    clock.now += 10_000;
    rotator.setProxies([{ id: 'a', url, circuitBreaker: { openMs: 500 } }]);
    expect(circuit()).toMatchObject({ state: 'open', nextTestAt: epoch + 30_000, openMs: 500 });
    expect(await errorOf(rotator.get(target.url))).toMatchObject({ retryAfterMs: 20_000 });
    clock.now += 20_000;
    await errorOf(rotator.get(target.url));
    expect(circuit()).toMatchObject({ state: 'open', nextTestAt: clock.now + 500 });
    // That it went over is no transition.
    expect(told('circuit:transition').map(({ to }) => to)).toEqual(['open', 'half_open', 'open']);
    clock.now += 500;
    rotator.setProxies([{ id: 'a', url, circuitBreaker: { openMs: 600 } }]);
    expect(circuit()).toMatchObject({ state: 'open', nextTestAt: clock.now + 1 });

    rotator.forceOpenCircuitBreaker('a');
    rotator.setProxies([{ id: 'a', url }]);
    expect(circuit()).toMatchObject({ state: 'forced_open', openMs: 30_000 });
    expect(await errorOf(rotator.get(target.url))).toMatchObject({ retryAfterMs: undefined });
  });

  it('F17 a removed open circuit emits closed, once all is swapped', async () => {
    const { rotator, url, told, target } = await failed(5);
    const seen: string[][] = [];
    rotator.bus.on('circuit:transition', () => seen.push(rotator.proxies().map(({ id }) => id)));
    rotator.setProxies([{ id: 'a', url, circuitBreaker: false }, 'h:2']);
    expect(told('circuit:transition').at(-1)).toMatchObject({ name: 'a', to: 'closed' });
    expect(seen).toEqual([['a', 'h:2']]);
    const retried = await errorOf(rotator.get(target.url, { proxyId: 'a' }));
    expect(retried).toMatchObject({ code: 'RETRIES_EXHAUSTED' });
    rotator.setProxies([{ id: 'a', url }]);
    expect(rotator.getCircuitBreakerStates().get('a')).toMatchObject({ state: 'closed' });
  });

  it('F17 an attempt that began under the old options is not laid to the new circuit', async () => {
    const { rotator, target, proxies, next } = await rig([{ kind: 'ok', latencyMs: 100 }], {
      retryPolicy: null,
      circuitBreaker: { trip: consecutiveFailures(1) },
    });
    const [{ id, url } = { id: '', url: '' }] = proxies;
    const running = rotator.get(`${target.origin}/status/503`);
    await next('attempt:start');
    rotator.setProxies([{ url, circuitBreaker: { openMs: 1000 } }]);
    await (await running).body.dump();
    expect(rotator.getCircuitBreakerStates().get(id)).toMatchObject({ state: 'closed' });
    expect(rotator.proxies()).toMatchObject([{ inFlight: 0 }]);
  });

  it('A15 with owned, other proxies stay and there are events for what changed alone', async () => {
    const { rotator } = await failed(0);
    rotator.setProxies(['a:1', 'b:1', 'c:1']);
    const events: string[] = [];
    rotator.bus.on('proxy:added', ({ proxyId }) => void events.push(`+${proxyId}`));
    rotator.bus.on('proxy:removed', ({ proxyId }) => void events.push(`-${proxyId}`));
    rotator.setProxies([{ url: 'a:1', weight: 2 }, 'd:1'], { owned: new Set(['b:1']) });
    expect(rotator.proxies().map(({ id }) => id)).toEqual(['a:1', 'c:1', 'd:1']);
    rotator.setProxies(['e:1'], { owned: new Set() });
    expect(events).toEqual(['-b:1', '+d:1', '+e:1']);
  });
});

const list = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => `192.0.2.1:${1 + from + i}`);

/** The size of the pool in each turn of the event loop, by a clock that moves on with each look at it. */
async function sizesDuring(rotator: ProxyRotator, change: () => Promise<unknown>) {
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now++);
  const sizes: number[] = [];
  let done = false;
  void change().then(() => (done = true));
  while (!done) {
    sizes.push(rotator.size);
    await new Promise(setImmediate);
  }
  clock.mockRestore();
  return sizes;
}

describe('setProxiesAsync', () => {
  it('F17 a long list joins in steps, between which the event loop turns', async () => {
    const { rotator } = await rig([], { proxies: list(2000) });
    const smallest = await sizesDuring(rotator, () => rotator.setProxiesAsync(list(20_000, 1000)));
    expect(new Set(smallest).size).toBeGreaterThan(20);
    expect(Math.min(...smallest)).toBe(2000);
    expect(rotator.proxies()).toHaveLength(20_000);
    expect([rotator.hasProxy('192.0.2.1:1000'), rotator.hasProxy('192.0.2.1:1001')]).toEqual([
      false,
      true,
    ]);
  });

  it('A16b A18 rules about proxies are asked in steps as well', async () => {
    const turns = async (deny: AccessOptions) => {
      const { rotator } = await rig([], { proxies: [], deny });
      const sizes = await sizesDuring(rotator, () => rotator.setProxiesAsync(list(20_000)));
      return sizes.filter((size) => size === 0).length;
    };
    const without = await turns({});
    expect(await turns({ proxies: ['198.51.100.0/24'] })).toBeGreaterThanOrEqual(without + 30);
  });

  it('F17 a short list is swapped at once', async () => {
    const { rotator } = await rig([], { proxies: list(3) });
    const seen = new Set<string>();
    for (const type of ['proxy:added', 'proxy:removed'] as const) {
      rotator.bus.on(type, () =>
        seen.add(
          rotator
            .proxies()
            .map(({ id }) => id)
            .join(' '),
        ),
      );
    }
    await rotator.setProxiesAsync(list(2, 100));
    expect([...seen]).toEqual(['192.0.2.1:101 192.0.2.1:102']);
  });

  it('F17 a list with an error changes nothing, however late the error stands', async () => {
    const { rotator } = await rig([], { proxies: ['p:1'] });
    const refused = errorOf(rotator.setProxiesAsync([...list(5000), 'bad']));
    await expect(refused).resolves.toMatchObject({ code: 'INVALID_PROXY', issueCount: 1 });
    expect(rotator.proxies().map(({ id }) => id)).toEqual(['p:1']);
  });

  it('F17 changes follow each other, and a whole list in the meantime stands', async () => {
    const { rotator } = await rig([], { proxies: [] });
    const first = rotator.setProxiesAsync(list(3000), { owned: new Set() });
    const second = rotator.setProxiesAsync(list(3000, 1000), { owned: new Set() });
    await Promise.all([first, second]);
    expect(rotator.proxies()).toHaveLength(4000);
    const overtaken = rotator.setProxiesAsync(list(5000, 10_000));
    while (!rotator.hasProxy('192.0.2.1:10001')) await new Promise(setImmediate);
    rotator.setProxies(['p:1']);
    await overtaken;
    expect(rotator.proxies().map(({ id }) => id)).toEqual(['p:1']);
  });
});

describe('clearUnhealthyProxiesAsync', () => {
  const ids = (rotator: ProxyRotator) => rotator.proxies().map(({ id }) => id);

  it('A16 a large pool is cleared in slices, between which the event loop turns', async () => {
    const { rotator } = await rig([], { proxies: list(20_000) });
    const open = list(20_000).filter((_, i) => i % 2 === 0);
    for (const id of open) rotator.forceOpenCircuitBreaker(id);
    let removed: readonly string[] = [];
    const sizes = await sizesDuring(rotator, async () => {
      removed = await rotator.clearUnhealthyProxiesAsync();
    });
    expect(new Set(sizes).size).toBeGreaterThan(20);
    expect(removed).toEqual(open);
    expect(ids(rotator)).toEqual(list(20_000).filter((_, i) => i % 2 === 1));
  });

  it('A16 a proxy that recovers, leaves or joins in the meantime is judged as it is then', async () => {
    const { rotator } = await rig([], { proxies: list(5000) });
    for (const id of list(5000)) rotator.forceOpenCircuitBreaker(id);
    const [recovered, left, joined] = ['192.0.2.1:4999', '192.0.2.1:5000', '192.0.2.1:9999'];
    let isFirst = true;
    rotator.bus.on('proxy:removed', () => {
      if (!isFirst) return;
      isFirst = false;
      rotator.resetCircuitBreaker(recovered);
      rotator.removeProxy(left);
      rotator.addProxy(joined);
      rotator.forceOpenCircuitBreaker(joined);
    });
    const removed = await rotator.clearUnhealthyProxiesAsync();
    expect(removed).toEqual([...list(4998), joined]);
    expect(ids(rotator)).toEqual([recovered]);
  });

  it('A16 waits for a list that is joining', async () => {
    const { rotator } = await rig([], { proxies: ['p:1'] });
    rotator.forceOpenCircuitBreaker('p:1');
    const joining = rotator.setProxiesAsync(['p:1', ...list(3000)]);
    await expect(rotator.clearUnhealthyProxiesAsync()).resolves.toEqual(['p:1']);
    await joining;
    expect(rotator.size).toBe(3000);
  });
});
