import { grown, SlotNumbers } from './slot-numbers.ts';

/** Numbers of an entry: its key, the second key, the slot. Together, for they are read together. */
const entryNumbers = 3;
const second = 1;
const slotAt = 2;

/**
 * Slots by a key, the smallest first; equal keys by a second one. Each slot is in it at most once and
 * can be changed or removed in O(log n).
 */
export class SlotHeap {
  readonly #positions: SlotNumbers;
  #entries = new Float64Array(16 * entryNumbers);
  #size = 0;

  constructor(sparse = false) {
    this.#positions = new SlotNumbers(sparse);
  }

  get size(): number {
    return this.#size;
  }

  /** The slot with the smallest key, −1 when empty. */
  get top(): number {
    return this.#size === 0 ? -1 : this.#slot(0);
  }

  /** The smallest key, Infinity when empty. */
  get topKey(): number {
    return this.#size === 0 ? Infinity : this.#key(0);
  }

  has(slot: number): boolean {
    return this.#positions.get(slot) >= 0;
  }

  /** The key of a member. */
  key(slot: number): number {
    return this.#key(this.#positions.get(slot));
  }

  /** The second key of a member. */
  second(slot: number): number {
    return this.#second(this.#positions.get(slot));
  }

  /** The smallest slot that `accepts` takes, −1 without any. Visits those refused and their children. */
  find(accepts: (slot: number) => boolean): number {
    const position = this.#find(0, accepts);
    return position < 0 ? -1 : this.#slot(position);
  }

  /** How many keys are at most `limit`. O(that many). */
  countUpTo(limit: number, counts: (slot: number) => boolean, from = 0): number {
    if (from >= this.#size || this.#key(from) > limit) return 0;
    return (
      (counts(this.#slot(from)) ? 1 : 0) +
      this.countUpTo(limit, counts, 2 * from + 1) +
      this.countUpTo(limit, counts, 2 * from + 2)
    );
  }

  /** Inserts the slot, or changes its keys. */
  set(slot: number, key: number, secondKey = 0): void {
    let position = this.#positions.get(slot);
    if (position < 0) {
      position = this.#size++;
      const end = this.#size * entryNumbers;
      if (end > this.#entries.length) this.#entries = grown(this.#entries, end);
    }
    this.#sift(position, slot, key, secondKey);
  }

  /** False when it was no member. */
  delete(slot: number): boolean {
    const position = this.#positions.get(slot);
    if (position < 0) return false;
    this.#positions.delete(slot);
    const last = --this.#size;
    if (position !== last) {
      this.#sift(position, this.#slot(last), this.#key(last), this.#second(last));
    }
    return true;
  }

  /** Gives every member a new key, in O(n). */
  rekey(keyOf: (slot: number) => number): void {
    for (let i = 0; i < this.#size; i++) this.#entries[i * entryNumbers] = keyOf(this.#slot(i));
    for (let i = (this.#size >> 1) - 1; i >= 0; i--) {
      this.#down(i, this.#slot(i), this.#key(i), this.#second(i));
    }
  }

  #key(position: number): number {
    return this.#entries[position * entryNumbers] as number;
  }

  #second(position: number): number {
    return this.#entries[position * entryNumbers + second] as number;
  }

  #slot(position: number): number {
    return this.#entries[position * entryNumbers + slotAt] as number;
  }

  #find(from: number, accepts: (slot: number) => boolean): number {
    if (from >= this.#size) return -1;
    if (accepts(this.#slot(from))) return from;
    const left = this.#find(2 * from + 1, accepts);
    const right = this.#find(2 * from + 2, accepts);
    if (left < 0 || right < 0) return Math.max(left, right);
    return this.#before(left, this.#key(right), this.#second(right)) ? left : right;
  }

  #before(position: number, key: number, secondKey: number): boolean {
    const own = this.#key(position);
    return own < key || (own === key && this.#second(position) < secondKey);
  }

  #put(position: number, slot: number, key: number, secondKey: number): void {
    const at = position * entryNumbers;
    this.#entries[at] = key;
    this.#entries[at + second] = secondKey;
    this.#entries[at + slotAt] = slot;
    this.#positions.set(slot, position);
  }

  #move(from: number, to: number): void {
    this.#put(to, this.#slot(from), this.#key(from), this.#second(from));
  }

  /** Puts an entry where it belongs, starting from a position that is free. */
  #sift(position: number, slot: number, key: number, secondKey: number): void {
    let at = position;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const own = this.#key(parent);
      if (own < key || (own === key && this.#second(parent) <= secondKey)) break;
      this.#move(parent, at);
      at = parent;
    }
    if (at === position) this.#down(at, slot, key, secondKey);
    else this.#put(at, slot, key, secondKey);
  }

  #down(position: number, slot: number, key: number, secondKey: number): void {
    let at = position;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      const other = child + 1;
      if (other < this.#size && this.#before(other, this.#key(child), this.#second(child))) {
        child = other;
      }
      if (!this.#before(child, key, secondKey)) break;
      this.#move(child, at);
      at = child;
    }
    this.#put(at, slot, key, secondKey);
  }
}
