import { createVirtualClock, seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import {
  leastUsed,
  random,
  roundRobin,
  Selector,
  sticky,
  type StickyOptions,
  type Strategy,
} from '../index.ts';
import type { AttemptOutcome } from '../selector-options.ts';

function pool(options: StickyOptions = {}, maxConcurrent?: number, inner = roundRobin()) {
  const clock = createVirtualClock(1_000_000);
  const strategy = sticky(inner, options);
  const selector = new Selector({ strategy, now: clock.now, random: seededRandom(3) });
  for (const id of 'abc') selector.add({ id, maxConcurrent });
  const at = (sessionId: string, target?: string) => selector.select({ sessionId, target })?.id;
  const record = (id: string, fields: Partial<AttemptOutcome> = {}) =>
    selector.record({ id, outcome: 'failure', latencyMs: 10, ...fields });
  return { clock, selector, at, record };
}

describe('sticky(), a candidate that fails', () => {
  it.each(['proxy', 'route'] as const)(
    'F22 a session moves after two failures in a row with blame %s, once',
    (blame) => {
      const { at, record } = pool();
      const first = at('s') ?? '';
      record(first, { blame });
      expect(at('s')).toBe(first);
      record(first, { blame });
      const second = at('s') ?? '';
      expect(second).not.toBe(first);
      expect([at('s'), at('s')]).toEqual([second, second]);
    },
  );

  it('F22 proxy and route count in one row; a success breaks it', () => {
    const { at, record } = pool();
    const first = at('s') ?? '';
    record(first, { blame: 'route' });
    record(first, { outcome: 'success' });
    record(first);
    expect(at('s')).toBe(first);
    record(first, { blame: 'route' });
    expect(at('s')).not.toBe(first);
  });

  it.each(['target', 'unknown', 'caller'] as const)(
    'F22 a target that is down moves no session: blame %s does not count',
    (blame) => {
      const { at, record } = pool();
      const before = ['1', '2', '3'].map((session) => at(session));
      for (const id of 'abc') for (let i = 0; i < 10; i++) record(id, { blame });
      expect(['1', '2', '3'].map((session) => at(session))).toEqual(before);
    },
  );

  it('F22 failures from before the session got its candidate do not count', () => {
    const { selector, at, record } = pool();
    for (const id of 'abc') for (let i = 0; i < 7; i++) record(id);
    const first = at('s') ?? '';
    expect(at('s')).toBe(first);
    record(first);
    expect(at('s')).toBe(first);
    record(first);
    expect(at('s')).not.toBe(first);
    // The row from before is over with a success.
    const moved = at('s') ?? '';
    record(moved, { outcome: 'success' });
    record(moved);
    expect(at('s')).toBe(moved);
    record(moved);
    expect(at('s')).not.toBe(moved);
    expect(selector.size).toBe(3);
  });

  it('F22 without another candidate a session stays', () => {
    const { selector, at, record } = pool();
    const first = at('s') ?? '';
    for (const id of 'abc') if (id !== first) selector.remove(id);
    for (let i = 0; i < 5; i++) record(first);
    expect([at('s'), at('s')]).toEqual([first, first]);
  });
});

describe('sticky(), a candidate that the target avoids', () => {
  it('S15 a session moves, and stays with its new candidate', () => {
    const { clock, selector, at } = pool();
    const first = at('s', 'A') ?? '';
    selector.banTarget(first, 'A', clock.now() + 60_000);
    const second = at('s', 'A') ?? '';
    expect(second).not.toBe(first);
    expect([at('s', 'A'), at('s', 'B'), at('s')]).toEqual([second, second, second]);
  });

  it('S15 a new session does not begin with a candidate that its target avoids', () => {
    for (let i = 0; i < 6; i++) {
      const { clock, selector, at } = pool();
      for (const id of 'ab') selector.banTarget(id, 'A', clock.now() + 60_000);
      for (let j = 0; j < i; j++) selector.select();
      expect([at('s', 'A'), at('s', 'A'), at('s')]).toEqual(['c', 'c', 'c']);
    }
  });

  it('S15 a target that avoids all of them moves none of many sessions', () => {
    const { clock, selector, at } = pool({}, undefined, random());
    const sessions = Array.from({ length: 20 }, (_, i) => `s${i}`);
    const before = sessions.map((session) => at(session, 'A'));
    for (const id of 'abc') selector.banTarget(id, 'A', clock.now() + 60_000);
    expect(sessions.map((session) => at(session, 'A'))).toEqual(before);
    expect(sessions.map((session) => at(session))).toEqual(before);
  });

  it('S15 a session that moves for another reason goes where the inner strategy picks', () => {
    const last: Strategy = {
      name: 'last',
      pick: (among) => [4, 3, 2, 1, 0].find((slot) => among.has(slot)) ?? -1,
    };
    const { clock, selector, at } = pool({}, undefined, last);
    for (const id of 'de') selector.add({ id });
    expect(at('s')).toBe('e');
    selector.circuitChanged({ name: 'e', to: 'forced_open' });
    selector.banTarget('d', 'A', clock.now() + 60_000);
    expect([at('s', 'A'), at('s')]).toEqual(['c', 'c']);
  });

  it('S15 a session moves wherever the turn of the inner strategy stands', () => {
    for (let turns = 0; turns < 3; turns++) {
      const { clock, selector, at } = pool();
      const first = at('s') ?? '';
      for (let i = 0; i < turns; i++) selector.select();
      selector.banTarget(first, 'A', clock.now() + 60_000);
      const second = at('s', 'A');
      expect([second === first, at('s'), at('s')]).toEqual([false, second, second]);
    }
  });

  it('S15 a target that avoids all of them moves no session', () => {
    const { clock, selector, at } = pool();
    const first = at('s', 'A');
    for (const id of 'abc') selector.banTarget(id, 'A', clock.now() + 60_000);
    expect([at('s', 'A'), at('s', 'A'), at('s', 'A')]).toEqual([first, first, first]);
  });
});

describe('sticky(), a candidate that is away', () => {
  it('S5 sessions whose candidates are away with all others find them again', () => {
    const { selector, at } = pool({}, undefined, random());
    const sessions = Array.from({ length: 20 }, (_, i) => `s${i}`);
    const before = sessions.map((session) => at(session));
    for (const name of 'abc') selector.circuitChanged({ name, to: 'forced_open' });
    expect(sessions.map((session) => at(session))).toEqual(sessions.map(() => undefined));
    for (const name of 'abc') selector.circuitChanged({ name, to: 'closed' });
    expect(sessions.map((session) => at(session))).toEqual(before);
  });

  it('S5 a session that finds no candidate takes no place of another', () => {
    const { selector } = pool({ maxSessions: 1 }, undefined, random());
    const own = selector.select({ sessionId: 's' })?.id;
    for (let i = 0; i < 10; i++) {
      expect(selector.select({ sessionId: 'none', tags: ['home'] })).toBeUndefined();
      expect(selector.select({ sessionId: 's' })?.id).toBe(own);
    }
  });
});

describe('sticky(), a candidate that is full', () => {
  it("S5 'elsewhere', the default: another for that request, the session keeps its own", () => {
    const { selector, at } = pool({}, 1);
    const own = at('s') ?? '';
    selector.started(own);
    const other = at('s');
    expect(other).not.toBe(own);
    expect(other).toBeDefined();
    selector.settled(own);
    expect(at('s')).toBe(own);
  });

  it("S5 'queue': none until it has room; other sessions are served", () => {
    const { selector, at } = pool({ whenFull: 'queue' }, 1);
    const own = at('s') ?? '';
    selector.started(own);
    expect([at('s'), at('s')]).toEqual([undefined, undefined]);
    expect(at('t')).toBeDefined();
    expect(selector.select()).toBeDefined();
    selector.settled(own);
    expect(at('s')).toBe(own);
  });

  it.each(['elsewhere', 'queue'] as const)(
    'S5 %s: full is not gone, but open, banned and removed are',
    (whenFull) => {
      for (const leave of [
        (selector: Selector, name: string) => selector.circuitChanged({ name, to: 'forced_open' }),
        (selector: Selector, id: string) => selector.ban(id, 1e12),
        (selector: Selector, id: string) => selector.remove(id),
      ]) {
        const { selector, at } = pool({ whenFull }, 1, leastUsed());
        const own = at('s') ?? '';
        selector.started(own);
        leave(selector, own);
        const next = at('s');
        expect(next).toBeDefined();
        expect(next).not.toBe(own);
        selector.settled(own);
        expect(at('s')).toBe(next);
      }
    },
  );

  it("S5 'queue' does not wait for a candidate that the tags rule out", () => {
    const { selector, at } = pool({ whenFull: 'queue' }, 1);
    selector.add({ id: 'd', tags: ['home'] });
    const own = at('s') ?? '';
    selector.started(own);
    expect(selector.select({ sessionId: 's', tags: ['home'] })?.id).toBe('d');
  });

  it('S5 a bad whenFull is refused, naming the value', () => {
    expect(() => sticky(roundRobin(), { whenFull: 'wait' as never })).toThrow(
      /whenFull must be "elsewhere" or "queue", got "wait"/,
    );
  });
});
