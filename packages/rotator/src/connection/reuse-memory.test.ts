import { createVirtualClock } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { ReuseMemory } from './reuse-memory.ts';

describe('ReuseMemory', () => {
  it('C8c stops reuse at the second loss within a minute: for 60 s, then 120 s, up to 10 min', () => {
    const clock = createVirtualClock();
    const memory = new ReuseMemory(() => clock.now());
    const rests: number[] = [];
    memory.lost('a', clock.now());
    expect(memory.allows('a')).toBe(true);
    for (let i = 0; i < 6; i++) {
      clock.advance(1000);
      memory.lost('a', clock.now());
      let restMs = 0;
      while (!memory.allows('a')) {
        clock.advance(1000);
        restMs += 1000;
      }
      rests.push(restMs);
    }
    expect(rests).toEqual([60_000, 120_000, 240_000, 480_000, 600_000, 600_000]);
    expect(memory.allows('b')).toBe(true);
  });

  it('C8c forgives after a minute without a loss', () => {
    const clock = createVirtualClock();
    const memory = new ReuseMemory(() => clock.now());
    memory.lost('a', clock.now());
    clock.advance(60_001);
    memory.lost('a', clock.now());
    expect(memory.allows('a')).toBe(true);
    clock.advance(60_000);
    memory.lost('a', clock.now());
    expect(memory.allows('a')).toBe(false);
    clock.advance(60_000 + 60_001);
    memory.lost('a', clock.now());
    expect(memory.allows('a')).toBe(true);
  });

  it('C8c connections that were open side by side when one was lost count once', () => {
    const clock = createVirtualClock();
    const memory = new ReuseMemory(() => clock.now());
    clock.advance(5000);
    for (const openedAt of [0, 1000, 2000]) memory.lost('a', openedAt);
    expect(memory.allows('a')).toBe(true);
    memory.lost('a', clock.now());
    expect(memory.allows('a')).toBe(false);
  });

  it('C8c remembers 1,000 routes, and forgets the one that lost longest ago first', () => {
    const clock = createVirtualClock();
    const memory = new ReuseMemory(() => clock.now());
    const twice = (key: string) => {
      memory.lost(key, clock.now());
      memory.lost(key, clock.now());
    };
    for (let i = 0; i < 1000; i++) twice(`r${i}`);
    expect([memory.allows('r0'), memory.allows('r999')]).toEqual([false, false]);
    twice('one more');
    expect([memory.allows('r0'), memory.allows('r1')]).toEqual([true, false]);
  });
});
