import { createVirtualClock, seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import {
  leastUsed,
  performance,
  random,
  roundRobin,
  Selector,
  sticky,
  weighted,
  type CandidateOptions,
  type StickyOptions,
  type Strategy,
} from '../index.ts';

function pool(strategy: Strategy, ...candidates: CandidateOptions[]) {
  const clock = createVirtualClock(1_700_000_000_000);
  const selector = new Selector({ strategy, now: clock.now, random: seededRandom(5) });
  for (const each of candidates) selector.add(each);
  return { clock, selector };
}

const picks = (selector: Selector, count: number) =>
  Array.from({ length: count }, () => selector.select()?.id);

const strategies = [leastUsed, performance, random, roundRobin, weighted];

describe.each(strategies)('S2 an empty pool under %s', (make) => {
  it('S2 has no pick, has one when a candidate joins, and none when it has left', () => {
    const { selector } = pool(make());
    expect(selector.select()).toBeUndefined();
    selector.add({ id: 'a' });
    expect(selector.select()).toEqual({ id: 'a', reused: false });
    selector.circuitChanged({ name: 'a', to: 'forced_open' });
    expect(selector.select()).toBeUndefined();
    selector.circuitChanged({ name: 'a', to: 'closed' });
    expect(selector.select()?.id).toBe('a');
    selector.remove('a');
    expect(selector.select()).toBeUndefined();
  });
});

describe('S4 roundRobin()', () => {
  it('S4 an id that left and joined again is a newcomer: it waits for one round', () => {
    const ids = Array.from('abcd', (id) => ({ id }));
    const { selector } = pool(roundRobin(), ...ids);
    const round = picks(selector, 4) as [string, string, string, string];
    selector.remove(round[0]);
    selector.add({ id: round[0] });
    expect(picks(selector, 8)).toEqual([...round.slice(1), round[0], ...round.slice(1), round[0]]);
  });

  it('S4 one that comes back keeps its turn, before those that are later and after those that are earlier', () => {
    const ids = Array.from('abcd', (id) => ({ id }));
    const { selector } = pool(roundRobin(), ...ids);
    const [first, second, third, fourth] = picks(selector, 4) as [string, string, string, string];
    selector.circuitChanged({ name: second, to: 'forced_open' });
    expect(picks(selector, 2)).toEqual([first, third]);
    selector.circuitChanged({ name: second, to: 'closed' });
    expect(picks(selector, 3)).toEqual([second, fourth, first]);
  });

  it('S4 the only one that came back is picked while all others are away', () => {
    const { selector } = pool(roundRobin(), { id: 'a' }, { id: 'b' });
    picks(selector, 2);
    for (const name of 'ab') selector.circuitChanged({ name, to: 'forced_open' });
    expect(selector.select()).toBeUndefined();
    selector.circuitChanged({ name: 'b', to: 'closed' });
    expect(picks(selector, 3)).toEqual(['b', 'b', 'b']);
  });
});

describe('S4 roundRobin() when one is away for long', () => {
  const ids = Array.from('abcdefghijklmnopqrst', (id) => ({ id }));
  const away = (selector: Selector, name: string) =>
    selector.circuitChanged({ name, to: 'forced_open' });
  const back = (selector: Selector, name: string) =>
    selector.circuitChanged({ name, to: 'closed' });

  it('S4 it finds its place again, after those whose turn is earlier, wherever that is', () => {
    const { selector } = pool(roundRobin(), ...ids);
    const round = picks(selector, 20) as string[];
    for (const id of round) {
      away(selector, id);
      back(selector, id);
    }
    expect(picks(selector, 40)).toEqual([...round, ...round]);
  });

  it('S4 whichever it is, each has its turn in the order of the round before', () => {
    for (let i = 0; i < ids.length; i++) {
      const { selector } = pool(roundRobin(), ...ids);
      const round = picks(selector, 20) as string[];
      away(selector, round[i]!);
      back(selector, round[i]!);
      expect(picks(selector, 20), round[i]).toEqual(round);
    }
  });

  it('S4 it is picked while all that stayed are away, and they without it', () => {
    const { selector } = pool(roundRobin(), ...ids);
    const [first, ...others] = picks(selector, 20) as [string, ...string[]];
    away(selector, first);
    for (const id of others) away(selector, id);
    back(selector, others[0]!);
    picks(selector, 10);
    for (const id of others.slice(1)) back(selector, id);
    back(selector, first);
    expect(selector.select({ exclude: others })).toEqual({ id: first, reused: false });
    const rest = Array.from({ length: 19 }, () => selector.select({ exclude: [first] })?.id);
    expect(rest).toEqual([...others.slice(1), others[0]]);
  });

  it('S4 a newcomer that was away before its first turn keeps that turn', () => {
    const { selector } = pool(roundRobin(), { id: 'old' });
    picks(selector, 1);
    for (const id of 'abc') selector.add({ id });
    away(selector, 'a');
    back(selector, 'a');
    expect(picks(selector, 8)).toEqual(['old', 'a', 'b', 'c', 'old', 'a', 'b', 'c']);
  });
});

/** A strategy, and how often it has asked whether a candidate may be picked. */
function counted(inner: Strategy) {
  const asked = { times: 0 };
  const strategy: Strategy = {
    name: 'counted',
    attach(among) {
      const has = among.has.bind(among);
      among.has = (slot) => (asked.times++, has(slot));
      inner.attach?.(among);
    },
    pick: (among, ask) => inner.pick(among, ask),
  };
  return { strategy, asked };
}

it.each([
  ['roundRobin', roundRobin],
  ['leastUsed', leastUsed],
] as const)('S9 picks that find none leave nothing behind: %s', (_, make) => {
  const { strategy, asked } = counted(make());
  const { selector } = pool(strategy, { id: 'a' });
  selector.circuitChanged({ name: 'a', to: 'forced_open' });
  for (let i = 0; i < 50; i++) expect(selector.select()).toBeUndefined();
  selector.circuitChanged({ name: 'a', to: 'closed' });
  asked.times = 0;
  expect(selector.select()?.id).toBe('a');
  expect(asked.times).toBeLessThanOrEqual(3);
});

describe('S4 leastUsed()', () => {
  it('S4 a newcomer starts at the least that the available ones have now, not before the last pick', () => {
    const { selector } = pool(leastUsed(), { id: 'a' }, { id: 'b' });
    const round = picks(selector, 4).slice(2);
    selector.add({ id: 'new' });
    expect(picks(selector, 6)).toEqual([...round, 'new', ...round, 'new']);
  });
});

describe('S4 performance()', () => {
  const away = (selector: Selector, name: string) =>
    selector.circuitChanged({ name, to: 'forced_open' });
  const back = (selector: Selector, name: string) =>
    selector.circuitChanged({ name, to: 'closed' });
  const record = (selector: Selector, id: string, latencyMs: number, count = 1) => {
    for (let i = 0; i < count; i++) selector.record({ id, outcome: 'success', latencyMs });
  };

  it('S9 those that are away cost a pick nothing', () => {
    const { strategy, asked } = counted(performance());
    const ids = Array.from({ length: 50 }, (_, i) => `${i}`);
    const { selector } = pool(strategy, ...ids.map((id) => ({ id })));
    selector.select();
    for (const id of ids.slice(1)) away(selector, id);
    asked.times = 0;
    expect(selector.select()?.id).toBe('0');
    expect(asked.times).toBeLessThanOrEqual(2);
  });

  it.each([undefined, 'eu'])(
    'S4 ties stay random after a pick that found none, region %s',
    (region) => {
      const { selector } = pool(performance(), ...Array.from('abc', (id) => ({ id })));
      selector.select({ region });
      for (const name of 'abc') away(selector, name);
      expect(selector.select({ region })).toBeUndefined();
      for (const name of 'abc') back(selector, name);
      const drawn = Array.from({ length: 300 }, () => selector.select({ region })?.id);
      for (const id of 'abc') {
        // 100 ± 5 σ.
        expect(drawn.filter((each) => each === id).length, id).toBeGreaterThan(60);
        expect(drawn.filter((each) => each === id).length, id).toBeLessThan(140);
      }
    },
  );

  it('S1 in a small pool a new largest latency counts at once', () => {
    const { clock, selector } = pool(performance(), ...Array.from('abc', (id) => ({ id })));
    record(selector, 'a', 100);
    record(selector, 'b', 50, 19);
    selector.record({ id: 'b', outcome: 'failure', latencyMs: 1 });
    clock.advance(5000);
    // 0.665 + 0.3 · 0.5 against 0.7 + 0, of 100 ms.
    expect(selector.select()?.id).toBe('b');
    record(selector, 'c', 1000);
    clock.advance(1);
    // 0.665 + 0.3 · 0.95 against 0.7 + 0.3 · 0.9, of 1,000 ms.
    expect(selector.select()?.id).toBe('a');
  });

  it('S1 at a score of 0 the region still decides', () => {
    const { selector } = pool(performance(), { id: 'far' }, { id: 'near', region: 'eu' });
    for (const id of ['far', 'near']) {
      record(selector, id, 100);
      for (let i = 0; i < 100; i++) selector.record({ id, outcome: 'failure', latencyMs: 1 });
      expect(selector.stats(id).score).toBe(0);
    }
    const inEurope = Array.from({ length: 40 }, () => selector.select({ region: 'eu' })?.id);
    expect(new Set(inEurope)).toEqual(new Set(['near']));
  });

  it('S4 a region is worth a tenth: it wins among equals, wherever they stand, and not against what is better', () => {
    const { selector } = pool(performance(), { id: 'far' }, { id: 'near', region: 'eu' });
    const inEurope = () => Array.from({ length: 20 }, () => selector.select({ region: 'eu' })?.id);
    expect(new Set(inEurope())).toEqual(new Set(['near']));
    for (let i = 0; i < 10; i++) selector.record({ id: 'near', outcome: 'failure', latencyMs: 5 });
    expect(new Set(inEurope())).toEqual(new Set(['far']));
  });
});

describe('S4 weighted() by its draws', () => {
  /** A selector whose second pick draws these numbers, and how many that has drawn. */
  function drawing(numbers: readonly number[], ...weights: number[]) {
    let given = [0];
    let drawn = 0;
    const random = () => given[drawn++ % given.length]!;
    const selector = new Selector({ strategy: weighted(), random });
    weights.forEach((weight, i) => selector.add({ id: `${i}`, weight }));
    selector.select();
    given = [...numbers];
    drawn = 0;
    return { pick: () => selector.select()?.id, drawn: () => drawn };
  }

  it('S4 a draw at the end of a class is the first of the next', () => {
    expect(drawing([0.5, 0], 1, 1, 2).pick()).toBe('2');
  });

  it('S4 a draw is taken below its weight, not at it', () => {
    const { pick, drawn } = drawing([0, 0.75, 0.5, 0], 1.5, 1.5);
    expect([pick(), drawn()]).toEqual(['1', 4]);
  });

  it('S4 nothing is drawn where there is nothing to draw', () => {
    const { pick, drawn } = drawing([0.5], 0, 0);
    expect([pick(), drawn()]).toEqual([undefined, 0]);
  });

  it('S4 a random that refuses for ever is asked for 64 draws, then the last candidate stands', () => {
    const { pick, drawn } = drawing([0, 0.99], 1.2, 1.2);
    expect([pick(), drawn()]).toEqual(['0', 128]);
  });
});

describe('S4 weighted()', () => {
  it.each([
    [[1, 3], 0.75],
    [[3, 1], 0.25],
    [[1, 1000], 1000 / 1001],
    [[0.5, 8], 8 / 8.5],
  ])('S4 weights %j, in this order of joining, are kept', (weights, share) => {
    const { selector } = pool(weighted(), ...weights.map((weight, i) => ({ id: `${i}`, weight })));
    const second = picks(selector, 20_000).filter((id) => id === '1').length;
    expect(Math.abs(second / 20_000 - share)).toBeLessThan(0.015);
  });

  it('S4 weight 0 is never picked, alone neither, and may leave', () => {
    const { selector } = pool(weighted(), { id: 'none', weight: 0 });
    expect(selector.select()).toBeUndefined();
    selector.add({ id: 'some', weight: 0.001 });
    expect(new Set(picks(selector, 100))).toEqual(new Set(['some']));
    selector.remove('none');
    expect(selector.select()?.id).toBe('some');
    selector.remove('some');
    expect(selector.select()).toBeUndefined();
  });
});

describe('S5 sticky()', () => {
  const session = (selector: Selector) => selector.select({ sessionId: 's' })?.id;

  it.each([
    [{ maxSession: 1 }, 'unknown option "maxSession": did you mean "maxSessions"?'],
    [{ maxSessions: 0.5 }, 'maxSessions must be an integer ≥ 1, got 0.5'],
    [{ idleMs: 0 }, 'idleMs must be a number ≥ 1, got 0'],
    [{ whenFull: 'wait' }, 'whenFull must be "elsewhere" or "queue", got "wait"'],
  ])('S5 %j is refused by name', (options, message) => {
    expect(() => sticky(random(), options as never)).toThrow(message);
    expect(sticky(random()).name).toBe('sticky(random)');
  });

  it('S5 a session that found no candidate gets one when it joins, and another when that is gone', () => {
    const { selector } = pool(sticky(roundRobin()));
    expect(session(selector)).toBeUndefined();
    selector.add({ id: 'a' });
    expect(session(selector)).toBe('a');
    selector.remove('a');
    expect(session(selector)).toBeUndefined();
    selector.add({ id: 'b' });
    selector.add({ id: 'c' });
    const next = session(selector);
    expect([next, session(selector), session(selector)]).toEqual([next, next, next]);
  });

  it('S5 a session whose candidate is away with all others waits for the first that is back', () => {
    const { selector } = pool(sticky(roundRobin()), { id: 'a' }, { id: 'b' });
    const kept = session(selector)!;
    const other = kept === 'a' ? 'b' : 'a';
    for (const name of 'ab') selector.circuitChanged({ name, to: 'forced_open' });
    expect(session(selector)).toBeUndefined();
    selector.circuitChanged({ name: other, to: 'closed' });
    expect(session(selector)).toBe(other);
    selector.circuitChanged({ name: kept, to: 'closed' });
    expect(session(selector)).toBe(other);
  });

  it('S5 two failures in a row of the only candidate change nothing', () => {
    const { selector } = pool(sticky(roundRobin()), { id: 'a' });
    session(selector);
    for (let i = 0; i < 2; i++) selector.record({ id: 'a', outcome: 'failure', latencyMs: 1 });
    expect(session(selector)).toBe('a');
  });

  /** A session whose candidate is `b`, beside `a`, which joined before it. */
  function onB(options?: StickyOptions, maxConcurrent?: number) {
    const both = ['a', 'b'].map((id) => ({ id, maxConcurrent, tags: ['fast'] }));
    const { selector } = pool(sticky(roundRobin(), options), ...both);
    selector.circuitChanged({ name: 'a', to: 'forced_open' });
    expect(session(selector)).toBe('b');
    selector.circuitChanged({ name: 'a', to: 'closed' });
    return selector;
  }

  it('S5 two failures move the session to the other candidate, for good', () => {
    const selector = onB();
    for (let i = 0; i < 2; i++) selector.record({ id: 'b', outcome: 'failure', latencyMs: 1 });
    expect([session(selector), session(selector)]).toEqual(['a', 'a']);
  });

  it('S5 a candidate that is away loses the session to the other one, for good', () => {
    const selector = onB();
    selector.circuitChanged({ name: 'b', to: 'forced_open' });
    expect(session(selector)).toBe('a');
    selector.circuitChanged({ name: 'b', to: 'closed' });
    expect(session(selector)).toBe('a');
  });

  it('S5 a target that avoids its candidate moves the session, for good', () => {
    const selector = onB();
    const target = 't.example:443';
    for (let i = 0; i < 5; i++) {
      selector.record({ id: 'b', outcome: 'failure', latencyMs: 1, target, blame: 'route' });
      selector.record({ id: 'b', outcome: 'success', latencyMs: 1 });
    }
    expect(selector.select({ sessionId: 's', target })?.id).toBe('a');
    expect(session(selector)).toBe('a');
  });

  it('S5 a session queues for its full candidate if that has the tags asked for, else it goes elsewhere', () => {
    const selector = onB({ whenFull: 'queue' }, 1);
    selector.started('b');
    expect(selector.select({ sessionId: 's', tags: ['fast'] })).toBeUndefined();
    selector.update({ id: 'b', maxConcurrent: 1, tags: ['slow'] });
    expect(selector.select({ sessionId: 's', tags: ['fast'] })?.id).toBe('a');
  });
});
