import { SlotNumbers } from './slot-numbers.ts';
import { SlotQueue } from './slot-queue.ts';
import type { Candidates, Index, Strategy } from './strategy.ts';

/** The one whose last turn is furthest back comes first. */
class Turns implements Index {
  readonly #queue: SlotQueue;
  readonly #has: (slot: number) => boolean;

  constructor(among: Candidates) {
    this.#queue = new SlotQueue(new SlotNumbers(among.sparse));
    this.#has = (slot) => among.has(slot);
  }

  /** A newcomer waits for one round. */
  entered(slot: number): void {
    this.#queue.put(slot);
  }

  left(slot: number): void {
    this.#queue.delete(slot);
  }

  /** It keeps its turn. */
  changed(): void {}

  next(): number {
    const slot = this.#queue.find(this.#has);
    if (slot >= 0) this.#queue.put(slot);
    return slot;
  }
}

const create = (among: Candidates) => new Turns(among);

/** Each in turn: N candidates get one pick each in N picks. O(1). */
export function roundRobin(): Strategy {
  const strategy: Strategy = {
    name: 'roundRobin',
    pick: (among) => among.index(strategy, create).next(),
  };
  return strategy;
}
