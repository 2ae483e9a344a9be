import { SlotHeap } from './slot-heap.ts';
import type { Candidates, Index, Strategy } from './strategy.ts';
import { TieClock } from './tie-clock.ts';

/** Picks of each candidate, the fewest first. */
class Uses implements Index {
  readonly #heap: SlotHeap;
  readonly #has: (slot: number) => boolean;
  readonly #ties: TieClock;

  constructor(among: Candidates) {
    this.#heap = new SlotHeap(among.sparse);
    this.#has = (slot) => among.has(slot);
    this.#ties = new TieClock(() => among.random());
  }

  /** One that comes, or comes back, starts at the least: else it would get every pick for a while. */
  entered(slot: number): void {
    this.#heap.set(slot, this.#heap.size === 0 ? 0 : this.#heap.topKey, this.#ties.next());
  }

  left(slot: number): void {
    this.#heap.delete(slot);
  }

  next(): number {
    const slot = this.#heap.find(this.#has);
    if (slot < 0) return -1;
    this.#ties.take(this.#heap.second(slot));
    this.#heap.set(slot, this.#heap.key(slot) + 1, this.#ties.next());
    return slot;
  }
}

const create = (among: Candidates) => new Uses(among);

/** The one with the fewest picks, ties at random; a newcomer starts at the least. O(log n). */
export function leastUsed(): Strategy {
  const strategy: Strategy = {
    name: 'leastUsed',
    pick: (among) => among.index(strategy, create).next(),
  };
  return strategy;
}
