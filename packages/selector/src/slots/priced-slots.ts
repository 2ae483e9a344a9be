import { grown, SlotNumbers } from './slot-numbers.ts';

/**
 * A set of slots like `SlotSet`, with what each cost when it was last looked at. The prices stand close
 * together, so comparing some of them at random touches none of the members' own memory.
 */
export class PricedSlots {
  readonly #positions: SlotNumbers;
  #slots = new Int32Array(16);
  #prices = new Float32Array(16);
  #size = 0;

  /** Its positions may be shared with sets that never share a member with it. */
  constructor(positions: SlotNumbers) {
    this.#positions = positions;
  }

  get size(): number {
    return this.#size;
  }

  /** The member at a position below `size`. Removal moves the last member into the gap. */
  at(position: number): number {
    return this.#slots[position] as number;
  }

  price(position: number): number {
    return this.#prices[position] as number;
  }

  setPrice(position: number, price: number): void {
    this.#prices[position] = price;
  }

  /** Adds a slot that is no member. */
  add(slot: number, price: number): void {
    if (this.#size === this.#slots.length) {
      this.#slots = grown(this.#slots, this.#size + 1);
      this.#prices = grown(this.#prices, this.#size + 1);
    }
    this.#slots[this.#size] = slot;
    this.#prices[this.#size] = price;
    this.#positions.set(slot, this.#size++);
  }

  /** Puts a slot that is no member in the place of one that is. */
  replace(position: number, slot: number, price: number): void {
    this.#positions.delete(this.at(position));
    this.#slots[position] = slot;
    this.#prices[position] = price;
    this.#positions.set(slot, position);
  }

  /** Removes a member. */
  delete(slot: number): void {
    const position = this.#positions.get(slot);
    const last = --this.#size;
    const moved = this.#slots[last] as number;
    this.#slots[position] = moved;
    this.#prices[position] = this.#prices[last] as number;
    this.#positions.set(moved, position);
    this.#positions.delete(slot);
  }
}
