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

it('finds each one at its own hash, and behind the last one the first', () => {
  const ring = new Ring(idOf);
  const hashes = Array.from({ length: 8 }, (_, slot) => slot * 2 ** 29);
  hashes.forEach((hash, slot) => ring.add(slot, hash));
  hashes.forEach((hash, slot) => {
    const place = ring.from(hash);
    expect([ring.slotAt(place), ring.hashAt(place)]).toEqual([slot, hash]);
    expect(ring.slotAt(ring.from(hash + 1))).toBe((slot + 1) % 8);
  });
  expect(ring.slotAt(ring.from(2 ** 32 - 1))).toBe(0);
});

it('holds many of the largest hash, in the order of their ids', () => {
  const ring = new Ring(idOf);
  const slots = Array.from({ length: 60 }, (_, slot) => slot);
  for (const slot of slots) ring.add(slot, 2 ** 32 - 1);
  expect(walk(ring, 2 ** 32 - 1)).toEqual(slots);
});

it('can be emptied and filled again and again', () => {
  const ring = new Ring(idOf);
  for (let i = 0; i < 40; i++) {
    ring.add(1, 2 ** 32 - 1);
    ring.delete(1, 2 ** 32 - 1);
  }
  ring.add(2, 2 ** 31);
  ring.add(3, 7);
  expect([walk(ring, 0), walk(ring, 8)]).toEqual([
    [3, 2],
    [2, 3],
  ]);
});
