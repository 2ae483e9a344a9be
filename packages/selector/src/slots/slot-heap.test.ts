import { seededRandom } from '@whirl/testkit';
import { describe, expect, it } from 'vitest';
import { SlotHeap } from './slot-heap.ts';
import { SlotEntries, SlotQueue } from './slot-queue.ts';

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

  it('queues that share entries agree with lists through 20,000 turns, arrivals and departures', () => {
    const random = seededRandom(4);
    const entries = new SlotEntries(sparse);
    const queues = [new SlotQueue(entries), new SlotQueue(entries)] as const;
    const models: [number[], number[]] = [[], []];
    for (let step = 1; step <= 20_000; step++) {
      const slot = Math.floor(random() * 60);
      for (const which of [0, 1] as const) {
        if (!models[which].includes(slot)) continue;
        models[which] = models[which].filter((each) => each !== slot);
        expect(queues[which].take(slot)).toBe(true);
        expect(queues[which].take(slot)).toBe(false);
      }
      if (random() < 0.1) {
        entries.delete(slot);
        expect(entries.has(slot)).toBe(false);
      } else if (random() < 0.7) {
        const which = random() < 0.7 ? 0 : 1;
        queues[which].put(slot, step);
        models[which].push(slot);
        expect(entries.number(slot)).toBe(step);
      }
      for (const which of [0, 1] as const) {
        expect(queues[which].find(() => true)).toBe(models[which][0] ?? -1);
        expect(queues[which].isEmpty).toBe(models[which].length === 0);
        const odd = (each: number) => each % 2 === 1;
        expect(queues[which].find(odd)).toBe(models[which].find(odd) ?? -1);
      }
    }
  });

  it('a slot that was taken goes back by its number, unless more than eight are behind it', () => {
    for (let behind = 0; behind < 12; behind++) {
      const entries = new SlotEntries(sparse);
      const queue = new SlotQueue(entries);
      for (let slot = 0; slot < 20; slot++) queue.put(slot, 10 * slot);
      const slot = 19 - behind;
      queue.take(slot);
      expect(queue.putByNumber(slot)).toBe(behind <= 8);
      const order: number[] = [];
      for (let first = queue.find(() => true); first >= 0; first = queue.find(() => true)) {
        order.push(first);
        queue.take(first);
      }
      const all = Array.from({ length: 20 }, (_, i) => i);
      expect(order).toEqual(behind <= 8 ? all : all.filter((each) => each !== slot));
      expect(queue.putByNumber(slot)).toBe(true);
      expect(queue.find(() => true)).toBe(slot);
    }
  });
});
