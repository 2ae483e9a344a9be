import { grown, SlotPositions } from './slot-positions.ts';

/**
 * Draws slots in proportion to their weights: a binary tree whose nodes hold the sum of their leaves.
 * Setting a weight and drawing are O(log n). Each node is computed from its children, never by adding
 * differences, so that rounding does not build up and a tree of zeros sums up to exactly zero.
 */
export class SumTree {
  readonly #positions: SlotPositions;
  #leaves = new Int32Array(16);
  #free: number[] = [];
  #used = 0;
  #capacity = 16;
  /** Node 1 is the root, the children of n are 2n and 2n + 1, leaf i is capacity + i. */
  #sums = new Float64Array(32);

  constructor(sparse = false) {
    this.#positions = new SlotPositions(sparse);
  }

  get total(): number {
    return this.#sums[1] as number;
  }

  set(slot: number, weight: number): void {
    let leaf = this.#positions.get(slot);
    if (leaf < 0) {
      leaf = this.#free.pop() ?? this.#used++;
      if (leaf >= this.#capacity) this.#grow();
      this.#leaves[leaf] = slot;
      this.#positions.set(slot, leaf);
    }
    this.#put(leaf, weight);
  }

  delete(slot: number): void {
    const leaf = this.#positions.get(slot);
    if (leaf < 0) return;
    this.#put(leaf, 0);
    this.#positions.delete(slot);
    this.#free.push(leaf);
  }

  /** The slot at `ratio` (from 0 up to 1) of the total; −1 when all weights are zero. */
  find(ratio: number): number {
    const sums = this.#sums;
    let left = ratio * (sums[1] as number);
    if (sums[1] === 0) return -1;
    let node = 1;
    while (node < this.#capacity) {
      node *= 2;
      const sum = sums[node] as number;
      // The second test: rounding must not lead into a branch that is empty.
      if (left >= sum && (sums[node + 1] as number) > 0) {
        left -= sum;
        node++;
      }
    }
    return this.#leaves[node - this.#capacity] as number;
  }

  #put(leaf: number, weight: number): void {
    const sums = this.#sums;
    let node = this.#capacity + leaf;
    sums[node] = weight;
    for (node >>= 1; node > 0; node >>= 1) {
      sums[node] = (sums[2 * node] as number) + (sums[2 * node + 1] as number);
    }
  }

  #grow(): void {
    const old = this.#sums.subarray(this.#capacity);
    this.#capacity *= 2;
    const sums = new Float64Array(2 * this.#capacity);
    sums.set(old, this.#capacity);
    for (let node = this.#capacity - 1; node > 0; node--) {
      sums[node] = (sums[2 * node] as number) + (sums[2 * node + 1] as number);
    }
    this.#sums = sums;
    this.#leaves = grown(this.#leaves, this.#capacity);
  }
}
