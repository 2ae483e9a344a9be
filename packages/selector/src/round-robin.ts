import { SlotHeap } from './slot-heap.ts';
import type { Candidates, Index, Strategy } from './strategy.ts';

/** Who waits for how long: the one whose last turn is furthest back comes first. */
class Turns implements Index {
  readonly #queue: SlotHeap;
  readonly #has: (slot: number) => boolean;
  #turn = 0;

  constructor(among: Candidates) {
    this.#queue = new SlotHeap(among.sparse);
    this.#has = (slot) => among.has(slot);
  }

  /** A newcomer waits for one round. */
  entered(slot: number): void {
    this.#queue.set(slot, ++this.#turn);
  }

  left(slot: number): void {
    this.#queue.delete(slot);
  }

  next(): number {
    const slot = this.#queue.find(this.#has);
    if (slot >= 0) this.#queue.set(slot, ++this.#turn);
    return slot;
  }
}

const create = (among: Candidates) => new Turns(among);

/** Each in turn: N candidates get one pick each in N picks. O(log n). */
export function roundRobin(): Strategy {
  const strategy: Strategy = {
    name: 'roundRobin',
    pick: (among) => among.index(strategy, create).next(),
  };
  return strategy;
}
