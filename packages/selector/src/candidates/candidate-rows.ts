import { grown } from '../slots/slot-numbers.ts';

/** The length of a row, in numbers of 64 bits, in words and floats of 32, and in bytes. */
export const rowNumbers = 8;
export const rowWords = 2 * rowNumbers;
export const rowBytes = 8 * rowNumbers;

/** Of `Estimates`. A number: */
export const triedAt = 0;
/** floats, which are more exact than what is known: */
export const successes = 2;
export const failures = 3;
export const fastSuccesses = 4;
export const fastFailures = 5;
export const successMs = 6;
export const failureMs = 7;
/** a byte. */
export const run = 55;

/** Of `OutcomeHistory`. Words, the first four for 100 bits: */
export const outcomeBits = 8;
export const successesEver = 12;
/** bytes. */
export const outcomesHeld = 52;
export const successesHeld = 53;
export const nextOutcome = 54;

/** Of `Availability`. Words. */
export const inFlight = 14;
export const maxConcurrent = 15;

/**
 * One row of memory per candidate for all that an outcome touches, whichever part keeps it: at 100,000
 * candidates each array is a page and a cache line that have to be fetched from afar, so a row is 64
 * bytes, and what an outcome does not need is kept elsewhere.
 */
export class CandidateRows {
  numbers = new Float64Array(16 * rowNumbers);
  /** The same memory in other units. */
  floats = new Float32Array(this.numbers.buffer);
  words = new Int32Array(this.numbers.buffer);
  bytes = new Int8Array(this.numbers.buffer);

  /** Makes room for the slot. */
  reserve(slot: number): void {
    const end = (slot + 1) * rowNumbers;
    if (end <= this.numbers.length) return;
    this.numbers = grown(this.numbers, end);
    this.floats = new Float32Array(this.numbers.buffer);
    this.words = new Int32Array(this.numbers.buffer);
    this.bytes = new Int8Array(this.numbers.buffer);
  }
}
