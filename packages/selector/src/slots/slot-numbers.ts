/**
 * A whole number from 0 on for each slot, such as where it stands in a dense array. Slots are small
 * numbers, so a typed array is best for a structure that holds a good part of the pool; one that holds
 * few of many uses a map, or a hundred regions at 100,000 candidates would cost a hundred arrays of
 * that length.
 */
export class SlotNumbers {
  /** The number + 1, so that a fresh array says absent. */
  #dense: Int32Array | undefined;
  readonly #sparse: Map<number, number> | undefined;

  constructor(sparse: boolean) {
    if (sparse) this.#sparse = new Map();
    else this.#dense = new Int32Array(16);
  }

  /** −1 when absent. */
  get(slot: number): number {
    if (this.#dense !== undefined) return (this.#dense[slot] ?? 0) - 1;
    return this.#sparse?.get(slot) ?? -1;
  }

  set(slot: number, value: number): void {
    if (this.#dense === undefined) this.#sparse?.set(slot, value);
    else {
      if (slot >= this.#dense.length) this.#dense = grown(this.#dense, slot + 1);
      this.#dense[slot] = value + 1;
    }
  }

  delete(slot: number): void {
    if (this.#dense === undefined) this.#sparse?.delete(slot);
    else this.#dense[slot] = 0;
  }
}

/** A byte for each slot, 0 until it is set: small enough for a processor's cache at 100,000. */
export class SlotBytes {
  #dense: Uint8Array | undefined;
  readonly #sparse: Map<number, number> | undefined;

  constructor(sparse: boolean) {
    if (sparse) this.#sparse = new Map();
    else this.#dense = new Uint8Array(16);
  }

  get(slot: number): number {
    return (this.#dense === undefined ? this.#sparse?.get(slot) : this.#dense[slot]) ?? 0;
  }

  set(slot: number, byte: number): void {
    if (this.#dense === undefined) {
      if (byte === 0) this.#sparse?.delete(slot);
      else this.#sparse?.set(slot, byte);
      return;
    }
    if (slot >= this.#dense.length) this.#dense = grown(this.#dense, slot + 1);
    this.#dense[slot] = byte;
  }
}

type Growable = Int8Array | Int32Array | Uint32Array | Uint8Array | Float32Array | Float64Array;

/** A copy with room for at least `size`; half as much again as before, so that growth is O(1). */
export function grown<Kind extends Growable>(array: Kind, size: number): Kind {
  const length = Math.max(size, Math.ceil(array.length * 1.5), 16);
  const copy = new (array.constructor as new (length: number) => Kind)(length);
  copy.set(array);
  return copy;
}
