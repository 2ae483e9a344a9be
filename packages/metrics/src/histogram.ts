/** Eight buckets an octave from 1 ms to 2 min: a quantile is within 5 % of exact. */
const perOctave = 8;
const buckets = 17 * perOctave + 1;

/** A latency histogram of fixed size. */
export class Histogram {
  readonly #counts = new Uint32Array(buckets);
  count = 0;
  sumMs = 0;

  record(ms: number): void {
    const at = ms <= 1 ? 0 : Math.min(buckets - 1, Math.ceil(Math.log2(ms) * perOctave));
    this.#counts[at] = (this.#counts[at] as number) + 1;
    this.count++;
    this.sumMs += ms;
  }

  get meanMs(): number | null {
    return this.count === 0 ? null : this.sumMs / this.count;
  }

  /** Null when nothing was recorded. */
  quantile(q: number): number | null {
    if (this.count === 0) return null;
    const rank = Math.max(1, Math.ceil(q * this.count));
    let seen = 0;
    for (let i = 0; i < buckets; i++) {
      seen += this.#counts[i] as number;
      if (seen >= rank) return i === 0 ? 1 : 2 ** ((i - 0.5) / perOctave);
    }
    return 2 ** ((buckets - 1) / perOctave);
  }

  /** Calls with each upper bound in ms and the count up to it. */
  cumulative(boundsMs: readonly number[]): number[] {
    return boundsMs.map((bound) => {
      let sum = 0;
      for (let i = 0; i < buckets && 2 ** (i / perOctave) <= bound * 1.0001; i++) {
        sum += this.#counts[i] as number;
      }
      return sum;
    });
  }

  add(other: Histogram): void {
    for (let i = 0; i < buckets; i++) {
      this.#counts[i] = (this.#counts[i] as number) + (other.#counts[i] as number);
    }
    this.count += other.count;
    this.sumMs += other.sumMs;
  }
}
