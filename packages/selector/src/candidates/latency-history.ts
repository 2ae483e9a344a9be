import { grown } from '../slots/slot-numbers.ts';

const kept = 100;
/** How old the largest average may be, where there are more candidates than `few`: finding it is O(n). */
export const searchedEveryMs = 1000;
export const few = 64;
/** Rows per page: memory comes as candidates succeed, and growing copies nothing. */
const rows = 64;

/**
 * The latencies of each slot's last 100 successes, their average, and the largest average of all.
 * 400 bytes per candidate that has succeeded, so it is made only for a strategy that asks for it.
 */
export class LatencyHistory {
  readonly #pages: (Float32Array | undefined)[] = [];
  #counts = new Uint8Array(16);
  #next = new Uint8Array(16);
  #sums = new Float64Array(16);
  #slots = 0;
  #largestMs = 0;
  /** Whose it is, −1 for none: it left, or its average fell. */
  #largest = -1;
  #searchedAt = -Infinity;

  /** Makes the slot known, without latencies. */
  reset(slot: number): void {
    if (slot >= this.#counts.length) {
      this.#counts = grown(this.#counts, slot + 1);
      this.#next = grown(this.#next, this.#counts.length);
      this.#sums = grown(this.#sums, this.#counts.length);
    }
    this.#slots = Math.max(this.#slots, slot + 1);
    this.#counts[slot] = this.#next[slot] = this.#sums[slot] = 0;
    if (slot === this.#largest) this.#largest = -1;
  }

  /** Milliseconds; 0 without any success. */
  average(slot: number): number {
    const count = this.#counts[slot] as number;
    return count === 0 ? 0 : (this.#sums[slot] as number) / count;
  }

  /** The largest average of any candidate, 0 without any; in a large pool as it was up to 1 s ago. */
  largestMs(now: number): number {
    if (this.#largest >= 0 || this.#largestMs === 0) return this.#largestMs;
    if (this.#slots > few && Math.abs(now - this.#searchedAt) < searchedEveryMs)
      return this.#largestMs;
    this.#searchedAt = now;
    this.#largestMs = 0;
    for (let slot = 0; slot < this.#slots; slot++) this.#compare(slot, this.average(slot));
    return this.#largestMs;
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
    const average = this.average(slot);
    if (slot === this.#largest && average < this.#largestMs) this.#largest = -1;
    else this.#compare(slot, average);
  }

  #compare(slot: number, averageMs: number): void {
    if (averageMs <= this.#largestMs) return;
    this.#largestMs = averageMs;
    this.#largest = slot;
  }
}
