import { grown } from './slot-positions.ts';

/** Evidence counts half after so long. */
export const halfLifeMs = 120_000;
/** The second count fades so many times as fast. */
const fastRatio = 4;
/** k: attempts at the pool's mean that every candidate is credited with. */
const prior = 10;
/** The same for latencies, which vary less than outcomes. */
const latencyPrior = 8;
/**
 * A late answer counts as no more than so many times the pool's mean: a few of them would otherwise
 * set equal candidates apart for minutes.
 */
const lateRatio = 4;
/** The pool's mean starts at 4 of 5, and its latencies follow the last 1,000 attempts. */
const startSuccesses = 4;
const startAttempts = 5;
const latencyWindow = 1000;

/**
 * What attempts taught about each candidate, fading with time: probability of success, and the
 * milliseconds that a success and a failure take.
 *
 * Evidence halves every 120 s; a second count halves every 30 s, so that a change shows soon, and the
 * lower of the two estimates counts. Both are shrunk towards the pool's own mean m as if k more
 * attempts had been seen at that mean: p = (successes + k·m) ÷ (successes + failures + k). So one
 * failure of an unknown candidate says little, and silence leads back to the mean.
 */
export class Estimates {
  #successes = new Float32Array(16);
  #failures = new Float32Array(16);
  #fastSuccesses = new Float32Array(16);
  #fastFailures = new Float32Array(16);
  #successMs = new Float32Array(16);
  #failureMs = new Float32Array(16);
  #at = new Float64Array(16);
  /** Positive: successes in a row; negative: failures. Beyond ±100 it stands still. */
  #runs = new Int8Array(16);
  #poolSuccesses = 0;
  #poolFailures = 0;
  #poolSuccessMs = 0;
  #poolFailureMs = 0;
  #poolAt = 0;

  reset(slot: number): void {
    if (slot >= this.#at.length) {
      this.#at = grown(this.#at, slot + 1);
      const { length } = this.#at;
      this.#successes = grown(this.#successes, length);
      this.#failures = grown(this.#failures, length);
      this.#fastSuccesses = grown(this.#fastSuccesses, length);
      this.#fastFailures = grown(this.#fastFailures, length);
      this.#successMs = grown(this.#successMs, length);
      this.#failureMs = grown(this.#failureMs, length);
      this.#runs = grown(this.#runs, length);
    }
    this.#successes[slot] = this.#failures[slot] = 0;
    this.#fastSuccesses[slot] = this.#fastFailures[slot] = 0;
    this.#successMs[slot] = this.#failureMs[slot] = 0;
    this.#at[slot] = -Infinity;
    this.#runs[slot] = 0;
  }

  /** When it was last tried; −Infinity when never. */
  lastTriedAt(slot: number): number {
    return this.#at[slot] as number;
  }

  /** Successes in a row, or failures as a negative number. */
  run(slot: number): number {
    return this.#runs[slot] as number;
  }

  /** An attempt ended. A failure counts `weight` times. */
  record(slot: number, success: boolean, weight: number, latencyMs: number, now: number): void {
    const at = this.#at[slot] as number;
    const decay = fading(at, now);
    const fast = decay ** fastRatio;
    this.#at[slot] = Math.max(at, now);
    let s = (this.#successes[slot] as number) * decay;
    let f = (this.#failures[slot] as number) * decay;
    let sf = (this.#fastSuccesses[slot] as number) * fast;
    let ff = (this.#fastFailures[slot] as number) * fast;
    const run = this.#runs[slot] as number;

    const poolDecay = fading(this.#poolAt, now);
    this.#poolAt = Math.max(this.#poolAt, now);
    this.#poolSuccesses *= poolDecay;
    this.#poolFailures *= poolDecay;
    if (success) {
      const share = 1 / (s + 1);
      const boundMs = this.#poolSuccesses > 0 ? lateRatio * this.#poolSuccessMs : Infinity;
      const ownMs = Math.min(latencyMs, boundMs);
      this.#successMs[slot] = (this.#successMs[slot] as number) * (1 - share) + ownMs * share;
      s++;
      sf++;
      this.#runs[slot] = run < 0 ? 1 : Math.min(run + 1, 100);
      this.#poolSuccesses++;
      this.#poolSuccessMs +=
        (latencyMs - this.#poolSuccessMs) / Math.min(this.#poolSuccesses, latencyWindow);
    } else {
      const share = 1 / (f + 1);
      this.#failureMs[slot] = (this.#failureMs[slot] as number) * (1 - share) + latencyMs * share;
      f += weight;
      ff += weight;
      this.#runs[slot] = run > 0 ? -weight : Math.max(run - weight, -100);
      this.#poolFailures++;
      this.#poolFailureMs +=
        (latencyMs - this.#poolFailureMs) / Math.min(this.#poolFailures, latencyWindow);
    }
    this.#successes[slot] = s;
    this.#failures[slot] = f;
    this.#fastSuccesses[slot] = sf;
    this.#fastFailures[slot] = ff;
  }

  /** It has changed its nature: what was learned before counts a share of what it did. */
  discount(slot: number, share: number): void {
    this.#successes[slot] = (this.#successes[slot] as number) * share;
    this.#failures[slot] = (this.#failures[slot] as number) * share;
    this.#fastSuccesses[slot] = (this.#fastSuccesses[slot] as number) * share;
    this.#fastFailures[slot] = (this.#fastFailures[slot] as number) * share;
  }

  /** The pool's mean probability of success. */
  mean(): number {
    return (
      (this.#poolSuccesses + startSuccesses) /
      (this.#poolSuccesses + this.#poolFailures + startAttempts)
    );
  }

  /** Probability of success; `pending` failures more are taken as seen. */
  success(slot: number, now: number, pending = 0): number {
    const mean = this.mean();
    const decay = fading(this.#at[slot] as number, now);
    const fast = decay ** fastRatio;
    const s = (this.#successes[slot] as number) * decay;
    const f = (this.#failures[slot] as number) * decay + pending;
    const sf = (this.#fastSuccesses[slot] as number) * fast;
    const ff = (this.#fastFailures[slot] as number) * fast + pending;
    return Math.min((s + prior * mean) / (s + f + prior), (sf + prior * mean) / (sf + ff + prior));
  }

  /** Milliseconds of a success, shrunk towards the pool's mean. */
  successMs(slot: number, now: number): number {
    return this.#shrunkMs(slot, now, this.#successes, this.#successMs, this.#poolSuccessMs);
  }

  /** Milliseconds of a failure, shrunk towards the pool's mean. */
  failureMs(slot: number, now: number): number {
    return this.#shrunkMs(slot, now, this.#failures, this.#failureMs, this.#poolFailureMs);
  }

  /** Milliseconds until a success: a success takes its time, and (1 − p) ÷ p failures come before. */
  costMs(slot: number, now: number, pending = 0): number {
    const success = this.success(slot, now, pending);
    // A failure costs no less than an answer would have taken: else one that fails within
    // milliseconds would look cheap however often it fails.
    const failureMs = Math.max(this.failureMs(slot, now), this.#poolSuccessMs);
    return this.successMs(slot, now) + ((1 - success) / success) * failureMs;
  }

  /** The mean milliseconds of its successes alone; undefined without any. */
  ownSuccessMs(slot: number): number | undefined {
    return this.#successes[slot] === 0 ? undefined : (this.#successMs[slot] as number);
  }

  #shrunkMs(
    slot: number,
    now: number,
    counts: Float32Array,
    means: Float32Array,
    poolMs: number,
  ): number {
    const decay = fading(this.#at[slot] as number, now);
    const count = (counts[slot] as number) * decay;
    return (count * (means[slot] as number) + latencyPrior * poolMs) / (count + latencyPrior);
  }
}

/** What evidence of that time is still worth: 1 when fresh, ½ after a half-life. */
function fading(at: number, now: number): number {
  return now > at ? 2 ** ((at - now) / halfLifeMs) : 1;
}
