import { createVirtualClock, seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { leastUsed, roundRobin, Selector, type Strategy } from './index.ts';

function pool(strategy: Strategy, ids: Iterable<string>, seed = 3) {
  const clock = createVirtualClock(1_000_000);
  const selector = new Selector({ strategy, now: clock.now, random: seededRandom(seed) });
  for (const id of ids) selector.add({ id });
  const next = (count = 1) => {
    let picked = '';
    for (let i = 0; i < count; i++) picked += selector.select()?.id ?? '-';
    return picked;
  };
  const leave = (ids: string) => {
    for (const name of ids) selector.circuitChanged({ name, to: 'forced_open' });
  };
  const comeBack = (ids: string) => {
    for (const name of ids) selector.circuitChanged({ name, to: 'closed' });
  };
  return { clock, selector, next, leave, comeBack };
}

const sorted = (text: string) =>
  Array.from(text)
    .sort((a, b) => (a < b ? -1 : 1))
    .join('');
const countOf = (text: string, id: string) => text.split(id).length - 1;

describe.each([roundRobin, leastUsed])('%o', (create) => {
  it('S4 fresh processes do not all begin with the same candidate; the same seed does', () => {
    const first = (seed: number) => pool(create(), 'abcdefgh', seed).next();
    const firsts = Array.from({ length: 200 }, (_, seed) => first(seed));
    expect(new Set(firsts).size).toBe(8);
    for (const id of 'abcdefgh') expect(countOf(firsts.join(''), id)).toBeLessThan(50);
    expect(Array.from({ length: 200 }, (_, seed) => first(seed))).toEqual(firsts);
  });

  it('S4 each once in each round', () => {
    const { next } = pool(create(), 'abcdefgh');
    const round = next(8);
    expect(sorted(round)).toBe('abcdefgh');
    expect([next(8), next(8)]).toEqual([round, round]);
  });

  it('S4 a filter that is asked for first begins with the least recently picked', () => {
    const { selector, next } = pool(create(), '');
    for (const id of 'abcde') selector.add({ id, tags: ['x', `${id < 'd'}`] });
    const round = next(5);
    next(2);
    const order = round.slice(2) + round.slice(0, 2);
    const tagged = (tag: string, count: number) =>
      Array.from({ length: count }, () => selector.select({ tags: [tag] })?.id).join('');
    expect(tagged('x', 5)).toBe(order);
    // After those picks the order is the same; of these three only.
    expect(tagged('true', 3)).toBe(
      Array.from(order)
        .filter((id) => id < 'd')
        .join(''),
    );
  });

  it('S4 more filters in turn than are kept go on where the pool stands', () => {
    const { selector } = pool(create(), '');
    const tags = Array.from({ length: 300 }, (_, i) => `t${i}`);
    for (const id of 'abcde') selector.add({ id, tags });
    let picked = '';
    for (let i = 0; i < 3000; i++) picked += selector.select({ tags: [`t${i % 300}`] })?.id;
    for (const id of 'abcde') expect(countOf(picked, id)).toBe(600);
  });

  it('S4 use() goes on with the least recently picked', () => {
    const { selector, next } = pool(create(), 'abcde');
    const round = next(5);
    next(2);
    selector.use(create());
    expect(next(5)).toBe(round.slice(2) + round.slice(0, 2));
  });

  it('S4 a slot that is used again passes no turns on to its next candidate', () => {
    for (const isAway of [false, true]) {
      const { selector, next, leave } = pool(create(), 'abcd');
      next(40);
      if (isAway) leave('a');
      next(30);
      selector.remove('a');
      selector.add({ id: 'z' });
      const picked = next(40);
      for (const id of 'bcdz') expect(countOf(picked, id)).toBe(10);
    }
  });

  it('S4 a candidate that is excluded from some picks is not forgotten', () => {
    const { selector, next } = pool(create(), 'abcd');
    const others = new Set<string>();
    for (let i = 0; i < 9; i++) others.add(selector.select({ exclude: ['a'] })?.id ?? '-');
    expect(sorted([...others].join(''))).toBe('bcd');
    expect(next()).toBe('a');
  });
});

describe('roundRobin()', () => {
  it('S4 those that come back take their turns in order, each one, however long they were away', () => {
    const { next, leave, comeBack } = pool(roundRobin(), 'abcdefghijklmnopqrst');
    const round = next(20);
    const three = [2, 5, 7].map((i) => round[i]).join('');
    leave(three);
    expect(countOf(next(1700), round[0] as string)).toBe(100);
    comeBack(Array.from(three).reverse().join(''));
    expect(next(3)).toBe(three);
    const rest = next(17);
    expect(sorted(rest + three)).toBe('abcdefghijklmnopqrst');
    expect(next(20)).toBe(three + rest);
  });

  it('S4 one that is back before its turn loses nothing and gains nothing', () => {
    const { next, leave, comeBack } = pool(roundRobin(), 'abcdefghijklmnopqrst');
    const round = next(20);
    leave(round.slice(5));
    comeBack(round.slice(5));
    expect(next(20)).toBe(round);
    // Away again while it waits for the turn that it missed.
    leave(round[0] as string);
    next(10);
    comeBack(round[0] as string);
    leave(round[0] as string);
    expect(next(1)).toBe(round[11]);
    comeBack(round[0] as string);
    expect(next(2)).toBe(`${round[0]}${round[12]}`);
  });
});

describe('leastUsed()', () => {
  it('S4 counts differ by at most 1 while all are full, banned or open at times', () => {
    const { clock, selector } = pool(leastUsed(), '');
    for (const id of 'abcdefgh') selector.add({ id, maxConcurrent: 2 });
    const chance = seededRandom(21);
    const counts = new Map(Array.from('abcdefgh', (id) => [id, 0]));
    const running: string[] = [];
    // Counting begins with the first pick.
    counts.set(selector.select()?.id ?? '', 1);
    const settle = () => {
      for (const id of running.splice(0)) selector.settled(id);
    };
    for (let round = 0; round < 300; round++) {
      const id = 'abcdefgh'[Math.floor(chance() * 8)] as string;
      if (chance() < 0.3) selector.ban(id, clock.now() + 5);
      else if (chance() < 0.5) selector.circuitChanged({ name: id, to: 'forced_open' });
      for (let i = 0; i < 8; i++) {
        const picked = selector.select()?.id ?? '';
        selector.started(picked);
        running.push(picked);
        counts.set(picked, (counts.get(picked) ?? 0) + 1);
      }
      clock.advance(5);
      settle();
      selector.circuitChanged({ name: id, to: 'closed' });
      // All are here again: those that were away are the next ones, until they have caught up.
      for (let i = 0; i < 16; i++) {
        const picked = selector.select()?.id ?? '';
        counts.set(picked, (counts.get(picked) ?? 0) + 1);
        selector.started(picked);
        selector.settled(picked);
      }
      expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThanOrEqual(1);
    }
  });

  it('S4 one that comes back keeps its count; only a newcomer starts at the least', () => {
    const { selector, next, leave, comeBack } = pool(leastUsed(), 'abcd');
    next(40);
    leave('a');
    next(30);
    comeBack('a');
    expect(next(10)).toBe('aaaaaaaaaa');
    expect(sorted(next(4))).toBe('abcd');
    selector.add({ id: 'e' });
    expect(sorted(next(5))).toBe('abcde');
    // A newcomer that finds none starts where the last pick was.
    leave('abcde');
    selector.add({ id: 'f' });
    comeBack('abcde');
    expect(sorted(next(6))).toBe('abcdef');
    expect(sorted(next(6))).toBe('abcdef');
  });
});
