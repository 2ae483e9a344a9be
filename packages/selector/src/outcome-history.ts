import { outcomeColumns, rowWords as row, type CandidateRows } from './candidate-rows.ts';

/** Outcomes remembered per candidate. */
const kept = 100;
/** Words of the candidate's row: 100 bits in four of them, then four counts. */
const bitsAt = 2 * outcomeColumns;
const samplesAt = bitsAt + 4;
const successesAt = bitsAt + 5;
const nextAt = bitsAt + 6;
const allSuccessesAt = bitsAt + 7;

/** The last 100 outcomes of each slot: a bit each, and their counts. */
export class OutcomeHistory {
  readonly #rows: CandidateRows;

  constructor(rows: CandidateRows) {
    this.#rows = rows;
  }

  /** Makes the slot known, without outcomes. */
  reset(slot: number): void {
    const start = slot * row + bitsAt;
    this.#rows.words.fill(0, start, start + 8);
  }

  /** Outcomes held, at most 100. */
  samples(slot: number): number {
    return this.#rows.words[slot * row + samplesAt] as number;
  }

  /** 0 to 1; 0.5 without any outcome. */
  successRate(slot: number): number {
    const samples = this.samples(slot);
    return samples === 0 ? 0.5 : (this.#rows.words[slot * row + successesAt] as number) / samples;
  }

  /** How often it has succeeded since it was added, at whatever target. */
  successes(slot: number): number {
    return this.#rows.words[slot * row + allSuccessesAt] as number;
  }

  record(slot: number, success: boolean): void {
    const rows = this.#rows.words;
    const start = slot * row;
    if (success) rows[start + allSuccessesAt] = (rows[start + allSuccessesAt] as number) + 1;
    const at = rows[start + nextAt] as number;
    const word = start + bitsAt + (at >> 5);
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
