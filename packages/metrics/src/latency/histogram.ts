import { bucketCount, bucketOf, middleOf } from './latency-scale.ts';

/**
 * A latency histogram of fixed size (137 logarithmic buckets, 1 ms to 131 s) that can be merged with
 * others. A quantile is at most 4.4 % from the exact one within that range. Weights may be fractions,
 * for what is merged from a summary.
 */
export class Histogram {
  readonly #weights = new Float64Array(bucketCount);
  #total = 0;
  #sumMs = 0;

  /** How many latencies are in it. */
  get count(): number {
    return this.#total;
  }

  /** Their arithmetic mean in milliseconds; null when there are none. */
  get meanMs(): number | null {
    return this.#total === 0 ? null : this.#sumMs / this.#total;
  }

  /** Adds one latency in milliseconds, whose bucket may be known already. */
  record(ms: number, bucket = bucketOf(ms)): void {
    this.#weights[bucket]! += 1;
    this.#total += 1;
    this.#sumMs += ms;
  }

  /**
   * Adds `weight` latencies, spread evenly over the buckets from `low` to `high`, without their sum:
   * the mean is then kept elsewhere.
   */
  addToBuckets(low: number, high: number, weight: number): void {
    const weights = this.#weights;
    const part = weight / (high - low + 1);
    for (let bucket = low; bucket <= high; bucket++) weights[bucket]! += part;
    this.#total += weight;
  }

  /** Adds all of another histogram. */
  merge(other: Histogram): void {
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      this.#weights[bucket]! += other.#weights[bucket]!;
    }
    this.#total += other.#total;
    this.#sumMs += other.#sumMs;
  }

  clear(): void {
    this.#weights.fill(0);
    this.#total = 0;
    this.#sumMs = 0;
  }

  /**
   * The latency in milliseconds that a share `q` (0 to 1) does not exceed, by nearest rank; null
   * when there are none.
   */
  quantile(q: number): number | null {
    if (this.#total <= 0) return null;
    // Fractions do not add up to the last digit: without the slack a rank could fall off the end.
    const rank = q * this.#total - this.#total * 1e-9;
    const weights = this.#weights;
    let seen = 0;
    let last = 0;
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      const weight = weights[bucket]!;
      if (weight === 0) continue;
      seen += weight;
      last = bucket;
      if (seen >= rank) break;
    }
    return middleOf(last);
  }
}
