import { seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { Outage } from './outage.ts';
import { Targets } from './targets.ts';

/** Attempts that begin and fail one after the other. */
function failInTurn(outage: Outage, proxies: readonly string[], poolSize = 10): boolean[] {
  return proxies.map((proxyId, i) => {
    outage.ended(outage.begun());
    return outage.failed(proxyId, 1000 + i, poolSize);
  });
}

describe('outage', () => {
  it('E6 the fifth failure in a row makes it down, once three proxies have failed', () => {
    const outage = new Outage();
    expect(failInTurn(outage, ['a', 'b', 'a', 'c', 'a', 'b'])).toEqual([
      false,
      false,
      false,
      false,
      true,
      false,
    ]);
    expect([outage.run, outage.proxies, outage.downAt]).toEqual([6, 3, 1004]);
  });

  it('E6 two proxies are not enough in a pool of ten, and are in a pool of two', () => {
    expect(failInTurn(new Outage(), ['a', 'b', 'a', 'b', 'a', 'b'])).not.toContain(true);
    expect(failInTurn(new Outage(), ['a', 'b', 'a', 'b', 'a'], 2).at(-1)).toBe(true);
    expect(failInTurn(new Outage(), ['a', 'a', 'a', 'a', 'a'], 1).at(-1)).toBe(true);
  });

  it('E6 a response ends the row, and returns how long it was down', () => {
    const outage = new Outage();
    failInTurn(outage, ['a', 'b', 'c', 'a']);
    expect(outage.responded(2000)).toBeUndefined();
    expect(failInTurn(outage, ['a', 'b', 'c', 'a', 'b']).at(-1)).toBe(true);
    expect(outage.responded(3004)).toBe(2000);
    expect([outage.run, outage.downAt, outage.proxies]).toEqual([0, undefined, 0]);
  });

  it('E6 it is contested while an attempt that began before the first failure is still out', () => {
    const outage = new Outage();
    const burst = Array.from({ length: 10 }, () => outage.begun());
    const [last = 0, ...fast] = burst;
    for (const [i, epoch] of fast.entries()) {
      outage.ended(epoch);
      expect(outage.failed(`p${i % 4}`, i, 10)).toBe(false);
      expect(outage.contested).toBe(true);
    }
    // Attempts that began since do not contest it.
    const since = outage.begun();
    outage.ended(last);
    expect(outage.failed('p9', 20, 10)).toBe(true);
    expect(outage.contested).toBe(false);
    outage.ended(since);
    expect(outage.contested).toBe(false);
  });
});

describe('an outage of a target that fails now and then', () => {
  /** Outcomes one after the other through ten proxies in turn; returns how often it was called down. */
  function outcomes(outage: Outage, count: number, fails: (i: number) => boolean): number {
    let down = 0;
    for (let i = 0; i < count; i++) {
      outage.ended(outage.begun());
      if (!fails(i)) outage.responded(i);
      else if (outage.failed(`p${i % 10}`, i, 10)) down++;
    }
    return down;
  }

  it('E6 one that responds to 60 % of attempts is not called down by chance', () => {
    const random = seededRandom(40);
    const outage = new Outage();
    let rowsOfFive = 0;
    let row = 0;
    const down = outcomes(outage, 60_000, () => {
      row = random() < 0.4 ? row + 1 : 0;
      if (row === 5) rowsOfFive++;
      return row > 0;
    });
    expect([rowsOfFive > 300, down]).toEqual([true, 3]);
    expect(outage.respondsToMost).toBe(true);
  });

  it('E6 it is down once a row of failures is no chance any more, after 20 at the latest', () => {
    for (const [share, enough] of [
      [0.09, 5],
      [0.25, 9],
      [0.4, 13],
      [0.5, 17],
      [0.8, 20],
    ] as const) {
      const outage = new Outage();
      // Spread evenly, so that no row becomes long; the last outcome is a response.
      outcomes(outage, 10_000, (i) => Math.floor((i + 1) * share) > Math.floor(i * share));
      outage.responded(10_000);
      const failures = Array.from({ length: 25 }, (_, i) => `p${i % 10}`);
      expect(failInTurn(outage, failures).indexOf(true) + 1).toBe(enough);
    }
  });

  it('E6 what made it down does not make the next outage harder to see', () => {
    const outage = new Outage();
    for (let round = 0; round < 50; round++) {
      expect(failInTurn(outage, ['a', 'b', 'c', 'a', 'b', 'c', 'a']).indexOf(true)).toBe(4);
      expect(outage.respondsToMost).toBe(false);
      outage.responded(2000);
      expect(outage.respondsToMost).toBe(true);
    }
  });

  it('E6 the proxies of the last 16 failures are known in their order, until it responds', () => {
    const outage = new Outage();
    failInTurn(
      outage,
      Array.from({ length: 20 }, (_, i) => `p${i}`),
    );
    failInTurn(outage, ['p4']);
    expect([...outage.lastProxies]).toEqual([
      ...Array.from({ length: 15 }, (_, i) => `p${i + 5}`),
      'p4',
    ]);
    outage.responded(5000);
    expect(outage.lastProxies.size).toBe(0);
  });
});

describe('targets', () => {
  it('E7 1,000 are remembered: the ones not used for a minute go, those in use stay', () => {
    const targets = new Targets();
    const used = targets.get('http://used.test', 0);
    for (let i = 0; i < 5000; i++) {
      targets.get(`http://t${i}.test`, i * 100);
      if (i % 100 === 0) targets.get('http://used.test', i * 100);
    }
    expect(targets.size).toBe(1000);
    expect(targets.get('http://used.test', 500_000)).toBe(used);
    expect(targets.get('http://t0.test', 500_000).silentSince).toBe(500_000);
  });

  it('E7 a state has a beginning and a sentence', () => {
    const target = new Targets().get('http://shop.test', 1000);
    expect(target.snapshot(5000)).toMatchObject({
      state: 'unsure',
      since: 1000,
      lastResponseAt: undefined,
      successRate: undefined,
      reason: 'unsure: no proxy has had a response from here',
    });
    target.responded(6000, 20);
    target.evidence.okAt = 6000;
    target.count('success', 'none');
    expect(target.snapshot(7000)).toMatchObject({ state: 'up', since: 6000, successRate: 1 });
    for (let i = 0; i < 3; i++) {
      target.outage.failed('a', 10_000 + i, 10);
      target.count('failure', 'unknown');
    }
    expect(target.snapshot(26_000)).toMatchObject({
      state: 'unsure',
      since: 10_000,
      lastResponseAt: 6000,
      successRate: 0.25,
      failures: { proxy: 0, route: 0, target: 0, unknown: 3, caller: 0 },
      reason: 'unsure: 3 attempts in a row had no response; the last one was 20 s ago',
    });
    target.outage.failed('b', 30_000, 2);
    target.outage.failed('b', 30_001, 2);
    expect(target.snapshot(46_000)).toMatchObject({
      state: 'down',
      since: 30_001,
      reason:
        'down: 5 attempts in a row through several proxies had no response; the last one was 40 s ago',
    });
  });

  it('E2 a target remembers how long its responses usually take', () => {
    const target = new Targets().get('http://slow.test', 0);
    expect(target.usuallySlowerThan(200)).toBe(false);
    for (let i = 0; i < 20; i++) target.responded(i, 300);
    expect([target.usuallySlowerThan(200), target.usuallySlowerThan(400)]).toEqual([true, false]);
  });
});
