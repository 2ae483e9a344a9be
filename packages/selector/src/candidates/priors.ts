import { grown } from '../slots/slot-numbers.ts';

/** A prior counts half after so long: its source may be gone, and it is worth few attempts anyhow. */
const halfLifeMs = 3_600_000;
const fadingRate = Math.LN2 / halfLifeMs;

/**
 * What others have seen of candidates: a success rate and the milliseconds of a success, worth some attempts of the
 * candidate's own. A prior is replaced by the next one, so telling it twice changes nothing.
 */
export class Priors {
  #rates = new Float32Array(16);
  #successMs = new Float32Array(16);
  /** Attempts behind it when it was told; 0 for no prior. */
  #weights = new Float32Array(16);
  #toldAt = new Float64Array(16);
  /** Over all priors: attempts, their successes, those whose milliseconds are known, and the sum of these. */
  #attempts = 0;
  #successes = 0;
  #timed = 0;
  #timedMs = 0;

  /** `successMs`: undefined when nothing is known of it. */
  set(slot: number, rate: number, successMs: number | undefined, weight: number, now: number) {
    if (slot >= this.#rates.length) {
      this.#rates = grown(this.#rates, slot + 1);
      this.#successMs = grown(this.#successMs, this.#rates.length);
      this.#weights = grown(this.#weights, this.#rates.length);
      this.#toldAt = grown(this.#toldAt, this.#rates.length);
    }
    this.#count(slot, -1);
    this.#rates[slot] = rate;
    this.#successMs[slot] = successMs ?? NaN;
    this.#weights[slot] = weight;
    this.#toldAt[slot] = now;
    this.#count(slot, 1);
  }

  forget(slot: number): void {
    this.#count(slot, -1);
    this.#weights[slot] = 0;
  }

  /** Attempts that it is worth by now, at most `most`; 0 without one. */
  weight(slot: number, most: number, now: number): number {
    const weight = Math.min(this.#weights[slot] ?? 0, most);
    if (weight === 0) return 0;
    const ageMs = now - (this.#toldAt[slot] as number);
    return ageMs > 0 ? weight * Math.exp(-ageMs * fadingRate) : weight;
  }

  /** 0 to 1. Only for one with a weight. */
  rate(slot: number): number {
    return this.#rates[slot] as number;
  }

  /** Only for one with a weight; NaN when nothing is known of it. */
  successMs(slot: number): number {
    return this.#successMs[slot] as number;
  }

  /** The rate over all attempts behind the priors. */
  get meanRate(): number {
    return this.#successes / this.#attempts;
  }

  /** The mean milliseconds of a success over all attempts of which it is known; 0 without any. */
  get meanSuccessMs(): number {
    return this.#timed > 0 ? this.#timedMs / this.#timed : 0;
  }

  #count(slot: number, sign: 1 | -1): void {
    const weight = this.#weights[slot] ?? 0;
    if (weight === 0) return;
    const attempts = sign * weight;
    const successMs = this.#successMs[slot] as number;
    this.#attempts += attempts;
    this.#successes += attempts * (this.#rates[slot] as number);
    if (Number.isNaN(successMs)) return;
    this.#timed += attempts;
    this.#timedMs += attempts * successMs;
  }
}
