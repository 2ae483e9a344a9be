import { SlotHeap } from '../slots/slot-heap.ts';
import { SlotEntries, SlotQueue } from '../slots/slot-queue.ts';
import type { Candidates, Index, Strategy } from '../strategy.ts';

/**
 * The candidate whose last turn is furthest back comes first. Turns are numbered, so that one that was away finds
 * its place again: in the queue where that is near the end, else in a heap beside it.
 */
class Turns implements Index {
  readonly #entries: SlotEntries;
  readonly #queue: SlotQueue;
  readonly #back: SlotHeap;
  readonly #has: (slot: number) => boolean;
  #turn = 0;

  constructor(among: Candidates) {
    this.#entries = new SlotEntries(among.sparse);
    this.#queue = new SlotQueue(this.#entries);
    this.#back = new SlotHeap(among.sparse);
    this.#has = (slot) => among.has(slot);
  }

  /** A newcomer waits for one round; one that comes back keeps its turn. */
  entered(slot: number): void {
    if (!this.#entries.has(slot)) this.#queue.put(slot, ++this.#turn);
    else if (!this.#queue.putByNumber(slot)) this.#back.set(slot, this.#entries.number(slot));
  }

  left(slot: number): void {
    if (!this.#back.delete(slot)) this.#queue.take(slot);
  }

  removed(slot: number): void {
    this.#entries.delete(slot);
  }

  /** It keeps its turn. */
  changed(): void {}

  next(): number {
    const slot = this.#first();
    if (slot < 0) return -1;
    this.left(slot);
    this.#queue.put(slot, ++this.#turn);
    return slot;
  }

  #first(): number {
    const queued = this.#queue.find(this.#has);
    const back = this.#back.find(this.#has);
    if (queued < 0) return back;
    return back >= 0 && this.#entries.number(back) < this.#entries.number(queued) ? back : queued;
  }
}

const create = (among: Candidates) => new Turns(among);

/**
 * Each in turn: N candidates get one pick each in N picks. A candidate that was away, because it was full, banned or
 * its circuit was open, keeps its turn; a newcomer waits for one round. Each filter has turns of its own, which
 * begin with the least recently picked. O(1); O(log n) for one that was away for long.
 */
export function roundRobin(): Strategy {
  const strategy: Strategy = {
    name: 'roundRobin',
    pick: (among) => among.index(strategy, create).next(),
  };
  return strategy;
}
