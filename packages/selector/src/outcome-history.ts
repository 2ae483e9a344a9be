import { grown } from './slot-positions.ts';

/** Outcomes remembered per candidate. */
export const keptOutcomes = 100;
const words = Math.ceil(keptOutcomes / 32);

/** The last 100 outcomes of each slot: a bit each, and their counts. */
export class OutcomeHistory {
  #bits = new Int32Array(16 * words);
  #samples = new Uint8Array(16);
  #successes = new Uint8Array(16);
  #next = new Uint8Array(16);

  /** Makes the slot known, without outcomes. */
  reset(slot: number): void {
    if (slot >= this.#samples.length) {
      this.#samples = grown(this.#samples, slot + 1);
      this.#successes = grown(this.#successes, this.#samples.length);
      this.#next = grown(this.#next, this.#samples.length);
      this.#bits = grown(this.#bits, this.#samples.length * words);
    }
    this.#samples[slot] = this.#successes[slot] = this.#next[slot] = 0;
    this.#bits.fill(0, slot * words, (slot + 1) * words);
  }

  /** Outcomes held, at most 100. */
  samples(slot: number): number {
    return this.#samples[slot] as number;
  }

  /** 0 to 1; 0.5 without any outcome. */
  successRate(slot: number): number {
    const samples = this.#samples[slot] as number;
    return samples === 0 ? 0.5 : (this.#successes[slot] as number) / samples;
  }

  record(slot: number, success: boolean): void {
    const at = this.#next[slot] as number;
    const word = slot * words + (at >> 5);
    const bit = 1 << (at & 31);
    const bits = this.#bits[word] as number;
    const old = (bits & bit) !== 0;
    if (old !== success) {
      this.#bits[word] = bits ^ bit;
      this.#successes[slot] = (this.#successes[slot] as number) + (success ? 1 : -1);
    }
    if ((this.#samples[slot] as number) < keptOutcomes) {
      this.#samples[slot] = (this.#samples[slot] as number) + 1;
    }
    this.#next[slot] = at + 1 === keptOutcomes ? 0 : at + 1;
  }
}
