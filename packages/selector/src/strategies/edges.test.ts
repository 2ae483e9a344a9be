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
    [{ maxSession: 1 }, 'the options of sticky() has no option maxSession; known are maxSessions,'],
    [{ maxSessions: 0.5 }, 'maxSessions must be'],
    [{ idleMs: 0 }, 'idleMs must be finite and at least 1, got 0'],
    [{ whenFull: 'wait' }, "whenFull must be 'elsewhere' or 'queue', got wait"],
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
});
