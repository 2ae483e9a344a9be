/** Upper bounds of the buckets that monitoring systems read, in milliseconds, inclusive. */
export const durationBoundsMs: readonly number[] = [
  5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 120_000,
];

/** Durations since the start, for monitoring systems. */
export interface Durations {
  /** How many were at most as long as each of `durationBoundsMs`; the last number counts all. */
  readonly cumulative: readonly number[];
  readonly count: number;
  readonly sumMs: number;
}

/** Counts durations under fixed bounds, exactly. */
export class DurationCounts {
  readonly #counts = new Float64Array(durationBoundsMs.length + 1);
  #sumMs = 0;

  record(ms: number): void {
    let bucket = 0;
    while (bucket < durationBoundsMs.length && ms > durationBoundsMs[bucket]!) bucket++;
    this.#counts[bucket]! += 1;
    this.#sumMs += ms;
  }

  read(): Durations {
    let count = 0;
    const cumulative = Array.from(this.#counts, (n) => (count += n));
    return { cumulative, count, sumMs: this.#sumMs };
  }
}
