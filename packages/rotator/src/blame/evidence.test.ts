import { seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { Evidence } from './evidence.ts';
import { OriginEvidence, ProxyEvidence } from './pair-evidence.ts';

/** A pool and its targets: outcomes by name, one second apart. */
function world() {
  const evidence = new Evidence();
  const proxies = new Map<string, ProxyEvidence>();
  const origins = new Map<string, OriginEvidence>();
  let at = 1_000_000;
  const proxy = (name: string) => {
    if (!proxies.has(name)) proxies.set(name, new ProxyEvidence());
    return proxies.get(name) as ProxyEvidence;
  };
  const origin = (name: string) => {
    if (!origins.has(name)) origins.set(name, new OriginEvidence());
    return origins.get(name) as OriginEvidence;
  };
  return {
    evidence,
    proxy,
    origin,
    wait: (ms: number) => void (at += ms),
    responds: (p: string, o: string, times = 1) => {
      for (let i = 0; i < times; i++) evidence.responded(proxy(p), origin(o), (at += 1000));
    },
    fails: (p: string, o: string) => evidence.failed(proxy(p), origin(o), (at += 1000)),
    refuses: (p: string, o: string) => evidence.refused(proxy(p), origin(o), (at += 1000)),
    breaks: (p: string) => evidence.proxyFailed(proxy(p), (at += 1000)),
  };
}

describe('evidence', () => {
  it('E4 others get responses from the origin and this proxy gets none anywhere: the proxy', () => {
    const { responds, fails } = world();
    responds('good', 'shop');
    expect(fails('junk', 'shop')).toBe('proxy');
  });

  it('E4 others get responses there and this proxy works elsewhere: the route', () => {
    const { responds, fails } = world();
    responds('good', 'shop');
    responds('banned', 'news');
    expect([fails('banned', 'shop'), fails('banned', 'shop')]).toEqual(['route', 'route']);
  });

  it('E4 the proxy works elsewhere and no proxy has a response from there: the target', () => {
    const { responds, fails } = world();
    responds('a', 'news');
    responds('b', 'news');
    expect([fails('a', 'shop'), fails('b', 'shop'), fails('a', 'shop')]).toEqual(
      Array(3).fill('target'),
    );
  });

  it('E4 nothing else is known: unknown, however often; then the third failure at a second origin: the proxy', () => {
    const { fails } = world();
    expect([fails('a', 'shop'), fails('a', 'shop'), fails('a', 'shop')]).toEqual(
      Array(3).fill('unknown'),
    );
    expect(fails('a', 'news')).toBe('proxy');
    const two = world();
    // Two failures in a row, one at each of two origins that may be down: not enough.
    expect([two.fails('b', 'shop'), two.fails('b', 'news')]).toEqual(['unknown', 'unknown']);
    expect(two.fails('b', 'shop')).toBe('proxy');
  });

  it('E4 a failure of the proxy itself counts as one elsewhere', () => {
    const { breaks, fails } = world();
    breaks('a');
    breaks('a');
    expect(fails('a', 'shop')).toBe('proxy');
  });

  it('E4 a proxy that works elsewhere testifies for those of which nothing else is known', () => {
    const { responds, fails } = world();
    responds('a', 'news');
    expect(fails('b', 'shop')).toBe('unknown');
    expect(fails('a', 'shop')).toBe('target');
    expect(fails('b', 'shop')).toBe('target');
  });

  it('E4 what other proxies excuse does not count against the proxy elsewhere', () => {
    const { responds, fails } = world();
    responds('a', 'news');
    fails('a', 'shop');
    for (let i = 0; i < 3; i++) fails('b', 'shop');
    // Four failures in a row, but three of them were excused: no conviction at a second origin.
    expect(fails('b', 'mail')).toBe('unknown');
  });

  it('E3 a refused CONNECT is the route, or the proxy once it fails elsewhere too', () => {
    const { refuses, responds } = world();
    expect(refuses('a', 'shop')).toBe('route');
    expect(refuses('a', 'news')).toBe('proxy');
    responds('a', 'mail');
    expect(refuses('a', 'shop')).toBe('route');
  });

  it('E4 a proxy that dies after 200 responses is convicted within three failures', () => {
    const { responds, fails } = world();
    for (let i = 0; i < 200; i++) {
      responds('good', 'shop');
      responds('dying', 'shop');
    }
    const verdicts = Array.from({ length: 6 }, () => {
      responds('good', 'shop');
      return fails('dying', 'shop');
    });
    expect(verdicts.indexOf('proxy')).toBeLessThan(3);
    expect(verdicts.slice(3)).toEqual(Array(3).fill('proxy'));
  });

  it('E4 an origin that fails half of the requests of all convicts no proxy that does no worse', () => {
    const { responds, fails } = world();
    const verdicts: string[] = [];
    for (let i = 0; i < 40; i++) {
      for (const name of ['a', 'b', 'c']) {
        responds(name, 'shop');
        verdicts.push(fails(name, 'shop'));
      }
    }
    expect(new Set(verdicts.slice(9))).toEqual(new Set(['target']));
  });

  it('E4 evidence is over after 60 s', () => {
    const { responds, fails, wait } = world();
    responds('good', 'shop');
    responds('a', 'news');
    wait(58_000);
    expect(fails('a', 'shop')).toBe('route');
    wait(60_001);
    expect(fails('a', 'shop')).toBe('unknown');
  });

  it('G3 whether an origin responds to other proxies is known from their last attempts, within 60 s', () => {
    const { responds, fails, wait, evidence, proxy, origin } = world();
    let at = 1_000_000;
    const toOthersThan = (name: string) =>
      evidence.respondsToOthers(proxy(name), origin('shop'), at);
    responds('a', 'shop');
    at += 1000;
    expect([toOthersThan('a'), toOthersThan('b')]).toEqual([false, true]);
    fails('a', 'shop');
    at += 1000;
    expect(toOthersThan('b')).toBe(false);
    responds('a', 'shop');
    wait(60_000);
    at += 61_000;
    expect(toOthersThan('b')).toBe(true);
    at += 1;
    expect(toOthersThan('b')).toBe(false);
  });

  it('E4 counts fade by half in 30 s and never exceed eight outcomes', () => {
    const { responds, fails, proxy, wait } = world();
    for (let i = 0; i < 500; i++) responds('a', 'shop');
    const [pair] = proxy('a').pairs;
    expect(pair?.responses).toBeLessThan(8);
    const before = pair?.responses ?? 0;
    wait(29_000);
    fails('a', 'shop');
    expect(pair?.responses).toBeCloseTo((before / 2) * (7 / 8), 10);
    expect(pair?.failures).toBe(1);
  });

  it('E4 a proxy that left the pool leaves nothing behind', () => {
    const { responds, fails, proxy, origin, evidence } = world();
    for (const name of ['shop', 'news', 'mail']) responds('a', name);
    fails('a', 'bank');
    fails('b', 'bank');
    evidence.forgetProxy(proxy('a'));
    expect(proxy('a').pairs).toEqual([]);
    expect(evidence.size).toBe(1);
    for (const name of ['shop', 'news', 'mail', 'bank']) {
      const { live, witnesses, latest, earlier } = origin(name);
      expect([live, witnesses, latest, earlier]).toEqual([[], [], undefined, undefined]);
    }
  });

  it('E4 attempts that end after their proxy has left the pool are judged, and leave nothing behind either', () => {
    const { responds, fails, refuses, breaks, proxy, origin, evidence } = world();
    responds('good', 'shop');
    evidence.forgetProxy(proxy('gone'));
    responds('gone', 'news');
    expect(fails('gone', 'shop')).toBe('proxy');
    expect(refuses('gone', 'mail')).toBe('route');
    breaks('gone');
    expect(proxy('gone').pairs).toEqual([]);
    expect(evidence.size).toBe(1);
    expect(origin('shop').live).toEqual(proxy('good').pairs);
    for (const name of ['news', 'mail']) {
      const { live, witnesses, latest, earlier } = origin(name);
      expect([live, witnesses, latest, earlier]).toEqual([[], [], undefined, undefined]);
    }
    // The origin did respond.
    expect(origin('news').okAt).toBeGreaterThan(0);
  });

  it('E4 memory is bounded: 32,768 pairs, 16 of one proxy, 8 of each kind at one origin', () => {
    const evidence = new Evidence();
    const origins = Array.from({ length: 40 }, () => new OriginEvidence());
    const proxies = Array.from({ length: 3000 }, () => new ProxyEvidence());
    const random = seededRandom(7);
    let at = 0;
    for (let i = 0; i < 120_000; i++) {
      const proxy = proxies[Math.floor(random() * proxies.length)] as ProxyEvidence;
      const origin = origins[Math.floor(random() * origins.length)] as OriginEvidence;
      const kind = random();
      at += kind;
      if (kind < 0.6) evidence.responded(proxy, origin, at);
      else if (kind < 0.9) evidence.failed(proxy, origin, at);
      else if (kind < 0.95) evidence.refused(proxy, origin, at);
      else evidence.proxyFailed(proxy, at);
    }
    expect(evidence.size).toBeLessThanOrEqual(32_768);
    expect(evidence.size).toBeGreaterThan(30_000);
    expect(proxies.reduce((sum, { pairs }) => sum + pairs.length, 0)).toBe(evidence.size);
    expect(Math.max(...proxies.map(({ pairs }) => pairs.length))).toBe(16);
    for (const { live, witnesses } of origins) {
      expect(live).toHaveLength(8);
      expect(witnesses.length).toBeLessThanOrEqual(8);
    }
  });

  it('E4 whatever happens, counts are finite, lists are consistent and a verdict is one of four', () => {
    for (let seed = 1; seed <= 30; seed++) {
      const random = seededRandom(seed);
      const evidence = new Evidence();
      const proxies = Array.from(
        { length: 1 + Math.floor(random() * 12) },
        () => new ProxyEvidence(),
      );
      const origins = Array.from(
        { length: 1 + Math.floor(random() * 20) },
        () => new OriginEvidence(),
      );
      let at = 1e12;
      for (let i = 0; i < 1500; i++) {
        // The clock stands still, jumps, and steps back now and then.
        at += random() < 0.3 ? 0 : random() < 0.02 ? -5000 : random() ** 8 * 200_000;
        const place = Math.floor(random() * proxies.length);
        const proxy = proxies[place] as ProxyEvidence;
        const origin = origins[Math.floor(random() * origins.length)] as OriginEvidence;
        const what = random();
        if (what < 0.45) evidence.responded(proxy, origin, at);
        else if (what < 0.85) {
          const verdict = evidence.failed(proxy, origin, at);
          expect(['proxy', 'route', 'target', 'unknown']).toContain(verdict);
        } else if (what < 0.9)
          expect(['proxy', 'route']).toContain(evidence.refused(proxy, origin, at));
        else if (what < 0.97) evidence.proxyFailed(proxy, at);
        else if (what < 0.99) {
          evidence.forgetProxy(proxy);
          // Another one joins, or its last attempts go on.
          if (random() < 0.9) proxies[place] = new ProxyEvidence();
        } else evidence.forgetOrigin(origin);
      }
      let pairs = 0;
      for (const proxy of proxies) {
        pairs += proxy.pairs.length;
        expect(new Set(proxy.pairs.map(({ origin }) => origin)).size).toBe(proxy.pairs.length);
        for (const pair of proxy.pairs) {
          expect(pair.responses).toBeGreaterThanOrEqual(0);
          expect(pair.failures).toBeGreaterThanOrEqual(0);
          expect(pair.responses + pair.failures).toBeLessThanOrEqual(8);
          expect(pair.live).toBe(pair.origin.live.includes(pair));
          expect(pair.witness).toBe(pair.origin.witnesses.includes(pair));
          expect(pair.live && pair.witness).toBe(false);
        }
      }
      expect(evidence.size).toBe(pairs);
    }
  });
});
