import { createVirtualClock, seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import {
  byCost,
  byTags,
  composite,
  costAware,
  geo,
  random,
  roundRobin,
  Selector,
  type CandidateOptions,
  type Strategy,
} from '../index.ts';

function pool(strategy: Strategy, ...candidates: CandidateOptions[]) {
  const clock = createVirtualClock(1_700_000_000_000);
  const selector = new Selector({ strategy, now: clock.now, random: seededRandom(3) });
  for (const each of candidates) selector.add(each);
  return { clock, selector };
}

const picks = (selector: Selector, count: number) =>
  Array.from({ length: count }, () => selector.select()?.id);

const record = (selector: Selector, id: string, outcome: 'success' | 'failure', count: number) => {
  for (let i = 0; i < count; i++) selector.record({ id, outcome, latencyMs: 100 });
};

describe('S6 options and names', () => {
  it.each([
    [() => composite(5 as never, random()), 'filters must be an array of functions'],
    [() => composite([byTags('a'), 5 as never], random()), 'filters[1] must be a function'],
    [() => byTags('a', 5 as never), 'tags[1] must be'],
    [() => byCost(-1), 'max must be finite and at least 0, got -1'],
    [
      () => costAware(random(), { ratio: 1 } as never),
      'costAware() has no option ratio; known are',
    ],
    [() => costAware(random(), { minSuccessRatio: 2 }), 'minSuccessRatio must be between 0 and 1'],
    [() => geo(random(), { fall: 'any' } as never), 'the options of geo() has no option fall'],
  ])('%s is refused by name', (make, message) => {
    expect(make).toThrow(message);
  });

  it('S6 a strategy around another one says both names', () => {
    const names = [composite([], random()), costAware(random()), geo(random())].map(
      ({ name }) => name,
    );
    expect(names).toEqual(['composite(random)', 'costAware(random)', 'geo(random)']);
  });
});

describe('S6 composite()', () => {
  it('S6 byCost admits what costs exactly as much, and nothing above', () => {
    const costs = [{ id: 'a', cost: 2 }, { id: 'b', cost: 2.01 }, { id: 'c' }];
    const { selector } = pool(composite([byCost(2)], roundRobin()), ...costs);
    expect(new Set(picks(selector, 20))).toEqual(new Set(['a', 'c']));
  });

  it('S6 two limits of cost are two conditions', () => {
    const costs = [1, 2, 3].map((cost) => ({ id: `costs ${cost}`, cost }));
    const { selector } = pool(composite([byCost(2)], roundRobin()), ...costs);
    expect(new Set(picks(selector, 20))).toEqual(new Set(['costs 1', 'costs 2']));
    selector.use(composite([byCost(1)], roundRobin()));
    expect(new Set(picks(selector, 20))).toEqual(new Set(['costs 1']));
  });
});

describe('S6 costAware()', () => {
  const cheap = [
    { id: 'good', cost: 1 },
    { id: 'bad', cost: 1 },
    { id: 'dear', cost: 5 },
  ];

  it('S6 of two at the same cost only the acceptable one is picked, whichever has the turn', () => {
    const { selector } = pool(costAware(roundRobin()), ...cheap);
    expect(new Set(picks(selector, 10))).toEqual(new Set(['good', 'bad']));
    record(selector, 'good', 'success', 30);
    record(selector, 'dear', 'success', 30);
    record(selector, 'bad', 'failure', 30);
    expect(new Set(picks(selector, 20))).toEqual(new Set(['good']));
  });

  it('S6 one that is not acceptable is judged again, and not before 30 s', () => {
    const { clock, selector } = pool(costAware(roundRobin()), ...cheap.slice(1));
    record(selector, 'dear', 'success', 30);
    record(selector, 'bad', 'failure', 30);
    expect(new Set(picks(selector, 5))).toEqual(new Set(['dear']));
    clock.advance(3_600_000);
    expect(new Set(picks(selector, 5))).toEqual(new Set(['bad']));
  });

  it('S6 equals that leave and join are counted as they are', () => {
    const { selector } = pool(costAware(roundRobin()), ...cheap);
    selector.remove('bad');
    expect(new Set(picks(selector, 6))).toEqual(new Set(['good']));
    selector.add({ id: 'second', cost: 1 });
    expect(new Set(picks(selector, 6))).toEqual(new Set(['good', 'second']));
    selector.remove('good');
    selector.remove('second');
    expect(picks(selector, 2)).toEqual(['dear', 'dear']);
    expect(picks(pool(costAware(roundRobin())).selector, 1)).toEqual([undefined]);
  });
});
