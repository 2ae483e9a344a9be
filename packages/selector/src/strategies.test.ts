import { createVirtualClock, seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import {
  byCost,
  byRegion,
  byTags,
  composite,
  costAware,
  geo,
  leastUsed,
  performance,
  random,
  roundRobin,
  Selector,
  sticky,
  weighted,
  type CandidateOptions,
  type Strategy,
} from './index.ts';

function pool(strategy: Strategy, ...candidates: (CandidateOptions | string)[]) {
  const clock = createVirtualClock(1_000_000);
  const selector = new Selector({ strategy, now: clock.now, random: seededRandom(3) });
  for (const each of candidates) selector.add(typeof each === 'string' ? { id: each } : each);
  return { clock, selector };
}

function times<Result>(count: number, call: (i: number) => Result): Result[] {
  return Array.from({ length: count }, (_, i) => call(i));
}

function counts(selector: Selector, picks: number): Map<string, number> {
  const found = new Map<string, number>();
  for (let i = 0; i < picks; i++) {
    const { id = '' } = selector.select() ?? {};
    found.set(id, (found.get(id) ?? 0) + 1);
  }
  return found;
}

function record(selector: Selector, id: string, successes: number, latencyMs: number) {
  for (let i = 0; i < 100; i++) {
    selector.record({ id, outcome: i < successes ? 'success' : 'failure', latencyMs });
  }
}

describe('performance()', () => {
  it('S1 an unused candidate scores 0.65, and the formula is the documented one', () => {
    const { selector } = pool(performance(), 'new', 'good', { id: 'slow', region: 'eu' });
    expect(selector.stats('new').score).toBeCloseTo(0.65, 12);
    record(selector, 'good', 95, 500);
    record(selector, 'slow', 90, 2000);
    expect(selector.stats('good').score).toBeCloseTo(0.7 * 0.95 + 0.3 * (1 - 500 / 2000), 12);
    expect(selector.stats('slow').score).toBeCloseTo(0.7 * 0.9, 12);
    expect(selector.stats('slow', { region: 'eu' }).score).toBeCloseTo(0.7 * 0.9 * 1.1, 12);
    expect(selector.stats('good', { region: 'eu' }).score).toBe(selector.stats('good').score);
    expect(selector.stats('new').score).toBeCloseTo(0.65, 12);
  });

  it('S1 only the last 100 outcomes and the last 100 successes count', () => {
    const { selector } = pool(performance(), 'a', 'b');
    record(selector, 'a', 0, 10);
    record(selector, 'a', 100, 300);
    record(selector, 'a', 100, 400);
    selector.record({ id: 'b', outcome: 'success', latencyMs: 800 });
    expect(selector.stats('a')).toMatchObject({ successRate: 1, avgLatencyMs: 400, samples: 100 });
    expect(selector.stats('a').score).toBeCloseTo(0.7 + 0.3 * 0.5, 12);
  });

  it('S1 a region match counts uncapped, and is shown as at most 1', () => {
    const near = { id: 'near', region: 'eu' };
    const { selector } = pool(performance(), near, { id: 'nearer', region: 'eu' }, 'far');
    record(selector, 'far', 100, 1000);
    record(selector, 'near', 98, 100);
    record(selector, 'nearer', 100, 100);
    expect(selector.stats('nearer', { region: 'eu' }).score).toBe(1);
    expect(selector.stats('near', { region: 'eu' }).score).toBe(1);
    expect(new Set(times(30, () => selector.select({ region: 'eu' })?.id))).toEqual(
      new Set(['nearer']),
    );
  });

  it('S1 ties are broken at random, among a thousand equals too', () => {
    const { selector } = pool(performance(), ...times(1000, String));
    const found = [...counts(selector, 10_000).values()];
    // Poisson of mean 10: all but e^-10 of them are met, and 30 is beyond any of a thousand.
    expect(found.length).toBeGreaterThan(990);
    expect(Math.max(...found)).toBeLessThan(30);
  });

  it('S3 95 % beats 60 %; 0.5 s beats 2 s; a region match wins over 5 points of success', () => {
    const rates = pool(performance(), 'a', 'b').selector;
    record(rates, 'a', 60, 100);
    record(rates, 'b', 95, 100);
    expect(counts(rates, 20)).toEqual(new Map([['b', 20]]));
    const speeds = pool(performance(), 'slow', 'fast').selector;
    record(speeds, 'slow', 90, 2000);
    record(speeds, 'fast', 90, 500);
    expect(counts(speeds, 20)).toEqual(new Map([['fast', 20]]));
    const regions = pool(performance(), { id: 'eu', region: 'eu' }, 'us').selector;
    record(regions, 'eu', 90, 500);
    record(regions, 'us', 95, 500);
    expect(regions.select({ region: 'eu' })?.id).toBe('eu');
    expect(regions.select()?.id).toBe('us');
  });

  it('S9 in a large pool the maximum may be 1 s old, not older', () => {
    const { clock, selector } = pool(performance(), ...times(100, String));
    selector.select();
    record(selector, '0', 100, 1000);
    record(selector, '1', 95, 100);
    clock.advance(999);
    expect(selector.select()?.id).toBe('0');
    clock.advance(1);
    expect(selector.select()?.id).toBe('1');
  });
});

describe('roundRobin()', () => {
  it('S4 each of N once in N picks', () => {
    const { selector } = pool(roundRobin(), ...Array.from('abcde'));
    for (let i = 0; i < 20; i++) expect(counts(selector, 5).size).toBe(5);
  });

  it('S4 no skips and no doubles beyond one while candidates come and go', () => {
    const { clock, selector } = pool(roundRobin(), ...times(10, String));
    const chance = seededRandom(11);
    const lastPicked = new Map<string, number>();
    for (let i = 0; i < 5000; i++) {
      clock.advance(1);
      const id = `${Math.floor(chance() * 12)}`;
      if (chance() < 0.05 && id >= '5') {
        if (selector.has(id)) selector.remove(id);
        else selector.add({ id });
      }
      if (chance() < 0.05 && id >= '5') {
        selector.circuitChanged({ name: id, to: chance() < 0.5 ? 'forced_open' : 'closed' });
      }
      const picked = selector.select()?.id ?? '';
      // Those five never leave: they wait at most for the twelve and for each one that came back.
      if (picked < '5' && lastPicked.has(picked)) {
        const gap = i - (lastPicked.get(picked) ?? 0);
        expect(gap).toBeGreaterThanOrEqual(5);
        expect(gap).toBeLessThanOrEqual(13);
      }
      lastPicked.set(picked, i);
    }
  });
});

describe('random()', () => {
  it('S4 is uniform: χ² p > 0.001', () => {
    const { selector } = pool(random(), ...Array.from('abcdefghij'));
    let chi = 0;
    for (const count of counts(selector, 10_000).values()) chi += (count - 1000) ** 2 / 1000;
    expect(chi).toBeLessThan(27.88); // 9 degrees of freedom
    expect(chi).toBeGreaterThan(0);
  });
});

describe('weighted()', () => {
  it('S4 3:1 gives 75 % ± 1 of 40,000; weight 0 never, not even reused', () => {
    const none = { id: 'none', weight: 0 };
    const { selector } = pool(weighted(), { id: 'a', weight: 3 }, { id: 'b', weight: 1 }, none);
    const found = counts(selector, 40_000);
    expect(found.get('a')).toBeGreaterThan(29_600);
    expect(found.get('a')).toBeLessThan(30_400);
    expect(found.has('none')).toBe(false);
    selector.remove('a');
    selector.remove('b');
    expect(selector.select()).toBeUndefined();
    expect(selector.select({ exclude: ['none'] })).toBeUndefined();
  });
});

describe('weighted() with a random that repeats itself', () => {
  it.each([0, 0.5, 0.9, 1 - 2 ** -53])('S4 ends with a pick when random is always %d', (chance) => {
    const selector = new Selector({ strategy: weighted(), random: () => chance });
    for (const weight of [3, 5, 0.7]) selector.add({ id: `${weight}`, weight });
    expect(selector.select()).toBeDefined();
  });
});

describe('leastUsed()', () => {
  it('S4 counts differ by at most 1; a newcomer starts at the least', () => {
    const { selector } = pool(leastUsed(), ...Array.from('abc'));
    const picks = new Map(Array.from('abc', (id) => [id, 0]));
    for (let i = 0; i < 100; i++) {
      const { id = '' } = selector.select() ?? {};
      picks.set(id, (picks.get(id) ?? NaN) + 1);
      expect(Math.max(...picks.values()) - Math.min(...picks.values())).toBeLessThanOrEqual(1);
    }
    selector.add({ id: 'new' });
    const found = counts(selector, 41);
    expect(found.get('new')).toBeGreaterThanOrEqual(10);
    expect(found.get('new')).toBeLessThanOrEqual(12);
  });
});

describe('sticky()', () => {
  const session = (selector: Selector, sessionId: string) => selector.select({ sessionId })?.id;

  it('S5 the same session keeps its candidate while it is available; only its sessions move', () => {
    const { selector } = pool(sticky(roundRobin()), ...Array.from('abc'));
    const before = times(30, (i) => session(selector, `s${i}`));
    expect(new Set(before).size).toBe(3);
    expect(times(30, (i) => session(selector, `s${i}`))).toEqual(before);
    selector.circuitChanged({ name: 'a', to: 'forced_open' });
    const after = times(30, (i) => session(selector, `s${i}`));
    expect(after).not.toContain('a');
    before.forEach((id, i) => {
      if (id !== 'a') expect(after[i]).toBe(id);
    });
    selector.circuitChanged({ name: 'a', to: 'closed' });
    expect(times(30, (i) => session(selector, `s${i}`))).toEqual(after);
  });

  it('S5 a retry that excludes it goes elsewhere without moving the session', () => {
    const { selector } = pool(sticky(roundRobin()), ...Array.from('abc'));
    const id = session(selector, 's') ?? '';
    expect(selector.select({ sessionId: 's', exclude: [id] })?.id).not.toBe(id);
    expect(session(selector, 's')).toBe(id);
  });

  it('S5 a slot that is used again does not inherit sessions', () => {
    const { selector } = pool(sticky(roundRobin()), ...Array.from('ab'));
    expect(session(selector, 's')).toBe('a');
    selector.remove('a');
    selector.add({ id: 'c' });
    expect(session(selector, 's')).toBe('b');
  });

  it('S5 sessions are bounded, the least recently used goes; idle ones expire', () => {
    const strategy = sticky(roundRobin(), { maxSessions: 2, idleMs: 1000 });
    const { clock, selector } = pool(strategy, ...Array.from('abcdefgh'));
    const first = session(selector, '1');
    const second = session(selector, '2');
    expect(session(selector, '1')).toBe(first);
    session(selector, '3');
    expect(session(selector, '1')).toBe(first);
    expect(session(selector, '2')).not.toBe(second);
    clock.advance(999);
    expect(session(selector, '1')).toBe(first);
    clock.advance(1000);
    expect(session(selector, '1')).not.toBe(first);
  });
});

describe('geo(), costAware(), composite()', () => {
  const world = [
    { id: 'eu1', region: 'eu', cost: 2, tags: ['home'] },
    { id: 'eu2', region: 'eu', cost: 2 },
    { id: 'us', region: 'us', cost: 1, tags: ['home'] },
    { id: 'jp', region: 'jp', cost: 5 },
  ];
  const ids = (selector: Selector, ask: Parameters<Selector['select']>[0]) =>
    new Set(times(40, () => selector.select(ask)?.id));

  it('S6 geo: the region, then any candidate', () => {
    const { selector } = pool(geo(roundRobin()), ...world);
    expect(ids(selector, { region: 'eu' })).toEqual(new Set(['eu1', 'eu2']));
    expect(ids(selector, { region: 'eu', exclude: ['eu1'] })).toEqual(new Set(['eu2']));
    selector.circuitChanged({ name: 'eu1', to: 'forced_open' });
    selector.circuitChanged({ name: 'eu2', to: 'forced_open' });
    expect(ids(selector, { region: 'eu' })).toEqual(new Set(['us', 'jp']));
    expect(ids(selector, {})).toEqual(new Set(['us', 'jp']));
  });

  it("S6 geo with fallback 'none': none; a retry there may use one again", () => {
    const { selector } = pool(geo(roundRobin(), { fallback: 'none' }), ...world);
    expect(selector.select({ region: 'mars' })).toBeUndefined();
    expect(selector.select({ region: 'us', exclude: ['us'] })).toEqual({ id: 'us', reused: true });
    expect(() => geo(random(), { fallback: 'some' as never })).toThrow(
      /fallback must be "any" or "none", got "some"/,
    );
  });

  it('S6 costAware: the cheapest acceptable first, equals by the inner strategy', () => {
    const { clock, selector } = pool(costAware(roundRobin()), ...world);
    expect(ids(selector, {})).toEqual(new Set(['us']));
    for (let i = 0; i < 20; i++) {
      for (const id of ['eu1', 'eu2', 'jp']) {
        selector.record({ id, outcome: 'success', latencyMs: 100 });
      }
      selector.record({ id: 'us', outcome: 'failure', latencyMs: 100 });
    }
    expect(ids(selector, {})).toEqual(new Set(['eu1', 'eu2']));
    expect(ids(selector, { exclude: ['eu1', 'eu2'] })).toEqual(new Set(['jp']));
    clock.advance(1_200_000);
    expect(ids(selector, {})).toEqual(new Set(['us']));
  });

  it('S6 composite: filters, then a strategy', () => {
    const strategy = composite([byRegion(), byTags('home'), byCost(2)], leastUsed());
    const { selector } = pool(strategy, ...world);
    expect(ids(selector, {})).toEqual(new Set(['eu1', 'us']));
    expect(ids(selector, { region: 'eu' })).toEqual(new Set(['eu1']));
    expect(selector.select({ region: 'jp' })).toBeUndefined();
    expect(selector.stats('us').score).toBeGreaterThan(0);
  });
});
