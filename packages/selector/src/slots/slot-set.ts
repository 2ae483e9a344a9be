import { grown, SlotNumbers } from './slot-numbers.ts';

/** A set of slots in one dense array: membership, insertion, removal and a random member in O(1). */
export class SlotSet {
  readonly #positions: SlotNumbers;
  #slots = new Int32Array(16);
  #size = 0;

  /** Sets that never share a member may share their positions; then `has` speaks of all of them. */
  constructor(positions: SlotNumbers) {
    this.#positions = positions;
  }

  get size(): number {
    return this.#size;
  }

  /** The member at a position, −1 from `size` on. Removal moves the last member into the gap. */
  at(position: number): number {
    return position < this.#size ? (this.#slots[position] as number) : -1;
  }

  has(slot: number): boolean {
    return this.#positions.get(slot) >= 0;
  }

  /** False when it was a member already. */
  add(slot: number): boolean {
    if (this.#positions.get(slot) >= 0) return false;
    if (this.#size === this.#slots.length) this.#slots = grown(this.#slots, this.#size + 1);
    this.#slots[this.#size] = slot;
    this.#positions.set(slot, this.#size++);
    return true;
  }

  /** False when it was no member. */
  delete(slot: number): boolean {
    const position = this.#positions.get(slot);
    if (position < 0) return false;
    const last = this.#slots[--this.#size] as number;
    this.#slots[position] = last;
    this.#positions.set(last, position);
    this.#positions.delete(slot);
    return true;
  }
}
