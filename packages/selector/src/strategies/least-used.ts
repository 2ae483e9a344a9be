import { SlotHeap } from '../slots/slot-heap.ts';
import { SlotEntries, SlotQueue } from '../slots/slot-queue.ts';
import type { Candidates, Index, Strategy } from '../strategy.ts';

/**
 * Candidates by their number of picks: a queue for each number that occurs, and a heap of these numbers, of which
 * there are two unless candidates were away. A heap of candidates was measured too: at 100,000 each pick moves one
 * from its top to its bottom.
 */
class Uses implements Index {
  /** Of all queues. The number of an entry is the candidate's count, which stays while it is away. */
  readonly #entries: SlotEntries;
  readonly #queues = new Map<number, SlotQueue>();
  readonly #counts = new SlotHeap(true);
  readonly #has: (slot: number) => boolean;
  readonly #offers: (count: number) => boolean;
  /** The count of the last pick. */
  #last = 0;

  constructor(among: Candidates) {
    this.#entries = new SlotEntries(among.sparse);
    this.#has = (slot) => among.has(slot);
    this.#offers = (count) => this.#first(count) >= 0;
  }

  /** One that comes back keeps its count. A newcomer starts at the least, or it would get every pick for a while. */
  entered(slot: number): void {
    const isKnown = this.#entries.has(slot);
    const least = this.#counts.size > 0 ? this.#counts.topKey : this.#last;
    this.#put(slot, isKnown ? this.#entries.number(slot) : least);
  }

  left(slot: number): void {
    const count = this.#entries.number(slot);
    const queue = this.#queues.get(count) as SlotQueue;
    queue.take(slot);
    if (!queue.isEmpty) return;
    this.#queues.delete(count);
    this.#counts.delete(count);
  }

  removed(slot: number): void {
    this.#entries.delete(slot);
  }

  /** Its picks still count. */
  changed(): void {}

  next(): number {
    const count = this.#counts.find(this.#offers);
    if (count < 0) return -1;
    this.#last = count;
    const slot = this.#first(count);
    this.left(slot);
    this.#put(slot, count + 1);
    return slot;
  }

  /** The first candidate with a count that occurs, −1 when none of those may be picked. */
  #first(count: number): number {
    return (this.#queues.get(count) as SlotQueue).find(this.#has);
  }

  #put(slot: number, count: number): void {
    let queue = this.#queues.get(count);
    if (queue === undefined) {
      queue = new SlotQueue(this.#entries);
      this.#queues.set(count, queue);
      this.#counts.set(count, count);
    }
    queue.put(slot, count);
  }
}

const create = (among: Candidates) => new Uses(among);

/**
 * The candidate with the fewest picks, of equals the one that has had that number for longest. One that was away,
 * because it was full, banned or its circuit was open, keeps its count; a newcomer starts at the least of those
 * available. Each filter counts for itself from its first pick on, and begins with the least recently picked. O(1) beside the number of
 * different counts.
 */
export function leastUsed(): Strategy {
  const strategy: Strategy = {
    name: 'leastUsed',
    pick: (among) => among.index(strategy, create).next(),
  };
  return strategy;
}
