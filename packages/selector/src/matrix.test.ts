import { createVirtualClock, seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import {
  adaptive,
  byTags,
  composite,
  consistent,
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
  type SelectContext,
  type Strategy,
} from './index.ts';

/** Equal candidates, a pick every 10 ms, attempts of 30 ms: three in flight. A round takes 100 ms. */
const size = 10;
const picks = 6000;
const fair = picks / size;
const pickMs = 10;
const attemptMs = 30;
const tags = Array.from({ length: 40 }, (_, i) => `t${i}`);

interface Kind {
  readonly name: string;
  readonly create: () => Strategy;
  /** Whether each pick is for a session of its own. */
  readonly sessions?: boolean;
  /** How far counts may be from fair, as a share of it. */
  readonly tolerance: number;
  /** How many rounds a candidate that is available waits at most. */
  readonly rounds: number;
}

// Chance: 5 σ of a binomial count of 600 is 19 %; 20 rounds without a pick have a chance of 10^-9.
const kind = (create: () => Strategy, tolerance: number, rounds: number): Kind => {
  return { name: create().name, create, tolerance, rounds };
};
const kinds: readonly Kind[] = [
  kind(roundRobin, 0.005, 2),
  kind(leastUsed, 0.005, 2),
  kind(() => sticky(roundRobin()), 0.005, 2),
  kind(() => consistent(roundRobin()), 0.005, 2),
  kind(() => geo(leastUsed()), 0.005, 2),
  kind(() => composite([byTags('t0')], roundRobin()), 0.005, 2),
  kind(() => costAware(leastUsed()), 0.005, 2),
  kind(random, 0.19, 20),
  kind(weighted, 0.19, 20),
  kind(performance, 0.19, 20),
  kind(adaptive, 0.4, 20),
  ...[
    kind(() => sticky(leastUsed()), 0.005, 2),
    // Where a session lives is as good as chance.
    kind(() => consistent(leastUsed()), 0.19, 20),
  ].map((each) => ({ ...each, name: `${each.name}, a session each`, sessions: true })),
];

interface World {
  readonly selector: Selector;
  readonly now: () => number;
}

interface Condition {
  readonly candidate?: Partial<CandidateOptions>;
  readonly ask?: (pick: number) => SelectContext;
  /** Before each pick. */
  readonly change?: (world: World, pick: number) => void;
}

/** Candidate 0 is away for two picks of each round. */
const away = (leave: (world: World) => void, comeBack: (world: World) => void): Condition => ({
  change: (world, pick) => {
    if (pick % size === 4) leave(world);
    if (pick % size === 6) comeBack(world);
  },
});

const conditions: Record<string, Condition> = {
  steady: {},
  'maxConcurrent 1': { candidate: { maxConcurrent: 1 } },
  'maxConcurrent 2': { candidate: { maxConcurrent: 2 } },
  'a flapping circuit': away(
    ({ selector, now }) =>
      selector.circuitChanged({ name: '0', to: 'open', nextTestAt: now() + 2 * pickMs }),
    ({ selector }) => selector.circuitChanged({ name: '0', to: 'closed' }),
  ),
  bans: away(
    ({ selector, now }) => selector.ban('0', now() + 2 * pickMs),
    () => {},
  ),
  'joins and leaves': {
    change: ({ selector }, pick) => {
      if (pick % 200 === 50) selector.add({ id: 'guest', tags });
      if (pick % 200 === 150) selector.remove('guest');
    },
  },
  filters: { ask: (pick) => ({ tags: [tags[pick % tags.length] as string] }) },
};

const sessionOf = (sessions: boolean | undefined, pick: number): SelectContext =>
  sessions === true ? { sessionId: `session ${pick}` } : {};

function play({ create, sessions }: Kind, condition: string) {
  const { candidate = {}, ask = () => ({}), change } = conditions[condition] as Condition;
  const clock = createVirtualClock(1_000_000);
  const selector = new Selector({ strategy: create(), now: clock.now, random: seededRandom(11) });
  const ids = Array.from({ length: size }, (_, i) => `${i}`);
  for (const id of ids) {
    selector.add({ id, tags, ...candidate });
    for (let i = 0; i < 20; i++) selector.record({ id, outcome: 'success', latencyMs: attemptMs });
  }
  const running: { id: string; endsAt: number }[] = [];
  const counts = new Map<string, number>();
  const pickedAt = new Map<string, number>(ids.map((id) => [id, 0]));
  let longestGap = 0;
  for (let pick = 0; pick < picks; pick++) {
    clock.advance(pickMs);
    while ((running[0]?.endsAt ?? Infinity) <= clock.now()) {
      const { id } = running.shift() as { id: string };
      selector.settled(id);
      if (selector.has(id)) selector.record({ id, outcome: 'success', latencyMs: attemptMs });
    }
    change?.({ selector, now: clock.now }, pick);
    const id = selector.select({ ...ask(pick), ...sessionOf(sessions, pick) })?.id ?? 'none';
    counts.set(id, (counts.get(id) ?? 0) + 1);
    if (pickedAt.has(id)) longestGap = Math.max(longestGap, pick - (pickedAt.get(id) ?? 0));
    if (id !== 'guest') pickedAt.set(id, pick);
    selector.started(id);
    running.push({ id, endsAt: clock.now() + attemptMs });
  }
  const count = (id: string) => counts.get(id) ?? 0;
  return { ids, count, longestGap };
}

describe.each(kinds)('S4 $name', (kind) => {
  const { create, sessions, tolerance, rounds } = kind;

  it.each(['steady', 'maxConcurrent 1', 'maxConcurrent 2', 'filters'])(
    'is fair and starves none: %s',
    (condition) => {
      const { ids, count, longestGap } = play(kind, condition);
      for (const id of ids) {
        expect(count(id), id).toBeGreaterThanOrEqual(Math.floor((1 - tolerance) * fair));
        expect(count(id), id).toBeLessThanOrEqual(Math.ceil((1 + tolerance) * fair));
      }
      expect(count('none')).toBe(0);
      expect(longestGap).toBeLessThanOrEqual(rounds * size);
    },
  );

  it.each(['a flapping circuit', 'bans'])(
    'one that is away for a moment each round keeps three fifths of its turns at least: %s',
    (condition) => {
      const { ids, count, longestGap } = play(kind, condition);
      const exact = tolerance < 0.01;
      expect(count('0')).toBeGreaterThanOrEqual((exact ? 0.95 : 0.6) * fair);
      for (const id of ids.slice(1)) {
        // What the absent one leaves falls to the nine others.
        expect(count(id), id).toBeGreaterThanOrEqual(Math.floor((1 - tolerance) * fair));
        expect(count(id), id).toBeLessThanOrEqual(Math.ceil((1.045 + tolerance) * fair));
      }
      expect(count('none')).toBe(0);
      expect(longestGap).toBeLessThanOrEqual(rounds * size);
    },
  );

  it('one that joins and leaves gets no more than its share, the others keep theirs', () => {
    const { ids, count, longestGap } = play(kind, 'joins and leaves');
    // 30 visits of 100 picks, among eleven.
    const visits = picks / 200;
    expect(count('guest')).toBeLessThanOrEqual((1 + tolerance) * visits * Math.ceil(100 / 11));
    for (const id of ids) {
      expect(count(id), id).toBeGreaterThanOrEqual((1 - tolerance) * fair * (1 - 0.5 / 11) - 1);
    }
    expect(count('none')).toBe(0);
    expect(longestGap).toBeLessThanOrEqual(rounds * (size + 1));
  });

  it('with none left there is no pick, and the first that comes back is picked', () => {
    const clock = createVirtualClock(1_000_000);
    const selector = new Selector({ strategy: create(), now: clock.now, random: seededRandom(2) });
    for (const id of 'abcd') selector.add({ id, maxConcurrent: 1, tags });
    selector.started('a');
    selector.circuitChanged({ name: 'b', to: 'open', nextTestAt: clock.now() + 1000 });
    selector.ban('c', clock.now() + 500);
    selector.remove('d');
    let picked = 0;
    const select = (ask: SelectContext = {}) =>
      selector.select({ ...ask, ...sessionOf(sessions, picked++) });
    expect(select()).toBeUndefined();
    expect(select({ tags: ['t1'] })).toBeUndefined();
    clock.advance(500);
    expect(select()?.id).toBe('c');
    selector.started('c');
    expect(select()).toBeUndefined();
    clock.advance(500);
    expect(select()?.id).toBe('b');
    selector.started('b');
    expect(select()).toBeUndefined();
    selector.settled('a');
    expect(select({ tags: ['t1'] })?.id).toBe('a');
    selector.started('a');
    selector.add({ id: 'd', tags });
    expect(select()?.id).toBe('d');
  });
});
