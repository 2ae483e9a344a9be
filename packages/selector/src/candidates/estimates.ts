import {
  failureMs,
  failures,
  fastFailures,
  fastSuccesses,
  rowBytes,
  rowNumbers,
  rowWords as row,
  run,
  successes,
  successMs,
  triedAt,
  type CandidateRows,
} from './candidate-rows.ts';
import { Priors } from './priors.ts';

/** Evidence counts half after so long. */
export const halfLifeMs = 120_000;
const fadingRate = Math.LN2 / halfLifeMs;
/** k: attempts at the pool's mean, or at what others say of it, that every candidate is credited with. */
const prior = 10;
/** A prior that is worth fewer attempts does not make an untried candidate a known one. */
const knownFrom = 4;
/** The same for latencies, which vary less than outcomes. */
const latencyPrior = 8;
/**
 * A late response counts as no more than so many times the pool's mean, or its candidate's own: a few of them would
 * otherwise set equal candidates apart for minutes, while one that is always late still shows as what it is.
 */
const lateRatio = 4;
/** Successes that are kept of a candidate whose failures are forgiven. */
const keptSuccesses = 60;
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
 * failure of an unknown candidate says little, and silence leads back to the mean. Of the k attempts, those that a
 * prior is worth are credited at its rate instead of m.
 */
export class Estimates {
  readonly #rows: CandidateRows;
  /** Made by the first one: most selectors are told none. */
  #priors: Priors | undefined;
  #poolSuccesses = 0;
  #poolFailures = 0;
  #poolSuccessMs = 0;
  #poolFailureMs = 0;
  #poolAt = 0;

  constructor(rows: CandidateRows) {
    this.#rows = rows;
  }

  /** Makes the slot known, without evidence. */
  reset(slot: number): void {
    const start = slot * row;
    this.#rows.floats.fill(0, start + successes, start + failureMs + 1);
    this.#rows.numbers[slot * rowNumbers + triedAt] = -Infinity;
    this.#rows.bytes[slot * rowBytes + run] = 0;
    this.#priors?.forget(slot);
  }

  /** Others have seen it succeed at that rate: worth as many attempts, at most k. */
  inform(
    slot: number,
    rate: number,
    successMsOf: number | undefined,
    weight: number,
    now: number,
  ): void {
    this.#priors ??= new Priors();
    this.#priors.set(slot, rate, successMsOf, weight, now);
  }

  /**
   * How others have seen it do, as a share of how all did that they told of: 1 is average. Undefined when too little
   * was told.
   */
  told(slot: number, now: number): number | undefined {
    const priors = this.#priors;
    if (priors === undefined || priors.weight(slot, prior, now) < knownFrom) return undefined;
    return priors.rate(slot) / priors.meanRate;
  }

  /** When it was last tried; −Infinity when never. */
  lastTriedAt(slot: number): number {
    return this.#rows.numbers[slot * rowNumbers + triedAt] as number;
  }

  /** Successes in a row, or failures as a negative number. */
  run(slot: number): number {
    return this.#rows.bytes[slot * rowBytes + run] as number;
  }

  /** An attempt ended. A failure counts `weight` times. */
  record(slot: number, success: boolean, weight: number, latencyMs: number, now: number): void {
    const { numbers, floats: rows, bytes } = this.#rows;
    const start = slot * row;
    const at = numbers[slot * rowNumbers + triedAt] as number;
    const decay = fading(at, now);
    const fast = fastFading(decay);
    numbers[slot * rowNumbers + triedAt] = Math.max(at, now);
    let s = (rows[start + successes] as number) * decay;
    let f = (rows[start + failures] as number) * decay;
    let sf = (rows[start + fastSuccesses] as number) * fast;
    let ff = (rows[start + fastFailures] as number) * fast;
    const inARow = bytes[slot * rowBytes + run] as number;

    const poolDecay = fading(this.#poolAt, now);
    this.#poolAt = Math.max(this.#poolAt, now);
    this.#poolSuccesses *= poolDecay;
    this.#poolFailures *= poolDecay;
    if (success) {
      const share = 1 / (s + 1);
      const usualMs = Math.max(this.#poolSuccessMs, rows[start + successMs] as number);
      const boundMs = this.#poolSuccesses > 0 ? lateRatio * usualMs : Infinity;
      const ownMs = Math.min(latencyMs, boundMs);
      rows[start + successMs] = (rows[start + successMs] as number) * (1 - share) + ownMs * share;
      s++;
      sf++;
      bytes[slot * rowBytes + run] = inARow < 0 ? 1 : Math.min(inARow + 1, 100);
      this.#poolSuccesses++;
      this.#poolSuccessMs +=
        (latencyMs - this.#poolSuccessMs) / Math.min(this.#poolSuccesses, latencyWindow);
    } else {
      const share = 1 / (f + 1);
      rows[start + failureMs] =
        (rows[start + failureMs] as number) * (1 - share) + latencyMs * share;
      f += weight;
      ff += weight;
      bytes[slot * rowBytes + run] = inARow > 0 ? -weight : Math.max(inARow - weight, -100);
      this.#poolFailures++;
      this.#poolFailureMs +=
        (latencyMs - this.#poolFailureMs) / Math.min(this.#poolFailures, latencyWindow);
    }
    rows[start + successes] = s;
    rows[start + failures] = f;
    rows[start + fastSuccesses] = sf;
    rows[start + fastFailures] = ff;
  }

  /** Others saw it fail so many times in a row: its estimates and its run show it, the pool's do not. */
  overhear(slot: number, count: number, latencyMs: number, now: number): void {
    const { numbers, floats: rows, bytes } = this.#rows;
    const start = slot * row;
    const at = numbers[slot * rowNumbers + triedAt] as number;
    const decay = fading(at, now);
    const fast = fastFading(decay);
    numbers[slot * rowNumbers + triedAt] = Math.max(at, now);
    const f = (rows[start + failures] as number) * decay;
    rows[start + successes] = (rows[start + successes] as number) * decay;
    rows[start + fastSuccesses] = (rows[start + fastSuccesses] as number) * fast;
    rows[start + failureMs] =
      ((rows[start + failureMs] as number) * f + latencyMs * count) / (f + count);
    rows[start + failures] = f + count;
    rows[start + fastFailures] = (rows[start + fastFailures] as number) * fast + count;
    const inARow = Math.min(bytes[slot * rowBytes + run] as number, 0);
    bytes[slot * rowBytes + run] = Math.max(inARow - count, -100);
  }

  /** What attempts taught about it, faded to now; undefined when there was none. */
  evidence(slot: number, now: number) {
    const { floats: rows } = this.#rows;
    const start = slot * row;
    const tried = this.lastTriedAt(slot);
    if (tried === -Infinity) return undefined;
    const decay = fading(tried, now);
    return {
      successes: (rows[start + successes] as number) * decay,
      failures: (rows[start + failures] as number) * decay,
      successMs: rows[start + successMs] as number,
      failureMs: rows[start + failureMs] as number,
      run: this.run(slot),
      triedAt: tried,
    };
  }

  /** It has changed its nature: what was learned before counts a share of what it did. */
  discount(slot: number, share: number): void {
    this.#priors?.forget(slot);
    const rows = this.#rows.floats;
    const start = slot * row;
    rows[start + successes] = (rows[start + successes] as number) * share;
    rows[start + failures] = (rows[start + failures] as number) * share;
    rows[start + fastSuccesses] = (rows[start + fastSuccesses] as number) * share;
    rows[start + fastFailures] = (rows[start + fastFailures] as number) * share;
  }

  /** It was good before its failures and is good again: they are forgotten, and so is confidence beyond a few successes. */
  forgive(slot: number): void {
    this.#priors?.forget(slot);
    const rows = this.#rows.floats;
    const start = slot * row;
    rows[start + failures] = rows[start + fastFailures] = 0;
    rows[start + successes] = Math.min(rows[start + successes] as number, keptSuccesses);
    rows[start + fastSuccesses] = Math.min(rows[start + fastSuccesses] as number, keptSuccesses);
  }

  /** The pool's mean probability of success. */
  mean(): number {
    return (
      (this.#poolSuccesses + startSuccesses) /
      (this.#poolSuccesses + this.#poolFailures + startAttempts)
    );
  }

  /** Probability of success. */
  success(slot: number, now: number): number {
    const rows = this.#rows.floats;
    const start = slot * row;
    return this.#success(rows, start, fading(this.lastTriedAt(slot), now), 0, slot, now);
  }

  /** Milliseconds of a success, shrunk towards the pool's mean. */
  successMs(slot: number, now: number): number {
    const rows = this.#rows.floats;
    const start = slot * row;
    const count = (rows[start + successes] as number) * fading(this.lastTriedAt(slot), now);
    return shrunk(rows[start + successMs] as number, count, this.#usualMs(slot, now));
  }

  /**
   * Milliseconds until a success: a success takes its time, and (1 − p) ÷ p failures come before.
   * `pending` failures more are taken as seen.
   */
  costMs(slot: number, now: number, pending = 0): number {
    const rows = this.#rows.floats;
    const start = slot * row;
    // Once for all that fades: it was most of the cost of a pick.
    const decay = fading(this.lastTriedAt(slot), now);
    const p = this.#success(rows, start, decay, pending, slot, now);
    const s = (rows[start + successes] as number) * decay;
    const f = (rows[start + failures] as number) * decay;
    const usualMs = this.#usualMs(slot, now);
    const ms = shrunk(rows[start + successMs] as number, s, usualMs);
    const failMs = shrunk(rows[start + failureMs] as number, f, this.#poolFailureMs);
    // A failure costs no less than a response would have taken: else one that fails within
    // milliseconds would look cheap however often it fails.
    return ms + ((1 - p) / p) * Math.max(failMs, this.#poolSuccessMs || usualMs);
  }

  /** The mean milliseconds of its successes alone; 0 without any. */
  ownSuccessMs(slot: number): number {
    return this.#rows.floats[slot * row + successMs] as number;
  }

  /** Milliseconds of a success as far as attempts of its own do not tell. */
  #usualMs(slot: number, now: number): number {
    if (this.#priors === undefined) return this.#poolSuccessMs;
    // Before the first success of all the pool's mean is 0, which says nothing.
    const poolMs = this.#poolSuccessMs || this.#priors.meanSuccessMs;
    const weight = this.#priors.weight(slot, prior, now);
    const toldMs = weight > 0 ? this.#priors.successMs(slot) : NaN;
    return Number.isNaN(toldMs) ? poolMs : poolMs + ((toldMs - poolMs) * weight) / prior;
  }

  #success(
    rows: Float32Array,
    start: number,
    decay: number,
    pending: number,
    slot: number,
    now: number,
  ): number {
    let credit = prior * this.mean();
    if (this.#priors !== undefined) {
      const weight = this.#priors.weight(slot, prior, now);
      if (weight > 0) credit += weight * (this.#priors.rate(slot) - credit / prior);
    }
    const fast = fastFading(decay);
    const s = (rows[start + successes] as number) * decay;
    const f = (rows[start + failures] as number) * decay + pending;
    const sf = (rows[start + fastSuccesses] as number) * fast;
    const ff = (rows[start + fastFailures] as number) * fast + pending;
    return Math.min((s + credit) / (s + f + prior), (sf + credit) / (sf + ff + prior));
  }
}

/** A mean over `count`, shrunk towards the pool's. */
function shrunk(ms: number, count: number, poolMs: number): number {
  return (count * ms + latencyPrior * poolMs) / (count + latencyPrior);
}

/** What evidence of that time is still worth: 1 when fresh, ½ after a half-life. */
function fading(at: number, now: number): number {
  return now > at ? Math.exp((at - now) * fadingRate) : 1;
}

/** The same for the second count, which fades four times as fast. */
function fastFading(decay: number): number {
  const squared = decay * decay;
  return squared * squared;
}
