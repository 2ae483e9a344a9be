import { grown } from './slot-positions.ts';

/** Outcomes remembered per candidate. */
const kept = 100;
/** A row per candidate: 100 bits in four words, then four counts; half a cache line. */
const row = 8;
const samplesAt = 4;
const successesAt = 5;
const nextAt = 6;
const allSuccessesAt = 7;

/** The last 100 outcomes of each slot: a bit each, and their counts. */
export class OutcomeHistory {
  #rows = new Int32Array(16 * row);

  /** Makes the slot known, without outcomes. */
  reset(slot: number): void {
    const end = (slot + 1) * row;
    if (end > this.#rows.length) this.#rows = grown(this.#rows, end);
    this.#rows.fill(0, end - row, end);
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

  /** How often it has succeeded since it was added, at whatever target. */
  successes(slot: number): number {
    return this.#rows[slot * row + allSuccessesAt] as number;
  }

  record(slot: number, success: boolean): void {
    const rows = this.#rows;
    const start = slot * row;
    if (success) rows[start + allSuccessesAt] = (rows[start + allSuccessesAt] as number) + 1;
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
