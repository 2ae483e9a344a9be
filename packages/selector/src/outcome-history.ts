import { grown } from './slot-positions.ts';

/** Outcomes remembered per candidate. */
const kept = 100;
/** A row per candidate: 100 bits in four words, then three counts; half a cache line. */
const row = 8;
const samplesAt = 4;
const successesAt = 5;
const nextAt = 6;

/** The last 100 outcomes of each slot: a bit each, and their counts. */
export class OutcomeHistory {
  #rows = new Int32Array(16 * row);
  #successAt = new Float64Array(16);

  /** Makes the slot known, without outcomes. */
  reset(slot: number): void {
    const end = (slot + 1) * row;
    if (end > this.#rows.length) this.#rows = grown(this.#rows, end);
    this.#rows.fill(0, end - row, end);
    if (slot >= this.#successAt.length) this.#successAt = grown(this.#successAt, slot + 1);
    this.#successAt[slot] = -Infinity;
  }

  /** Outcomes held, at most 100. */
  samples(slot: number): number {
    return this.#rows[slot * row + samplesAt] as number;
  }

  /** 0 to 1; 0.5 without any outcome. */
  successRate(slot: number): number {
    const samples = this.samples(slot);
    return samples === 0 ? 0.5 : (this.#rows[slot * row + successesAt] as number) / samples;
  }

  /** When it last succeeded, at whatever target; −Infinity: not yet. Epoch milliseconds. */
  lastSuccessAt(slot: number): number {
    return this.#successAt[slot] as number;
  }

  record(slot: number, success: boolean, now: number): void {
    if (success) this.#successAt[slot] = now;
    const rows = this.#rows;
    const start = slot * row;
    const at = rows[start + nextAt] as number;
    const word = start + (at >> 5);
    const bits = rows[word] as number;
    const bit = 1 << (at & 31);
    if (((bits & bit) !== 0) !== success) {
      rows[word] = bits ^ bit;
      rows[start + successesAt] = (rows[start + successesAt] as number) + (success ? 1 : -1);
    }
    const samples = rows[start + samplesAt] as number;
    if (samples < kept) rows[start + samplesAt] = samples + 1;
    rows[start + nextAt] = at + 1 === kept ? 0 : at + 1;
  }
}
