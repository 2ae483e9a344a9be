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
    [() => byTags('a', 5 as never), 'tags[1] must be a string'],
    [() => byCost(-1), 'max must be a number ≥ 0, got -1'],
    [
      () => costAware(random(), { ratio: 1 } as never),
      'unknown option "ratio"; known are minSuccessRatio',
    ],
    [
      () => costAware(random(), { minSuccessRatio: 2 }),
      'minSuccessRatio must be a number from 0 to 1, got 2',
    ],
    [
      () => geo(random(), { fall: 'any' } as never),
      'unknown option "fall": did you mean "fallback"?',
    ],
  ])('%s is refused by name', (make, message) => {
    expect(make).toThrow(message);
  });

  it('S6 a strategy around another one has both names', () => {
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

  it('S6 the inner strategy decides between equals, and is not asked about a single one', () => {
    const asked: number[] = [];
    const first: Strategy = {
      name: 'first',
      pick(among) {
        asked.push(among.size);
        return among.size === 0 ? -1 : among.at(0);
      },
    };
    const { selector } = pool(costAware(first), ...cheap.slice(1), { id: 'dearer', cost: 6 });
    const askedBy = (pick: () => unknown) => {
      asked.length = 0;
      pick();
      return asked;
    };
    expect(askedBy(() => selector.select())).toEqual([]);
    selector.add({ id: 'second', cost: 1 });
    expect(askedBy(() => selector.select())).toEqual([2]);
    selector.add({ id: 'third', cost: 1 });
    expect(askedBy(() => selector.select())).toEqual([3]);
    selector.remove('third');
    expect(askedBy(() => selector.select())).toEqual([2]);
    selector.remove('second');
    expect(askedBy(() => selector.select())).toEqual([]);
  });

  it('S6 equals at one cost are not taken for equals at another', () => {
    const costs = [1, 1, 5, 5].map((cost, i) => ({ id: `${i}`, cost }));
    const { selector } = pool(costAware(roundRobin()), ...costs);
    expect(new Set(picks(selector, 4))).toEqual(new Set(['0', '1']));
    for (const name of '01') selector.circuitChanged({ name, to: 'forced_open' });
    const [one, other] = picks(selector, 2);
    expect(new Set([one, other])).toEqual(new Set(['2', '3']));
    expect(picks(selector, 8)).toEqual([one, other, one, other, one, other, one, other]);
  });

  it('S6 where the inner strategy picks one that is not acceptable, its equals are picked at random', () => {
    const ids = ['good', 'fine', 'well'];
    const stubborn: Strategy = {
      name: 'stubborn',
      pick: (among) =>
        [0, 1, 2, 3].map((i) => among.at(i)).find((slot) => among.id(slot) === 'bad') ?? -1,
    };
    const equals = [{ id: 'bad', cost: 1 }, ...ids.map((id) => ({ id, cost: 1 }))];
    const { selector } = pool(costAware(stubborn), ...equals);
    record(selector, 'bad', 'failure', 30);
    for (const id of ids) record(selector, id, 'success', 30);
    const drawn = picks(selector, 600);
    for (const id of ids) {
      const count = drawn.filter((each) => each === id).length;
      // 200 ± 5 σ.
      expect(count, id).toBeGreaterThan(140);
      expect(count, id).toBeLessThan(260);
    }
  });

  it('S6 an outcome that changes no judgement draws no number', () => {
    let drawn = 0;
    const selector = new Selector({
      strategy: costAware(roundRobin()),
      random: () => ((drawn += 1), 0.5),
    });
    for (const each of cheap) selector.add(each);
    selector.select();
    drawn = 0;
    record(selector, 'good', 'success', 10);
    expect(drawn).toBe(0);
  });

  it('S6 exactly the share of the mean is acceptable', () => {
    const { selector } = pool(costAware(roundRobin(), { minSuccessRatio: 1 }), ...cheap);
    expect(new Set(picks(selector, 10))).toEqual(new Set(['good', 'bad']));
  });

  it('S6 one that is not acceptable is picked where the others are excluded', () => {
    const { selector } = pool(costAware(roundRobin()), ...cheap.slice(1));
    record(selector, 'dear', 'success', 30);
    record(selector, 'bad', 'failure', 30);
    expect(selector.select({ exclude: ['dear'] })).toEqual({ id: 'bad', reused: false });
  });

  it('S6 one whose failures have faded is acceptable when it is judged again, at 30 s', () => {
    const others = Array.from({ length: 5 }, (_, i) => ({ id: `${i}`, cost: 9 }));
    const strategy = costAware(roundRobin(), { minSuccessRatio: 0.78 });
    const { clock, selector } = pool(strategy, ...cheap.slice(1), ...others);
    for (const { id } of others) record(selector, id, 'success', 10);
    record(selector, 'bad', 'failure', 3);
    expect(picks(selector, 2)).toEqual(['dear', 'dear']);
    clock.advance(29_999);
    expect(picks(selector, 2)).toEqual(['dear', 'dear']);
    clock.advance(1);
    expect(picks(selector, 2)).toEqual(['bad', 'bad']);
  });

  it('S6 one pick judges eight again, those first that wait for longest', () => {
    const many = Array.from({ length: 9 }, (_, i) => ({ id: `costs ${9 - i}`, cost: 9 - i }));
    const { clock, selector } = pool(costAware(roundRobin()), ...many, { id: 'dear', cost: 50 });
    record(selector, 'dear', 'success', 30);
    for (const { id } of many) {
      record(selector, id, 'failure', 3);
      clock.advance(1);
    }
    expect(picks(selector, 1)).toEqual(['dear']);
    clock.advance(3_600_000);
    expect(picks(selector, 3)).toEqual(['costs 2', 'costs 1', 'costs 1']);
  });
});
