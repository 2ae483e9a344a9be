import {
  nextOutcome,
  outcomeBits,
  outcomesHeld,
  rowBytes,
  rowWords,
  successesEver,
  successesHeld,
  type CandidateRows,
} from './candidate-rows.ts';

/** Outcomes remembered per candidate. */
const kept = 100;

/** Of the words that hold their bits the last has room for a count: above the bits of 96 to 99. */
const lastWord = 3;
const usedBits = 0b1111;
const oneFailure = 0b1_0000;

/** The last 100 outcomes of each slot: a bit each, and their counts; the failures in a row. */
export class OutcomeHistory {
  readonly #rows: CandidateRows;

  constructor(rows: CandidateRows) {
    this.#rows = rows;
  }

  /** Makes the slot known, without outcomes. */
  reset(slot: number): void {
    const { words, bytes } = this.#rows;
    const start = slot * rowWords;
    words.fill(0, start + outcomeBits, start + successesEver + 1);
    bytes.fill(0, slot * rowBytes + outcomesHeld, slot * rowBytes + nextOutcome + 1);
  }

  /** Outcomes held, at most 100. */
  samples(slot: number): number {
    return this.#rows.bytes[slot * rowBytes + outcomesHeld] as number;
  }

  /** 0 to 1; 0.5 without any outcome. */
  successRate(slot: number): number {
    const samples = this.samples(slot);
    if (samples === 0) return 0.5;
    return (this.#rows.bytes[slot * rowBytes + successesHeld] as number) / samples;
  }

  /** How often it has succeeded since it was added, at whatever target, in 32 bits. */
  successes(slot: number): number {
    return this.#rows.words[slot * rowWords + successesEver] as number;
  }

  /** Failures since its last success, at whatever target: its own ones, and those of `routeFailed`. */
  failuresInARow(slot: number): number {
    return (this.#rows.words[slot * rowWords + outcomeBits + lastWord] as number) >>> 4;
  }

  /** A failure that is not the candidate's own: it is no outcome, but it counts in the row. */
  routeFailed(slot: number): void {
    const { words } = this.#rows;
    const at = slot * rowWords + outcomeBits + lastWord;
    const word = words[at] as number;
    if (word >>> 4 < 2 ** 28 - 1) words[at] = word + oneFailure;
  }

  record(slot: number, success: boolean): void {
    const { words, bytes } = this.#rows;
    const start = slot * rowWords;
    if (success) {
      const last = start + outcomeBits + lastWord;
      words[last] = (words[last] as number) & usedBits;
    } else this.routeFailed(slot);
    const counts = slot * rowBytes;
    if (success) words[start + successesEver] = (words[start + successesEver] as number) + 1;
    const at = bytes[counts + nextOutcome] as number;
    const word = start + outcomeBits + (at >> 5);
    const bits = words[word] as number;
    const bit = 1 << (at & 31);
    if (((bits & bit) !== 0) !== success) {
      words[word] = bits ^ bit;
      bytes[counts + successesHeld] =
        (bytes[counts + successesHeld] as number) + (success ? 1 : -1);
    }
    const samples = bytes[counts + outcomesHeld] as number;
    if (samples < kept) bytes[counts + outcomesHeld] = samples + 1;
    bytes[counts + nextOutcome] = at + 1 === kept ? 0 : at + 1;
  }
}
