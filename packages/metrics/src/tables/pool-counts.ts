import { blames, circuitStates, failureReasons, outcomes, refusalReasons } from './label-sets.ts';
import { Histogram } from '../latency/histogram.ts';

/** Attempt numbers counted apart; what succeeds later counts under the last. */
export const attemptNumbers = 16;

/** Stands beside the failure reasons: a retry whose `retry:scheduled` was not heard. */
export const unknownReason = failureReasons.length;

let width = 0;
const take = (columns: number): number => {
  const first = width;
  width += columns;
  return first;
};

/** The columns of a row; a set has one for each of its words, in their order. */
export const column = {
  /** Requests that ended after at least one attempt. */
  requests: take(1),
  /** Requests that ended without any attempt. */
  refused: take(1),
  /** Of `requests`, those that succeeded. */
  succeeded: take(1),
  attempts: take(1),
  retries: take(1),
  hedges: take(1),
  circuitEvents: take(1),
  /** Requests under way, past their first attempt, when the hour started. */
  carried: take(1),
  requestOutcomes: take(outcomes.length),
  attemptOutcomes: take(outcomes.length),
  successByAttempt: take(attemptNumbers),
  retryReasons: take(failureReasons.length + 1),
  refusals: take(refusalReasons.length),
  failures: take(failureReasons.length),
  blames: take(blames.length),
  transitions: take(circuitStates.length),
} as const;

/** What the whole pool did: since the start, and by hour. */
export class PoolCounts {
  /** Row 0 counts since the start and never falls; row 1 + slot is an hour. */
  readonly #counts: Float64Array;
  readonly #latencies: readonly Histogram[];
  #hourAt = width;
  #slot = 0;

  constructor(slots: number, slot: number) {
    this.#counts = new Float64Array((slots + 1) * width);
    this.#latencies = Array.from({ length: slots }, () => new Histogram());
    this.#enter(slot);
  }

  add(at: number): void {
    this.#counts[at]! += 1;
    this.#counts[this.#hourAt + at]! += 1;
  }

  /** Latency to the headers of any attempt, and its bucket. */
  recordLatency(ms: number, bucket: number): void {
    this.#latencies[this.#slot]!.record(ms, bucket);
  }

  sinceStart(at: number): number {
    return this.#counts[at]!;
  }

  inHour(slot: number, at: number): number {
    return this.#counts[(slot + 1) * width + at]!;
  }

  latencyOf(slot: number): Histogram {
    return this.#latencies[slot]!;
  }

  startHour(slot: number): void {
    this.#enter(slot);
    this.#counts.fill(0, this.#hourAt, this.#hourAt + width);
    this.#latencies[slot]!.clear();
    const first =
      this.sinceStart(column.attempts) -
      this.sinceStart(column.retries) -
      this.sinceStart(column.hedges);
    this.#counts[this.#hourAt + column.carried] = Math.max(
      0,
      first - this.sinceStart(column.requests),
    );
  }

  #enter(slot: number): void {
    this.#slot = slot;
    this.#hourAt = (slot + 1) * width;
  }
}

/** A set's counts by word: all of them, or those above 0. */
export function byWord<Word extends string>(
  words: readonly Word[],
  count: (index: number) => number,
  zeros: 'keep' | 'drop',
): Record<Word, number> {
  const counts: Partial<Record<Word, number>> = {};
  words.forEach((word, index) => {
    const n = count(index);
    if (n > 0 || zeros === 'keep') counts[word] = n;
  });
  return counts as Record<Word, number>;
}
