import { describe, expect, it } from 'vitest';
import { performance, roundRobin, Selector, weighted } from './index.ts';

const pool = (strategy = performance(), now = () => 0) => {
  const selector = new Selector({ strategy, now, random: () => 0.5 });
  for (const id of ['a', 'b', 'c']) selector.add({ id });
  return selector;
};

describe('Selector', () => {
  it('S1 an unused proxy scores 0.65', () => {
    expect(pool().stats('a').score).toBeCloseTo(0.65, 10);
  });

  it('S2 exclude is honoured; all excluded gives the least recently used, reused', () => {
    const selector = pool(roundRobin());
    expect(selector.select({ exclude: ['a', 'b'] })).toEqual({ id: 'c', reused: false });
    expect(selector.select({ exclude: ['c'] })?.reused).toBe(false);
    expect(selector.select({ exclude: ['a', 'b', 'c'] })?.reused).toBe(true);
  });

  it('S3 95 % beats 60 %', () => {
    const selector = pool();
    for (const [id, good] of Object.entries({ a: 60, b: 95, c: 0 })) {
      for (let i = 0; i < 100; i++) {
        selector.record({ id, outcome: i < good ? 'success' : 'failure', latencyMs: 100 });
      }
    }
    expect(selector.select()?.id).toBe('b');
  });

  it('S4 roundRobin picks each once in N; weight 0 never', () => {
    const selector = pool(roundRobin());
    expect(new Set([1, 2, 3].map(() => selector.select()?.id)).size).toBe(3);
    const by = new Selector({ strategy: weighted() });
    by.add({ id: 'none', weight: 0 });
    expect(by.select()).toBeUndefined();
  });

  it('S2 S7 an open circuit is not picked, and is offered to one request from nextTestAt on', () => {
    let now = 0;
    const selector = new Selector({ now: () => now });
    selector.add({ id: 'a' });
    selector.circuitChanged({ name: 'a', to: 'open', nextTestAt: 100 });
    now = 99;
    expect(selector.select()).toBeUndefined();
    now = 100;
    expect(selector.select()?.id).toBe('a');
    selector.started('a');
    expect(selector.select()).toBeUndefined();
  });

  it('bad input changes nothing', () => {
    const selector = pool();
    expect(() => selector.add({ id: 'a' })).toThrow(/"a"/);
    expect(() => selector.add({ id: 'd', weight: -1 })).toThrow(/weight/);
    expect(selector.size).toBe(3);
  });
});
