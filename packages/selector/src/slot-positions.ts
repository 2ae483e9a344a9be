/**
 * Where each slot stands in a dense array. Slots are small numbers, so a typed array is best for a
 * structure that holds a good part of the pool; one that holds few of many uses a map, or a hundred
 * regions at 100,000 candidates would cost a hundred arrays of that length.
 */
export class SlotPositions {
  /** Position + 1 by slot, so that a fresh array says absent. */
  #dense: Int32Array | undefined;
  readonly #sparse: Map<number, number> | undefined;

  constructor(sparse: boolean) {
    if (sparse) this.#sparse = new Map();
    else this.#dense = new Int32Array(16);
  }

  get sparse(): boolean {
    return this.#sparse !== undefined;
  }

  /** −1 when absent. */
  get(slot: number): number {
    if (this.#dense !== undefined) return (this.#dense[slot] ?? 0) - 1;
    return this.#sparse?.get(slot) ?? -1;
  }

  set(slot: number, position: number): void {
    if (this.#dense === undefined) this.#sparse?.set(slot, position);
    else {
      if (slot >= this.#dense.length) this.#dense = grown(this.#dense, slot + 1);
      this.#dense[slot] = position + 1;
    }
  }

  delete(slot: number): void {
    if (this.#dense === undefined) this.#sparse?.delete(slot);
    else this.#dense[slot] = 0;
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
