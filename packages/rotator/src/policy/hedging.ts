import { above, checkOptions } from '@whirl/check';

/**
 * When a slow request is sent once more, through another proxy. One of the two is needed. A bad one is refused with a
 * TypeError or RangeError that names it.
 */
export interface HedgeOptions {
  /** Milliseconds to wait for the first attempt's response. > 0. Default: `percentile` decides alone. */
  readonly afterMs?: number | undefined;
  /**
   * Instead of a fixed time: the time within which this share of the latest 512 responses came. Between 0 and 1,
   * both excluded. Until 20 responses are known `afterMs` counts; without it nothing is hedged. Default: `afterMs` alone.
   */
  readonly percentile?: number | undefined;
}

const kinds = {
  afterMs: above(0),
  percentile: {
    wanted: 'a number between 0 and 1, both excluded',
    isType: (value: unknown) => typeof value === 'number',
    isWithin: (value: number) => value > 0 && value < 1,
  },
};

const kept = 512;
const fewest = 20;
/** Responses after which the percentile is computed again: sorting at each would cost too much. */
const refreshEvery = 32;

/** Knows how long a response may take before a hedge is worth it. */
export class Hedging {
  readonly #afterMs: number | undefined;
  readonly #percentile: number | undefined;
  readonly #latencies = new Float64Array(kept);
  #count = 0;
  #staleIn = 0;
  #percentileMs: number | undefined;

  /** Throws a TypeError or RangeError that names the option. */
  constructor(options: HedgeOptions) {
    checkOptions('hedge', options, kinds);
    const { afterMs, percentile } = options;
    if (afterMs === undefined && percentile === undefined) {
      throw new TypeError('hedge must have afterMs or percentile');
    }
    this.#afterMs = afterMs;
    this.#percentile = percentile;
  }

  /** A response came after this long. */
  record(latencyMs: number): void {
    if (this.#percentile === undefined) return;
    this.#latencies[this.#count++ % kept] = latencyMs;
    this.#staleIn--;
  }

  /** Milliseconds to wait before the second attempt; undefined: none is made. */
  get delayMs(): number | undefined {
    if (this.#percentile === undefined || this.#count < fewest) return this.#afterMs;
    if (this.#staleIn <= 0) {
      this.#staleIn = refreshEvery;
      const known = this.#latencies.slice(0, Math.min(this.#count, kept)).sort();
      this.#percentileMs = known[Math.floor(this.#percentile * known.length)];
    }
    return this.#percentileMs;
  }
}
