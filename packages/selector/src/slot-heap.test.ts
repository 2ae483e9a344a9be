import { seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { SlotHeap } from './slot-heap.ts';
import { SlotNumbers } from './slot-numbers.ts';
import { SlotQueue } from './slot-queue.ts';

describe.each([
  ['dense', false],
  ['sparse', true],
])('%s', (_, sparse) => {
  it('a heap agrees with a sorted list through 20,000 insertions, changes and removals', () => {
    const random = seededRandom(3);
    const heap = new SlotHeap(sparse);
    const model = new Map<number, [key: number, second: number]>();
    const first = (accepts: (slot: number) => boolean) =>
      [...model]
        .filter(([slot]) => accepts(slot))
        .sort(([, a], [, b]) => a[0] - b[0] || a[1] - b[1])[0];
    for (let step = 0; step < 20_000; step++) {
      const slot = Math.floor(random() * 60);
      if (random() < 0.3) expect(heap.delete(slot)).toBe(model.delete(slot));
      else {
        const key = Math.floor(random() * 20);
        model.set(slot, [key, random()]);
        heap.set(slot, key, model.get(slot)?.[1]);
      }
      if (step % 50 === 0) heap.rekey((each) => (model.get(each) as number[])[0] as number);
      expect(heap.size).toBe(model.size);
      expect(heap.top).toBe(first(() => true)?.[0] ?? -1);
      expect(heap.topKey).toBe(first(() => true)?.[1][0] ?? Infinity);
      const odd = (each: number) => each % 2 === 1;
      expect(heap.find(odd)).toBe(first(odd)?.[0] ?? -1);
    }
  });

  it('a queue agrees with a list through 20,000 turns, arrivals and departures', () => {
    const random = seededRandom(4);
    const queue = new SlotQueue(new SlotNumbers(sparse));
    let model: number[] = [];
    for (let step = 0; step < 20_000; step++) {
      const slot = Math.floor(random() * 60);
      model = model.filter((each) => each !== slot);
      if (random() < 0.3) queue.delete(slot);
      else {
        queue.put(slot);
        model.push(slot);
      }
      expect(queue.find(() => true)).toBe(model[0] ?? -1);
      const odd = (each: number) => each % 2 === 1;
      expect(queue.find(odd)).toBe(model.find(odd) ?? -1);
    }
  });
});
