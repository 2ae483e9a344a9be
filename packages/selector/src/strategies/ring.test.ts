import { seededRandom } from '@whirl/testkit';
import { expect, it } from 'vitest';
import { Ring } from './ring.ts';

const idOf = (slot: number) => String(slot).padStart(6, '0');

/** All slots, in the order of a walk that begins at a hash. */
function walk(ring: Ring, hash: number): number[] {
  const slots: number[] = [];
  for (let at = ring.from(hash); slots.length < ring.size; at = ring.after(at)) {
    slots.push(ring.slotAt(at));
  }
  return slots;
}

it('holds what a sorted list holds, from any point on, while it grows and shrinks', () => {
  const random = seededRandom(5);
  // Few hashes, and all at the end of the range: equal ones, and no place after the last.
  const draws = [
    () => Math.floor(random() * 2 ** 32),
    () => 2 ** 32 - 1 - Math.floor(random() * 40),
  ];
  for (const draw of draws) {
    const ring = new Ring(idOf);
    const model = new Map<number, number>();
    for (let step = 0; step < 4000; step++) {
      const slot = Math.floor(random() * 400);
      const known = model.get(slot);
      const grows = step < 1500 || (step > 2500 && step < 3000);
      if (known === undefined && grows) {
        const hash = draw();
        model.set(slot, hash);
        ring.add(slot, hash);
        ring.add(slot, hash);
      } else if (known !== undefined && random() < 0.5) {
        model.delete(slot);
        ring.delete(slot, known);
        ring.delete(slot, known);
      }
      if (step % 50 > 0) continue;
      const sorted = [...model].sort(([a, h], [b, i]) => h - i || a - b);
      const point = draw();
      const next = sorted.findIndex(([, hash]) => hash >= point);
      const turned = next < 0 ? sorted : [...sorted.slice(next), ...sorted.slice(0, next)];
      expect(walk(ring, point)).toEqual(turned.map(([each]) => each));
    }
  }
});

it('is empty: there is no place', () => {
  const ring = new Ring(idOf);
  expect(ring.from(7)).toBe(-1);
  ring.add(1, 9);
  ring.delete(1, 9);
  expect([ring.size, ring.from(7)]).toEqual([0, -1]);
});
