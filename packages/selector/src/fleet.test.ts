import { createBus, type WhirlEvents } from '@whirl/events';
import { seededRandom } from '@whirl/testkit';
import { realisticPool, scrapedPool, simulate } from '@whirl/testkit/simulation';
import { describe, expect, it } from 'vitest';
import { random, roundRobin, Selector, sticky, type Prior, type Strategy } from './index.ts';
import { play, type Simulated } from './simulated.test-support.ts';

function setup(ids: readonly string[], strategy?: Strategy) {
  const clock = { now: 1_700_000_000_000 };
  const selector = new Selector({ strategy, now: () => clock.now, random: seededRandom(3) });
  for (const id of ids) selector.add({ id });
  const picks = (count: number, ask = {}) => {
    const seen: Record<string, number> = {};
    for (let i = 0; i < count; i++) {
      const id = selector.select(ask)?.id ?? 'none';
      seen[id] = (seen[id] ?? 0) + 1;
    }
    return seen;
  };
  return { clock, selector, picks };
}

describe('avoid', () => {
  it('an avoided candidate is not picked until its time, while another is available', () => {
    const { clock, selector, picks } = setup(['a', 'b', 'c'], roundRobin());
    selector.avoid('b', clock.now + 1000);
    expect(picks(10)).toEqual({ a: 5, c: 5 });
    clock.now += 1000;
    expect(picks(9)).toEqual({ a: 3, b: 3, c: 3 });
  });

  it('one that is alone is picked all the same, and so are those that all are avoided', () => {
    const { clock, selector, picks } = setup(['a', 'b'], random());
    selector.avoid('a', clock.now + 1000);
    expect(picks(5, { exclude: ['b'] })).toEqual({ a: 5 });
    selector.avoid('b', clock.now + 1000);
    expect(Object.keys(picks(50)).sort()).toEqual(['a', 'b']);
  });

  it('the later time stands; leaving the pool forgets it', () => {
    const { clock, selector, picks } = setup(['a', 'b'], roundRobin());
    selector.avoid('a', clock.now + 1000);
    selector.avoid('a', clock.now + 500);
    clock.now += 600;
    expect(picks(4)).toEqual({ b: 4 });
    selector.remove('a');
    selector.add({ id: 'a' });
    expect(picks(4)).toEqual({ a: 2, b: 2 });
  });

  it('a session leaves a candidate that is avoided', () => {
    const { clock, selector, picks } = setup(['a', 'b'], sticky(roundRobin()));
    const home = selector.select({ sessionId: 's' })?.id ?? '';
    selector.avoid(home, clock.now + 1000);
    const away = home === 'a' ? 'b' : 'a';
    expect(picks(5, { sessionId: 's' })).toEqual({ [away]: 5 });
  });

  it('with hundreds that are avoided the others are still found', () => {
    const ids = Array.from({ length: 400 }, (_, i) => `p${i}`);
    const { clock, selector, picks } = setup(ids, roundRobin());
    for (const id of ids.slice(0, 200)) selector.avoid(id, clock.now + 1000);
    expect(Object.keys(picks(400)).filter((id) => Number(id.slice(1)) < 200)).toEqual([]);
  });

  it('refuses an unknown id and what is no instant', () => {
    const { selector } = setup(['a']);
    expect(() => selector.avoid('x', 1_700_000_001_000)).toThrow('unknown id "x"');
    expect(() => selector.avoid('a', 1000)).toThrow('looks like a duration');
  });
});

describe('overheard', () => {
  it('lowers the score and lengthens the run, and leaves samples, rate and the pool alone', () => {
    const { selector } = setup(['a', 'b']);
    for (let i = 0; i < 20; i++) selector.record({ id: 'a', outcome: 'success', latencyMs: 100 });
    const before = selector.stats('a');
    const other = selector.stats('b').score;
    selector.overheard('a', 4, 50);
    const after = selector.stats('a');
    expect(after.score).toBeLessThan(before.score);
    expect({ ...after, score: 0 }).toEqual({ ...before, score: 0 });
    expect(selector.stats('b').score).toBe(other);
  });

  it('adaptive() leaves a warm candidate after three failures that others saw', () => {
    const { selector, clock, picks } = setup(['a', 'b', 'c', 'd']);
    for (let i = 0; i < 40; i++) {
      for (const id of ['a', 'b', 'c', 'd']) {
        selector.record({ id, outcome: 'success', latencyMs: 100 });
      }
      clock.now += 100;
    }
    expect(picks(400).a).toBeGreaterThan(50);
    selector.overheard('a', 3, 100);
    expect(picks(400).a ?? 0).toBeLessThanOrEqual(2);
  });

  it('refuses counts and latencies out of bounds, ignores unknown ids', () => {
    const { selector } = setup(['a']);
    expect(() => selector.overheard('a', 0, 1)).toThrow(
      'failures of "a" must be an integer from 1 to 100',
    );
    expect(() => selector.overheard('a', 1, -1)).toThrow('latencyMs of "a"');
    expect(() => selector.overheard('x', 1, 1)).not.toThrow();
  });
});

describe('inform', () => {
  const known = (id: string, successRate: number, weight = 10): Prior => ({
    id,
    successRate,
    successMs: 300,
    weight,
  });

  it('is worth ten attempts at most: (s + 10·r) ÷ (s + f + 10)', () => {
    const { selector } = setup(['a']);
    selector.inform([known('a', 0.3, 1000)]);
    expect(selector.stats('a').score).toBeCloseTo(0.3, 6);
    for (let i = 0; i < 10; i++) selector.record({ id: 'a', outcome: 'success', latencyMs: 1 });
    expect(selector.stats('a').score).toBeCloseTo((10 + 10 * 0.3) / 20, 6);
  });

  it('D27 given twice it counts once, and a later one replaces it', () => {
    const { selector } = setup(['a']);
    selector.inform([known('a', 0.3), known('a', 0.3)]);
    expect(selector.stats('a').score).toBeCloseTo(0.3, 6);
    selector.inform([known('a', 0.9)]);
    expect(selector.stats('a').score).toBeCloseTo(0.9, 6);
  });

  it('with less weight the pool’s mean fills up, and an hour takes half of it', () => {
    const { clock, selector } = setup(['a', 'b']);
    const mean = selector.stats('b').score;
    selector.inform([known('a', 0.2, 5)]);
    expect(selector.stats('a').score).toBeCloseTo((0.2 + mean) / 2, 6);
    clock.now += 3_600_000;
    expect(selector.stats('a').score).toBeCloseTo(0.25 * 0.2 + 0.75 * mean, 6);
  });

  it('changes neither samples nor successRate nor the mean; leaving the pool forgets it', () => {
    const { selector } = setup(['a', 'b']);
    const before = [selector.stats('a'), selector.stats('b')];
    selector.inform([known('a', 0.1), known('nobody', 0.1)]);
    const { samples, successRate } = selector.stats('a');
    expect([samples, successRate]).toEqual([0, 0.5]);
    expect(selector.stats('b')).toEqual(before[1]);
    selector.remove('a');
    selector.add({ id: 'a' });
    expect(selector.stats('a')).toEqual(before[0]);
  });

  it('adaptive() starts with those known to be good and leaves those known to be bad', () => {
    const ids = Array.from({ length: 100 }, (_, i) => `p${i}`);
    const { selector, picks } = setup(ids);
    selector.inform(ids.map((id, i) => known(id, i < 10 ? 0.95 : 0.02)));
    const seen = picks(200);
    expect(Object.keys(seen).filter((id) => Number(id.slice(1)) >= 10)).toEqual([]);
    expect(Object.keys(seen)).toHaveLength(10);
  });

  it('refuses rates and weights out of bounds', () => {
    const { selector } = setup(['a']);
    expect(() => selector.inform([known('a', 1.1)])).toThrow('successRate of "a"');
    expect(() => selector.inform([known('a', 1, -1)])).toThrow('weight of "a"');
    expect(() => selector.inform([{ ...known('a', 1), successMs: NaN }])).toThrow(
      'successMs of "a"',
    );
  });
});

describe('evidence and bans', () => {
  it('evidence() has what attempts taught, faded to now; untried candidates are left out', () => {
    const { clock, selector } = setup(['a', 'b', 'c']);
    for (let i = 0; i < 4; i++) selector.record({ id: 'a', outcome: 'success', latencyMs: 100 });
    selector.record({ id: 'c', outcome: 'timeout', latencyMs: 5000 });
    const triedAt = clock.now;
    clock.now += 120_000;
    expect([...selector.evidence()]).toEqual([
      { id: 'a', successes: 2, failures: 0, successMs: 100, failureMs: 0, run: 4, triedAt },
      { id: 'c', successes: 0, failures: 1, successMs: 0, failureMs: 5000, run: -2, triedAt },
    ]);
    selector.remove('a');
    expect([...selector.evidence()].map(({ id }) => id)).toEqual(['c']);
  });

  it('bans() lists the bans that hold, for all targets and for one', () => {
    const { clock, selector } = setup(['a', 'b', 'c']);
    const until = clock.now + 1000;
    selector.ban('a', until);
    selector.banTarget('b', 'https://x.example', until);
    selector.banTarget('c', 'https://x.example', clock.now + 10);
    clock.now += 500;
    expect([...selector.bans()]).toEqual([
      { id: 'a', target: undefined, until },
      { id: 'b', target: 'https://x.example', until },
    ]);
    clock.now = until;
    expect([...selector.bans()]).toEqual([]);
  });

  it('a deadline that moved moves the offer of the open circuit', () => {
    const clock = { now: 1_700_000_000_000 };
    const bus = createBus<WhirlEvents>();
    const selector = new Selector({ now: () => clock.now, bus });
    selector.add({ id: 'a' });
    const at = clock.now;
    selector.circuitChanged({ name: 'a', to: 'open', nextTestAt: at + 1000 });
    bus.emit('circuit:rescheduled', { name: 'a', nextTestAt: at + 5000, at });
    clock.now = at + 4000;
    expect(selector.select()).toBeUndefined();
    bus.emit('circuit:rescheduled', { name: 'a', nextTestAt: at + 4000, at });
    expect(selector.select()?.id).toBe('a');
  });
});

describe('D26 a newcomer to a fleet of 300 s', () => {
  const endMs = 300_000;
  /** How many of its requests succeed at the first attempt, 100 of them a second. */
  const first = ({ population }: Simulated, { selector, clock }: Newcomer, requests: number) => {
    population.inFlight.fill(0);
    const startMs = clock.now;
    const options = { population, random: seededRandom(5), requestsPerSecond: 100, settleMs: 0 };
    const { firstAttemptRatio } = simulate({
      ...options,
      endMs: requests * 10,
      chooser: {
        select(tried, at) {
          clock.now = startMs + at;
          return Number(selector.select({ exclude: tried.map(String) })?.id ?? -1);
        },
        started: (proxy) => selector.started(`${proxy}`),
        ended(proxy, attempt, at) {
          clock.now = startMs + at;
          selector.end({ id: `${proxy}`, ...attempt });
        },
      },
    });
    return firstAttemptRatio;
  };
  interface Newcomer {
    readonly selector: Selector;
    readonly clock: { now: number };
  }
  const newcomer = ({ selector }: Simulated, informed: boolean, seed = 11): Newcomer => {
    const clock = { now: endMs };
    const fresh = new Selector({ now: () => clock.now, random: seededRandom(seed) });
    for (let i = 0; i < 1000; i++) fresh.add({ id: `${i}` });
    if (!informed) return { selector: fresh, clock };
    // One that failed twice in a row when it was last tried is no good one any more, whatever it did before.
    const rows = [...selector.evidence()].map(({ id, successes, failures, successMs, run }) => ({
      id,
      successRate: run < -1 ? 1 / (1 - run) : successes / (successes + failures),
      successMs: successes > 0 ? successMs : undefined,
      weight: successes + failures,
    }));
    fresh.inform(rows);
    return { selector: fresh, clock };
  };
  /** Over the first 100 requests of each of 20 newcomers. */
  const firstOfMany = (veteran: Simulated, informed: boolean) => {
    let sum = 0;
    for (let seed = 1; seed <= 20; seed++) {
      sum += first(veteran, newcomer(veteran, informed, seed), 100);
    }
    return sum / 20;
  };
  const world = (kinds: typeof realisticPool) =>
    play({ size: 1000, kinds, requestsPerSecond: 100, settleMs: 200_000, endMs });

  it('its first 100 requests succeed as often as the fleet’s, within 3 points', () => {
    const veteran = world(realisticPool);
    expect(firstOfMany(veteran, true)).toBeGreaterThanOrEqual(
      veteran.result.firstAttemptRatio - 0.03,
    );
  });

  it('in a pool with 8 % good ones 55 % succeed at least, where alone less than 15 % do', () => {
    const veteran = world(scrapedPool);
    expect(firstOfMany(veteran, true)).toBeGreaterThanOrEqual(0.55);
    expect(firstOfMany(veteran, false)).toBeLessThan(0.15);
  });

  it('after 10,000 requests it is no worse than one that started cold', () => {
    const veteran = world(scrapedPool);
    const later = (informed: boolean) => {
      let sum = 0;
      for (let seed = 1; seed <= 3; seed++) {
        const fresh = newcomer(veteran, informed, seed);
        first(veteran, fresh, 10_000);
        sum += first(veteran, fresh, 3000);
      }
      return sum / 3;
    };
    expect(later(true)).toBeGreaterThanOrEqual(later(false) - 0.03);
  });
});
