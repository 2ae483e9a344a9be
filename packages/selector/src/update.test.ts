import { createVirtualClock, seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import {
  adaptive,
  byCost,
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
  type Candidates,
  type Strategy,
} from './index.ts';

const strategies: readonly (() => Strategy)[] = [
  roundRobin,
  random,
  weighted,
  leastUsed,
  performance,
  adaptive,
  () => sticky(roundRobin()),
  () => geo(leastUsed()),
  () => costAware(roundRobin()),
  () => composite([byTags('home')], leastUsed()),
];

function pool(strategy: Strategy, ...candidates: CandidateOptions[]) {
  const clock = createVirtualClock(1_000_000);
  const selector = new Selector({ strategy, now: clock.now, random: seededRandom(5) });
  for (const each of candidates) selector.add(each);
  return { clock, selector };
}

function times<Result>(count: number, call: (i: number) => Result): Result[] {
  return Array.from({ length: count }, (_, i) => call(i));
}

function counts(picks: readonly (string | undefined)[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const id of picks) found[id ?? 'none'] = (found[id ?? 'none'] ?? 0) + 1;
  return found;
}

const home = { tags: ['home'] } as const;
const names = strategies.map((create) => [create().name, create] as const);

describe.each(names)('update() under %s', (_, create) => {
  it('F17 loses nothing learned: outcomes, latency, attempts in flight', () => {
    const { selector } = pool(create(), { id: 'a', ...home }, { id: 'b', ...home });
    for (const outcome of ['success', 'success', 'failure'] as const) {
      selector.record({ id: 'a', outcome, latencyMs: 200 });
    }
    selector.started('a');
    const before = selector.stats('a');
    selector.update({ id: 'a', region: 'eu', weight: 2, cost: 0, tags: ['home', 'new'] });
    expect(selector.stats('a')).toEqual(before);
    selector.settled('a');
    expect(selector.stats('a')).toEqual({ ...before, inFlight: 0 });
  });

  it('F17 an open circuit, a ban and a full candidate stay out, until they are due', () => {
    const { clock, selector } = pool(create(), { id: 'a', ...home });
    const update = (maxConcurrent?: number) => {
      selector.update({ id: 'a', ...home, weight: 2, region: 'eu', maxConcurrent });
      return selector.select()?.id;
    };
    selector.circuitChanged({ name: 'a', to: 'open', nextTestAt: clock.now() + 1000 });
    expect(update()).toBeUndefined();
    clock.advance(1000);
    expect(selector.availableCount).toBe(1);
    // The offer of a circuit that is to be tested is made once.
    expect(update()).toBe('a');
    expect(update()).toBeUndefined();
    selector.circuitChanged({ name: 'a', to: 'closed' });
    selector.ban('a', clock.now() + 1000);
    expect(update()).toBeUndefined();
    clock.advance(1000);
    selector.started('a');
    expect(update(1)).toBeUndefined();
    expect(update(2)).toBe('a');
    selector.started('a');
    expect(update()).toBe('a');
    expect(update(1)).toBeUndefined();
    selector.settled('a');
    selector.settled('a');
    expect(selector.select()?.id).toBe('a');
  });

  it('F17 the tags that are asked for are the new ones', () => {
    const { selector } = pool(create(), { id: 'a', ...home }, { id: 'b', ...home });
    const fast = () => selector.select({ tags: ['fast'] })?.id;
    expect(fast()).toBeUndefined();
    selector.update({ id: 'a', tags: ['home', 'fast'] });
    expect(fast()).toBe('a');
    selector.update({ id: 'a', ...home });
    expect(fast()).toBeUndefined();
    expect(counts(times(40, () => selector.select()?.id))).not.toHaveProperty('none');
  });
});

describe('update()', () => {
  it.each(names.filter(([name]) => !/weighted|costAware/.test(name)))(
    'S4 under %s an update that changes nothing changes no pick',
    (_, create) => {
      const run = (updated: boolean) => {
        const candidates = times(8, (i) => ({ id: `${i}`, ...home }));
        const { clock, selector } = pool(create(), ...candidates);
        const chance = seededRandom(9);
        return times(400, (i) => {
          clock.advance(20);
          const exclude = chance() < 0.3 ? [`${i % 8}`] : [];
          const id = selector.select({ exclude, sessionId: `${i % 5}` })?.id ?? '';
          const outcome = chance() < 0.8 ? 'success' : 'failure';
          selector.record({ id, outcome, latencyMs: 50 + 10 * Number(id) });
          if (updated) for (const each of candidates) if (chance() < 0.5) selector.update(each);
          if (!updated) times(8, () => chance());
          return id;
        });
      };
      expect(run(true)).toEqual(run(false));
    },
  );

  it('S4 leastUsed: one that is updated after every pick gets no more picks than the others', () => {
    const { selector } = pool(leastUsed(), { id: 'a' }, { id: 'b' }, { id: 'c' });
    const picked = times(30, (i) => {
      const id = selector.select()?.id;
      selector.update({ id: 'a', weight: i });
      return id;
    });
    expect(counts(picked)).toEqual({ a: 10, b: 10, c: 10 });
  });

  it('S4 weighted: the share follows the new weight; 0 never', () => {
    const { selector } = pool(weighted(), { id: 'a', weight: 3 }, { id: 'b' });
    selector.select();
    selector.update({ id: 'b', weight: 9 });
    const found = counts(times(40_000, () => selector.select()?.id));
    expect(found['b']).toBeGreaterThan(29_600);
    expect(found['b']).toBeLessThan(30_400);
    selector.update({ id: 'b', weight: 0 });
    expect(counts(times(50, () => selector.select()?.id))).toEqual({ a: 50 });
    // What is not given is the default.
    selector.update({ id: 'a', weight: 0 });
    selector.update({ id: 'b' });
    expect(counts(times(50, () => selector.select()?.id))).toEqual({ b: 50 });
  });

  it('S6 geo: it is found in its new region, and no more in the old one', () => {
    const none = { fallback: 'none' } as const;
    const { selector } = pool(geo(leastUsed(), none), { id: 'a', region: 'eu' }, { id: 'b' });
    const at = (region: string) => selector.select({ region })?.id;
    expect([at('eu'), at('us')]).toEqual(['a', undefined]);
    selector.update({ id: 'a', region: 'us' });
    expect([at('eu'), at('us')]).toEqual([undefined, 'a']);
    selector.update({ id: 'a' });
    expect([at('eu'), at('us')]).toEqual([undefined, undefined]);
  });

  it('S6 costAware and byCost follow the new cost', () => {
    const candidates = [
      { id: 'a', cost: 1 },
      { id: 'b', cost: 2 },
      { id: 'c', cost: 2 },
    ] as const;
    const cheapest = pool(costAware(roundRobin()), ...candidates).selector;
    const picks = (selector: Selector) => counts(times(6, () => selector.select()?.id));
    expect(picks(cheapest)).toEqual({ a: 6 });
    cheapest.update({ id: 'a', cost: 2 });
    expect(picks(cheapest)).toEqual({ a: 2, b: 2, c: 2 });
    cheapest.update({ id: 'c', cost: 1 });
    expect(picks(cheapest)).toEqual({ c: 6 });
    const affordable = pool(composite([byCost(1)], roundRobin()), ...candidates).selector;
    expect(picks(affordable)).toEqual({ a: 6 });
    affordable.update({ id: 'a', cost: 3 });
    affordable.update({ id: 'b', cost: 1 });
    expect(picks(affordable)).toEqual({ b: 6 });
  });

  it('sticky: a session stays with a candidate that is updated', () => {
    const { selector } = pool(sticky(roundRobin()), { id: 'a' }, { id: 'b' }, { id: 'c' });
    const at = () => selector.select({ sessionId: 's' })?.id;
    const id = at() ?? '';
    selector.update({ id, region: 'eu', tags: ['x'] });
    expect(times(5, at)).toEqual([id, id, id, id, id]);
  });

  it('an index without changed() gets left() with what was, and entered() with what is', () => {
    const heard: string[] = [];
    const create = (among: Candidates) => ({
      entered: (slot: number) => void heard.push(`+${among.weight(slot)}`),
      left: (slot: number) => void heard.push(`-${among.weight(slot)}`),
    });
    const strategy: Strategy = {
      name: 'mine',
      pick: (among) => (among.index(strategy, create), among.any()),
    };
    const { selector } = pool(strategy, { id: 'a', weight: 1 });
    selector.select();
    selector.update({ id: 'a', weight: 2 });
    selector.circuitChanged({ name: 'a', to: 'forced_open' });
    selector.update({ id: 'a', weight: 3 });
    selector.circuitChanged({ name: 'a', to: 'closed' });
    expect(heard).toEqual(['+1', '-1', '+2', '-2', '+3']);
  });

  it('bad options and unknown ids are refused, and nothing is changed', () => {
    const { selector } = pool(geo(random(), { fallback: 'none' }), { id: 'a', region: 'eu' });
    for (const [options, message] of [
      [{ id: 'b' }, /unknown id "b"/],
      [{ id: '' }, /id must be a string of at least one character/],
      [{ id: 'a', weight: 1e16 }, /weight of "a" must be a number from 0 to 1000000000000000/],
      [{ id: 'a', cost: -1 }, /cost of "a"/],
      [{ id: 'a', maxConcurrent: 0 }, /maxConcurrent of "a"/],
      [{ id: 'a', tags: 'x' }, /tags of "a" must be an array/],
      [{ id: 'a', where: 'us' }, /unknown option "candidate.where"; known are id, region/],
      [undefined, /candidate must be an object/],
    ] as const) {
      expect(() => selector.update(options as never)).toThrow(message);
    }
    expect(selector.select({ region: 'eu' })?.id).toBe('a');
    expect(selector.size).toBe(1);
  });
});
