import { seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { Selector } from '../index.ts';

describe('adaptive(), those outside the warm set', () => {
  it('S14 one that failed is looked at 30 s after its last attempt, not after an earlier one', () => {
    const { selector, clock, cold } = pool();
    for (let i = 0; i < 3; i++) selector.record({ id: cold, outcome: 'failure', latencyMs: 100 });
    clock.now = 20_000;
    selector.record({ id: cold, outcome: 'failure', latencyMs: 100 });
    const picked = (until: number) => {
      let count = 0;
      for (; clock.now < until; clock.now += 5) {
        const id = selector.select()?.id ?? '';
        if (id === cold) count++;
        else selector.record({ id, outcome: 'success', latencyMs: 100 });
      }
      return count;
    };
    expect(picked(49_995)).toBe(0);
    clock.now = 50_000;
    expect(picked(79_000)).toBe(1);
    // No verdict came: it is offered again 30 s after the offer.
    expect(picked(115_000)).toBeGreaterThanOrEqual(1);
  });

  it('S12 one that became warm between two looks is not mistaken for one that waits', () => {
    const { selector, clock, cold } = pool();
    for (let i = 0; i < 3; i++) selector.record({ id: cold, outcome: 'failure', latencyMs: 100 });
    for (let i = 0; i < 40; i++) selector.record({ id: cold, outcome: 'success', latencyMs: 100 });
    clock.now = 40_000;
    const picks = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const id = selector.select()?.id ?? '';
      picks.set(id, (picks.get(id) ?? 0) + 1);
    }
    expect(picks.get(cold)).toBeGreaterThan(500);
    for (const id of ['a', 'b', 'c', 'd', 'e']) expect(picks.get(id)).toBeGreaterThan(500);
  });
});

describe('adaptive(), those that are full for a moment', () => {
  it('S4 a warm one that failed once keeps its place', () => {
    const { selector, clock } = pool();
    selector.started('a');
    selector.update({ id: 'a', maxConcurrent: 1 });
    selector.record({ id: 'a', outcome: 'failure', latencyMs: 100 });
    selector.settled('a');
    let picks = 0;
    for (; clock.now < 20_000; clock.now += 5) {
      const id = selector.select()?.id ?? '';
      selector.record({ id, outcome: 'success', latencyMs: 100 });
      if (id === 'a') picks++;
    }
    // A sixth of 4,000 would be its share; outside the warm set it would be looked at after 30 s.
    expect(picks).toBeGreaterThan(250);
  });

  it('S12 a warm one that failed three times while it was away has to wait', () => {
    const { selector, clock } = pool();
    selector.update({ id: 'a', maxConcurrent: 1 });
    selector.started('a');
    for (let i = 0; i < 3; i++) selector.record({ id: 'a', outcome: 'failure', latencyMs: 100 });
    selector.settled('a');
    for (; clock.now < 20_000; clock.now += 5) {
      const id = selector.select()?.id ?? '';
      expect(id).not.toBe('a');
      selector.record({ id, outcome: 'success', latencyMs: 100 });
    }
  });
});

/** Five that always succeed, and one more. */
function pool() {
  const clock = { now: 0 };
  const selector = new Selector({ now: () => clock.now, random: seededRandom(7) });
  const cold = 'f';
  for (const id of ['a', 'b', 'c', 'd', 'e']) {
    selector.add({ id });
    for (let i = 0; i < 20; i++) selector.record({ id, outcome: 'success', latencyMs: 100 });
  }
  selector.add({ id: cold });
  selector.select();
  return { selector, clock, cold };
}
