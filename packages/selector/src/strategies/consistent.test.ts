import { createVirtualClock, seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { consistent, geo, roundRobin, Selector, type ConsistentOptions } from '../index.ts';
import type { CandidateOptions } from '../index.ts';
import { hashOf, keyOf, pointOf } from './session-hash.ts';

const ids = Array.from({ length: 20 }, (_, i) => `proxy-${i}`);
const sessions = Array.from({ length: 10_000 }, (_, i) => `session-${i}`);

function selectorOf(
  of: readonly (string | CandidateOptions)[] = ids,
  options: ConsistentOptions = {},
  seed = 1,
) {
  const clock = createVirtualClock(1_800_000_000_000);
  const selector = new Selector({
    strategy: consistent(roundRobin(), options),
    now: clock.now,
    random: seededRandom(seed),
  });
  for (const each of of) selector.add(typeof each === 'string' ? { id: each } : each);
  const at = (sessionId: string, ask = {}) => selector.select({ sessionId, ...ask })?.id;
  const all = () => sessions.map((session) => at(session));
  const circuit = (name: string, to: 'open' | 'closed') => {
    selector.circuitChanged({
      name,
      to,
      nextTestAt: to === 'open' ? clock.now() + 1e6 : undefined,
    });
  };
  return { clock, selector, at, all, circuit };
}

describe('consistent(), where sessions live', () => {
  it('D30 two selectors with the same candidates agree, in whatever order these came', () => {
    const one = selectorOf();
    const two = selectorOf(ids.toReversed(), {}, 2);
    two.selector.add({ id: 'more' });
    two.selector.remove('more');
    expect(two.all()).toEqual(one.all());
  });

  it('D30 a session stays, whatever else is picked', () => {
    const { selector, all } = selectorOf();
    const before = all();
    for (let i = 0; i < 100; i++) selector.select();
    expect(all()).toEqual(before);
  });

  it('D30 a candidate that joins takes its share and no other session moves; leaving it gives that back', () => {
    const { selector, all } = selectorOf();
    const before = all();
    selector.add({ id: 'newcomer' });
    const after = all();
    const moved = after.filter((id, i) => id !== before[i]);
    expect(new Set(moved)).toEqual(new Set(['newcomer']));
    expect(moved.length).toBeGreaterThan(200);
    expect(moved.length).toBeLessThan(800);
    selector.remove('newcomer');
    expect(all()).toEqual(before);
  });

  it('no candidate has many more sessions than its share', () => {
    const counts = new Map<string | undefined, number>();
    for (const id of selectorOf().all()) counts.set(id, (counts.get(id) ?? 0) + 1);
    expect(counts.size).toBe(20);
    expect(Math.max(...counts.values())).toBeLessThan(1.25 * 500);
  });

  it('D30 a session lives at the candidate that is nearest behind one of 21 points', () => {
    const { at } = selectorOf();
    for (const session of sessions.slice(0, 2000)) {
      let [home, least] = ['', Infinity];
      for (let i = 0; i < 21; i++) {
        for (const id of ids) {
          const away = (hashOf(id, 0) - pointOf(keyOf(session), i)) >>> 0;
          if (away < least) [home, least] = [id, away];
        }
      }
      expect(at(session), session).toBe(home);
    }
  });

  it('D30 candidates that were there before the first session leave no trace', () => {
    const { selector, all } = selectorOf([...ids, 'gone']);
    selector.remove('gone');
    expect(all()).toEqual(selectorOf().all());
    selector.remove('proxy-3');
    const left = ids.filter((id) => id !== 'proxy-3');
    expect(all()).toEqual(selectorOf(left).all());
    expect(selector.sessionMoves()).toEqual([]);
  });

  it('D30 one that is away at the first session is home to its own', () => {
    const before = selectorOf().all();
    const { all, circuit } = selectorOf();
    circuit('proxy-7', 'open');
    const during = all();
    circuit('proxy-7', 'closed');
    expect(all()).toEqual(during);
    expect(during.filter((_, i) => before[i] !== 'proxy-7')).toEqual(
      before.filter((id) => id !== 'proxy-7'),
    );
  });

  it('without a session the inner strategy picks', () => {
    const { selector } = selectorOf(['a', 'b', 'c']);
    const turns = Array.from({ length: 6 }, () => selector.select()?.id);
    expect(turns.slice(3)).toEqual(turns.slice(0, 3));
    expect(new Set(turns).size).toBe(3);
  });

  it('filters have a ring of their own', () => {
    const { at, selector } = selectorOf(ids.map((id, i) => ({ id, region: i < 5 ? 'eu' : 'us' })));
    const near = () =>
      sessions.slice(0, 500).map((each) => at(each, { strictRegion: true, region: 'eu' }));
    const before = near();
    expect(new Set(before)).toEqual(new Set(ids.slice(0, 5)));
    for (const id of ids.slice(5)) selector.remove(id);
    expect(near()).toEqual(before);
    // One that is described as elsewhere gives up its own, and no other session moves.
    selector.update({ id: 'proxy-2', region: 'us' });
    const after = near();
    expect(after).not.toContain('proxy-2');
    expect(after.filter((_, i) => before[i] !== 'proxy-2')).toEqual(
      before.filter((id) => id !== 'proxy-2'),
    );
    expect(selector.sessionMoves()).toEqual([]);
  });
});

describe('consistent(), a candidate that cannot be used', () => {
  it('D30 moves its own sessions alone, and they stay moved when it is back', () => {
    const { all, circuit, selector } = selectorOf();
    const before = all();
    circuit('proxy-7', 'open');
    const during = all();
    expect(during).not.toContain('proxy-7');
    expect(during.filter((_, i) => before[i] !== 'proxy-7')).toEqual(
      before.filter((id) => id !== 'proxy-7'),
    );
    circuit('proxy-7', 'closed');
    expect(all()).toEqual(during);
    const own = before.filter((id) => id === 'proxy-7').length;
    expect(selector.sessionMoves(10_000)).toHaveLength(own);
    expect(selector.sessionMoves()).toEqual([]);
  });

  it('a retry that excludes it goes elsewhere, and moves nothing', () => {
    const { at, selector } = selectorOf();
    const home = at('s') as string;
    const other = at('s', { exclude: [home] });
    expect(other).not.toBe(home);
    // Every process makes the second try in the same place.
    expect(selectorOf(ids.toReversed(), {}, 3).at('s', { exclude: [home] })).toBe(other);
    expect(at('s')).toBe(home);
    expect(selector.sessionMoves()).toEqual([]);
  });

  it.each([
    ['elsewhere' as const, 'another'],
    ['queue' as const, 'none'],
  ])('that is full: whenFull %s gives %s, and the session keeps it', (whenFull, gives) => {
    const { at, selector } = selectorOf(
      ids.map((id) => ({ id, maxConcurrent: 1 })),
      { whenFull },
    );
    const home = at('s') as string;
    selector.started(home);
    const other = at('s');
    expect(other === undefined ? 'none' : other === home ? 'the same' : 'another').toBe(gives);
    selector.settled(home);
    expect(at('s')).toBe(home);
    expect(selector.sessionMoves()).toEqual([]);
  });

  it('that its target avoids: the session moves', () => {
    const { at, selector, clock } = selectorOf();
    const home = at('s') as string;
    selector.banTarget(home, 'http://x.example', clock.now() + 1e6);
    expect(at('s')).toBe(home);
    const other = at('s', { target: 'http://x.example' });
    expect(other).not.toBe(home);
    expect(at('s')).toBe(other);
    expect(selector.sessionMoves()).toMatchObject([{ id: other, from: undefined }]);
  });

  it('when all are avoided, it stays', () => {
    const { at, selector, clock } = selectorOf(['a', 'b', 'c']);
    const home = at('s');
    for (const id of ['a', 'b', 'c']) selector.avoid(id, clock.now() + 1e6);
    expect(at('s')).toBe(home);
    expect(selector.sessionMoves()).toEqual([]);
  });

  it('that is away, where the target avoids all others: one of these is picked', () => {
    const { at, circuit, selector, clock } = selectorOf(['a', 'b', 'c']);
    const home = at('s') as string;
    circuit(home, 'open');
    const others = ['a', 'b', 'c'].filter((id) => id !== home);
    for (const id of others) selector.banTarget(id, 'http://x.example', clock.now() + 1e6);
    expect(others).toContain(at('s', { target: 'http://x.example' }));
  });

  it('when none is left there is no pick', () => {
    const { at, circuit, selector } = selectorOf(['a']);
    circuit('a', 'open');
    expect(at('s')).toBeUndefined();
    expect(selector.sessionMoves()).toEqual([]);
    circuit('a', 'closed');
    expect(at('s')).toBe('a');
    expect(selectorOf([]).at('s')).toBeUndefined();
  });

  it('a moved session that is unused for idleMs goes home', () => {
    const { at, circuit, clock } = selectorOf(ids, { idleMs: 1000 });
    const home = at('s') as string;
    circuit(home, 'open');
    const other = at('s');
    circuit(home, 'closed');
    clock.advance(999);
    expect(at('s')).toBe(other);
    clock.advance(1000);
    expect(at('s')).toBe(home);
  });

  it('of more than maxSessions moved ones the least recently used goes home', () => {
    const { at, circuit, selector } = selectorOf(['a', 'b'], { maxSessions: 2 });
    const mine = sessions.filter((each) => at(each) === 'a').slice(0, 3);
    circuit('a', 'open');
    for (const each of mine) at(each);
    circuit('a', 'closed');
    expect(mine.map((each) => at(each))).toEqual(['a', 'b', 'b']);
    expect(selector.sessionMoves()).toHaveLength(2);
  });
});

describe('consistent(), between processes', () => {
  it('D30 what one reports the other takes over; what is older it does not', () => {
    const one = selectorOf();
    const two = selectorOf();
    const home = one.at('s') as string;
    one.circuit(home, 'open');
    const other = one.at('s') as string;
    const [move] = one.selector.sessionMoves();
    expect(move).toMatchObject({ id: other, from: undefined, keepMs: 600_000 });
    // No other process learns the name of the session.
    expect(move!.session).toMatch(/^[0-9a-z]{6,11}$/);
    two.selector.moveSession(move!, two.clock.now());
    expect(two.at('s')).toBe(other);
    expect(two.selector.sessionMoves()).toEqual([]);
    two.clock.advance(10);
    two.circuit(other, 'open');
    const third = two.at('s');
    two.selector.moveSession(move!, two.clock.now() - 10);
    expect(two.at('s')).toBe(third);
    expect(two.selector.sessionMoves()).toMatchObject([{ id: third, from: other }]);
  });

  /** A session that has moved from `home`, and whose move is told. */
  function moved() {
    const here = selectorOf();
    const home = here.at('s') as string;
    here.circuit(home, 'open');
    const to = here.at('s') as string;
    here.circuit(home, 'closed');
    const [move] = here.selector.sessionMoves();
    return { ...here, home, to, move: move! };
  }

  it('D30 the later of two moves stands, and of the same instant the one that is heard', () => {
    const { at, clock, move, to, selector } = moved();
    const elsewhere = ids.find((id) => id !== to)!;
    const heard = (ms: number) => {
      selector.moveSession({ session: move.session, id: elsewhere }, clock.now() + ms);
      return at('s');
    };
    expect([heard(-1), heard(0)]).toEqual([to, elsewhere]);
    selector.moveSession(move, clock.now() + 1);
    expect(at('s')).toBe(to);
  });

  it('D30 what moves twice before it is told has moved from where others know it', () => {
    const { at, circuit, to, selector } = moved();
    circuit(to, 'open');
    const second = at('s') as string;
    circuit(second, 'open');
    const third = at('s');
    expect(selector.sessionMoves()).toMatchObject([{ id: third, from: to }]);
  });

  it('D30 as many moves are told as are asked for, the others later', () => {
    const { all, circuit, selector } = selectorOf();
    all();
    circuit('proxy-7', 'open');
    all();
    const first = selector.sessionMoves(2);
    const rest = selector.sessionMoves(10_000);
    expect(first).toHaveLength(2);
    expect(new Set([...first, ...rest].map(({ session }) => session)).size).toBe(rest.length + 2);
  });

  it('a session is known by its hash alone, as it is written', () => {
    const { at, clock, home, move, selector } = moved();
    const other = move.session.replace(/[a-z]/, (letter) => letter.toUpperCase());
    expect(other).not.toBe(move.session);
    selector.moveSession({ session: other, id: home }, clock.now() + 1);
    expect(at('s')).toBe(move.id);
  });

  it('what is in use is sent again before the others forget it', () => {
    const { at, circuit, clock, selector } = selectorOf(ids, { idleMs: 1000 });
    circuit(at('s') as string, 'open');
    const other = at('s');
    expect(selector.sessionMoves()).toHaveLength(1);
    clock.advance(499);
    at('s');
    expect(selector.sessionMoves()).toEqual([]);
    clock.advance(1);
    at('s');
    expect(selector.sessionMoves()).toMatchObject([{ id: other, from: undefined }]);
  });

  it('unknown candidates and what is no session are ignored; other strategies keep none', () => {
    const { selector, at, clock } = selectorOf();
    const home = at('s');
    selector.moveSession({ session: 'zz', id: 'gone' }, clock.now());
    selector.moveSession({ session: '!', id: 'proxy-1' }, clock.now());
    expect(at('s')).toBe(home);
    const plain = new Selector({ strategy: roundRobin() });
    plain.add({ id: 'a' });
    plain.moveSession({ session: 'zz', id: 'a' }, 1);
    expect(plain.sessionMoves()).toEqual([]);
    expect(() => plain.sessionMoves(0)).toThrow(/^max must be .*, got 0$/);
  });

  it('strategies around it pass on what moved', () => {
    const selector = new Selector({ strategy: geo(consistent(roundRobin())) });
    for (const id of ids) selector.add({ id });
    const home = selector.select({ sessionId: 's' })!.id;
    selector.circuitChanged({ name: home, to: 'open', nextTestAt: Date.now() + 1e6 });
    selector.select({ sessionId: 's' });
    const [move] = selector.sessionMoves();
    selector.moveSession({ ...move!, id: home }, Date.now() + 1000);
    selector.circuitChanged({ name: home, to: 'closed', nextTestAt: undefined });
    expect(selector.select({ sessionId: 's' })?.id).toBe(home);
  });
});

it('says the name of the strategy inside of it', () => {
  expect(consistent(roundRobin()).name).toBe('consistent(roundRobin)');
});

it.each([
  [{ points: 0 }, 'points must be an integer from 1 to 1000, got 0'],
  [{ point: 1 }, 'unknown option "point": did you mean "points"?'],
  [{ whenFull: 'wait' }, 'whenFull must be "elsewhere" or "queue", got "wait"'],
])('refuses %j', (options, message) => {
  expect(() => consistent(roundRobin(), options as ConsistentOptions)).toThrow(message);
});
