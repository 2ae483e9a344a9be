import { seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import {
  adaptive,
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
  type Strategy,
} from './index.ts';

const strategies: Record<string, () => Strategy> = {
  adaptive,
  leastUsed,
  performance,
  random,
  roundRobin,
  weighted,
  'sticky(random)': () => sticky(random()),
  'consistent(random)': () => consistent(random()),
  'geo(roundRobin)': () => geo(roundRobin()),
  'costAware(random)': () => costAware(random()),
};

const small = 100;
const large = 50_000;

function pool(strategy: Strategy, size: number, openShare: number): Selector {
  const chance = seededRandom(size);
  let now = 1_000_000;
  const selector = new Selector({ strategy, random: chance, now: () => (now += 0.01) });
  for (let i = 0; i < size; i++) {
    const tags = i % 50 < 5 ? ['few'] : [];
    selector.add({ id: `${i}`, region: i % 10 === 0 ? 'eu' : 'us', weight: 1 + (i % 3), tags });
    if (chance() < openShare && i % 50 !== 0) {
      selector.circuitChanged({ name: `${i}`, to: 'forced_open' });
    }
  }
  return selector;
}

type Work = (selector: Selector, i: number) => void;

function timeMs(selector: Selector, work: Work): number {
  const start = performanceNow();
  for (let i = 0; i < 300; i++) work(selector, i);
  return performanceNow() - start;
}

/**
 * The shortest round at the large pool ÷ the shortest at the small one: what the work itself takes,
 * whatever else the machine does. At least 8 rounds, and more while the machine is too busy to tell.
 */
function ratioOf(many: Selector, few: Selector, work: Work, bound: number): number {
  let [manyMs, fewMs] = [Infinity, Infinity];
  for (let round = 0; round < 8 || (manyMs / fewMs >= bound && round < 200); round++) {
    fewMs = Math.min(fewMs, timeMs(few, work));
    manyMs = Math.min(manyMs, timeMs(many, work));
  }
  return manyMs / fewMs;
}

const performanceNow = () => globalThis.performance.now();

const works: Record<string, Work> = {
  'a pick': (selector) => void selector.select(),
  'a filtered pick': (selector) => void selector.select({ tags: ['few'], region: 'eu' }),
  'a pick for a session': (selector, i) => void selector.select({ sessionId: `${i}` }),
  'a pick that excludes': (selector) => void selector.select({ exclude: ['0', '50'] }),
  'remove and add': (selector) => {
    selector.remove('50');
    selector.add({ id: '50', region: 'eu', tags: ['few'] });
  },
  'a circuit change': (selector, i) =>
    selector.circuitChanged({ name: '1', to: i % 2 === 0 ? 'forced_open' : 'closed' }),
  'a record': (selector) => selector.record({ id: '50', outcome: 'success', latencyMs: 100 }),
};

describe.each(Object.entries(strategies))('%s', (_, create) => {
  // A scan would take 500 times as long. The bars proper, 3 and 6, are for the bench, where nothing
  // else runs: this tells a scan from none on any machine.
  it.each([
    [0.5, 'half'],
    [0.98, 'nearly all'],
  ])('S9 nothing is scanned with a share of %s (%s) of the circuits open', (openShare) => {
    const few = pool(create(), small, openShare);
    const many = pool(create(), large, openShare);
    for (const [name, work] of Object.entries(works)) {
      expect(ratioOf(many, few, work, 40), name).toBeLessThan(40);
    }
  });
});

describe('filters', () => {
  it('S9 more regions than are kept indexed are still told apart', () => {
    const selector = new Selector({ strategy: geo(random(), { fallback: 'none' }) });
    for (let i = 0; i < 900; i++) selector.add({ id: `${i}`, region: `r${i % 300}` });
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 300; i++) {
        if (round === 1) selector.circuitChanged({ name: `${i}`, to: 'forced_open' });
        const picked = Number(selector.select({ region: `r${i}` })?.id);
        expect(picked % 300).toBe(i);
        if (round > 0) expect(picked).toBeGreaterThanOrEqual(300);
      }
    }
  });
});
