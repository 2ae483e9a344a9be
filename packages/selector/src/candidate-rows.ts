import { grown } from './slot-positions.ts';

/** Numbers in a row, and the same in words of 32 bits. */
export const rowNumbers = 16;
export const rowWords = 2 * rowNumbers;

/** Where the columns of each part begin. */
export const availabilityColumns = 0;
export const estimateColumns = 4;
export const outcomeColumns = 12;

/**
 * One row of memory per candidate for all that an attempt touches, whichever part keeps it: at 100,000
 * candidates each array is a page and a cache line that have to be fetched from afar. 128 bytes.
 */
export class CandidateRows {
  numbers = new Float64Array(16 * rowNumbers);
  /** The same memory as whole numbers. */
  words = new Int32Array(this.numbers.buffer);

  /** Makes room for the slot. */
  reserve(slot: number): void {
    const end = (slot + 1) * rowNumbers;
    if (end <= this.numbers.length) return;
    this.numbers = grown(this.numbers, end);
    this.words = new Int32Array(this.numbers.buffer);
  }
}
