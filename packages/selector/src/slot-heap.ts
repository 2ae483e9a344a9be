import { grown, SlotPositions } from './slot-positions.ts';

/**
 * Slots by a key, the smallest first; equal keys by a second one. Each slot is in it at most once and
 * can be changed or removed in O(log n).
 */
export class SlotHeap {
  readonly #positions: SlotPositions;
  #slots = new Int32Array(16);
  #keys = new Float64Array(16);
  #seconds = new Float64Array(16);
  #size = 0;

  constructor(sparse = false) {
    this.#positions = new SlotPositions(sparse);
  }

  get size(): number {
    return this.#size;
  }

  /** The slot with the smallest key, −1 when empty. */
  get top(): number {
    return this.#size === 0 ? -1 : (this.#slots[0] as number);
  }

  /** The smallest key, Infinity when empty. */
  get topKey(): number {
    return this.#size === 0 ? Infinity : (this.#keys[0] as number);
  }

  has(slot: number): boolean {
    return this.#positions.get(slot) >= 0;
  }

  /** The key of a member. */
  key(slot: number): number {
    return this.#keys[this.#positions.get(slot)] ?? NaN;
  }

  /** The second key of a member. */
  second(slot: number): number {
    return this.#seconds[this.#positions.get(slot)] ?? NaN;
  }

  /** The smallest slot that `accepts` takes, −1 without any. Visits those refused and their children. */
  find(accepts: (slot: number) => boolean): number {
    const position = this.#find(0, accepts);
    return position < 0 ? -1 : (this.#slots[position] as number);
  }

  /** How many keys are at most `limit`. O(that many). */
  countUpTo(limit: number, counts: (slot: number) => boolean, from = 0): number {
    if (from >= this.#size || (this.#keys[from] as number) > limit) return 0;
    return (
      (counts(this.#slots[from] as number) ? 1 : 0) +
      this.countUpTo(limit, counts, 2 * from + 1) +
      this.countUpTo(limit, counts, 2 * from + 2)
    );
  }

  /** Inserts the slot, or changes its keys. */
  set(slot: number, key: number, second = 0): void {
    let position = this.#positions.get(slot);
    if (position < 0) {
      position = this.#size++;
      if (position >= this.#slots.length) {
        this.#slots = grown(this.#slots, this.#size);
        this.#keys = grown(this.#keys, this.#size);
        this.#seconds = grown(this.#seconds, this.#size);
      }
    }
    this.#sift(position, slot, key, second);
  }

  /** False when it was no member. */
  delete(slot: number): boolean {
    const position = this.#positions.get(slot);
    if (position < 0) return false;
    this.#positions.delete(slot);
    const last = --this.#size;
    if (position !== last) {
      this.#sift(
        position,
        this.#slots[last] as number,
        this.#keys[last] as number,
        this.#seconds[last] as number,
      );
    }
    return true;
  }

  /** Gives every member a new key, in O(n). */
  rekey(keyOf: (slot: number) => number): void {
    for (let i = 0; i < this.#size; i++) this.#keys[i] = keyOf(this.#slots[i] as number);
    for (let i = (this.#size >> 1) - 1; i >= 0; i--) {
      this.#down(i, this.#slots[i] as number, this.#keys[i] as number, this.#seconds[i] as number);
    }
  }

  #find(from: number, accepts: (slot: number) => boolean): number {
    if (from >= this.#size) return -1;
    if (accepts(this.#slots[from] as number)) return from;
    const left = this.#find(2 * from + 1, accepts);
    const right = this.#find(2 * from + 2, accepts);
    if (left < 0 || right < 0) return Math.max(left, right);
    return this.#before(left, this.#keys[right] as number, this.#seconds[right] as number)
      ? left
      : right;
  }

  #before(position: number, key: number, second: number): boolean {
    const own = this.#keys[position] as number;
    return own < key || (own === key && (this.#seconds[position] as number) < second);
  }

  #place(position: number, slot: number, key: number, second: number): void {
    this.#slots[position] = slot;
    this.#keys[position] = key;
    this.#seconds[position] = second;
    this.#positions.set(slot, position);
  }

  #move(from: number, to: number): void {
    this.#place(
      to,
      this.#slots[from] as number,
      this.#keys[from] as number,
      this.#seconds[from] as number,
    );
  }

  /** Puts an entry where it belongs, starting from a position that is free. */
  #sift(position: number, slot: number, key: number, second: number): void {
    let at = position;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const own = this.#keys[parent] as number;
      if (own < key || (own === key && (this.#seconds[parent] as number) <= second)) break;
      this.#move(parent, at);
      at = parent;
    }
    if (at === position) this.#down(at, slot, key, second);
    else this.#place(at, slot, key, second);
  }

  #down(position: number, slot: number, key: number, second: number): void {
    let at = position;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      const other = child + 1;
      if (
        other < this.#size &&
        this.#before(other, this.#keys[child] as number, this.#seconds[child] as number)
      ) {
        child = other;
      }
      if (!this.#before(child, key, second)) break;
      this.#move(child, at);
      at = child;
    }
    this.#place(at, slot, key, second);
  }
}
