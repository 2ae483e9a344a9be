import { SlotHeap } from './slot-heap.ts';
import { grown } from './slot-positions.ts';

const kept = 100;
/** Rows per page: memory comes as candidates succeed, and growing copies nothing. */
const rows = 64;

/**
 * The latencies of each slot's last 100 successes, their average, and the largest average of all.
 * 400 bytes per candidate that has succeeded, so it is made only for a strategy that asks for it.
 */
export class LatencyHistory {
  readonly #pages: (Float32Array | undefined)[] = [];
  readonly #largest = new SlotHeap();
  #counts = new Uint8Array(16);
  #next = new Uint8Array(16);
  #sums = new Float64Array(16);

  /** Makes the slot known, without latencies. */
  reset(slot: number): void {
    if (slot >= this.#counts.length) {
      this.#counts = grown(this.#counts, slot + 1);
      this.#next = grown(this.#next, this.#counts.length);
      this.#sums = grown(this.#sums, this.#counts.length);
    }
    this.#counts[slot] = this.#next[slot] = this.#sums[slot] = 0;
    this.#largest.delete(slot);
  }

  /** Forgets a slot that left the pool. */
  delete(slot: number): void {
    this.#largest.delete(slot);
  }

  /** Milliseconds; 0 without any success. */
  average(slot: number): number {
    const count = this.#counts[slot] as number;
    return count === 0 ? 0 : (this.#sums[slot] as number) / count;
  }

  /** The largest average of any candidate, 0 without any. */
  get largestMs(): number {
    return this.#largest.size === 0 ? 0 : -this.#largest.topKey;
  }

  record(slot: number, latencyMs: number): void {
    const page = (this.#pages[Math.floor(slot / rows)] ??= new Float32Array(rows * kept));
    const row = (slot % rows) * kept;
    const at = this.#next[slot] as number;
    const count = this.#counts[slot] as number;
    const old = count === kept ? (page[row + at] as number) : 0;
    page[row + at] = latencyMs;
    // What was stored is what will be taken off again: the sum does not drift.
    this.#sums[slot] = (this.#sums[slot] as number) - old + (page[row + at] as number);
    if (count < kept) this.#counts[slot] = count + 1;
    this.#next[slot] = at + 1 === kept ? 0 : at + 1;
    this.#largest.set(slot, -this.average(slot));
  }
}
