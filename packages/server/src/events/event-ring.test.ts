import { describe, expect, it } from 'vitest';
import { EventRing } from './event-ring.ts';

describe('EventRing', () => {
  it('A6 knows what came after an event, as far back as it reaches', () => {
    const ring = new EventRing<string>(3);
    expect(ring.after(0)).toEqual([]);
    for (const event of ['a', 'b', 'c', 'd']) ring.push(event);
    expect(ring.after(4)).toEqual([]);
    expect(ring.after(2)).toEqual([
      { number: 3, event: 'c' },
      { number: 4, event: 'd' },
    ]);
    expect(ring.after(1)?.map(({ event }) => event)).toEqual(['b', 'c', 'd']);
    expect(ring.after(0)).toBeUndefined();
    expect(ring.after(5)).toBeUndefined();
    expect(ring.after(-1)).toBeUndefined();
    expect(ring.after(NaN)).toBeUndefined();
    expect(ring.after(1.5)).toBeUndefined();
  });
});
