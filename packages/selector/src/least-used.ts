import { SlotNumbers } from './slot-numbers.ts';
import { SlotSet } from './slot-set.ts';
import type { Candidates, Index, Strategy } from './strategy.ts';

/**
 * Candidates by their number of picks: a set for each number that occurs, of which there are two unless
 * candidates were excluded often. A heap was measured too: at 100,000 candidates each pick moves one
 * from its top to its bottom.
 */
class Uses implements Index {
  readonly #sets = new Map<number, SlotSet>();
  /** Of all sets: a candidate is in one of them. */
  readonly #positions: SlotNumbers;
  readonly #counts: SlotNumbers;
  #least = 0;

  constructor(among: Candidates) {
    this.#positions = new SlotNumbers(among.sparse);
    this.#counts = new SlotNumbers(among.sparse);
  }

  /** One that comes, or comes back, starts at the least: else it would get every pick for a while. */
  entered(slot: number): void {
    this.#settle();
    this.#put(slot, this.#least);
  }

  left(slot: number): void {
    this.hidden(slot);
    this.#counts.delete(slot);
  }

  /** Its picks still count. */
  changed(): void {}

  hidden(slot: number): void {
    const count = this.#counts.get(slot);
    const set = this.#sets.get(count);
    set?.delete(slot);
    if (set?.size === 0) this.#sets.delete(count);
  }

  shown(slot: number): void {
    this.#put(slot, this.#counts.get(slot));
  }

  next(): number {
    this.#settle();
    const set = this.#sets.get(this.#least);
    if (set === undefined) return -1;
    // The last one: neighbours in memory follow each other, and nothing has to move into a gap.
    const slot = set.at(set.size - 1);
    const count = this.#least;
    this.hidden(slot);
    this.#put(slot, count + 1);
    return slot;
  }

  #put(slot: number, count: number): void {
    let set = this.#sets.get(count);
    if (set === undefined) this.#sets.set(count, (set = new SlotSet(this.#positions)));
    set.add(slot);
    this.#counts.set(slot, count);
    if (count < this.#least) this.#least = count;
  }

  /** Finds the least count that occurs, when the last one has been used up. */
  #settle(): void {
    if (this.#sets.size === 0 || this.#sets.has(this.#least)) return;
    this.#least = Infinity;
    for (const count of this.#sets.keys()) if (count < this.#least) this.#least = count;
  }
}

const create = (among: Candidates) => new Uses(among);

/** The one with the fewest picks; a newcomer starts at the least. O(1). */
export function leastUsed(): Strategy {
  const strategy: Strategy = {
    name: 'leastUsed',
    pick: (among) => among.index(strategy, create).next(),
  };
  return strategy;
}
