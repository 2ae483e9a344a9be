/** How the failures of a kind of proxy end: at once, at the timeout, or half so and half so. */
export type FailureSpeed = 'fast' | 'slow' | 'mixed';

/** One kind of proxy in a simulated pool. */
export interface ProxyKind {
  /** Share of the pool, 0 to 1. The shares of a pool add up to 1. */
  readonly share: number;
  /** Bounds between which a proxy's probability of success is drawn. */
  readonly success: readonly [number, number];
  /** Bounds between which the median latency of its responses is drawn, in milliseconds. */
  readonly medianMs: readonly [number, number];
  readonly failures: FailureSpeed;
}

export interface PopulationOptions {
  readonly size: number;
  readonly kinds: readonly ProxyKind[];
  /** Mean time after which a proxy becomes another, drawn afresh. Default 300,000; Infinity: never. */
  readonly redrawMs?: number | undefined;
  /** When a proxy fails what it is given, however little that is. Default 20 in flight. */
  readonly maxInFlight?: number | undefined;
  readonly random: () => number;
}

/** How one simulated attempt ends. */
export interface SimulatedAttempt {
  outcome: 'success' | 'failure' | 'timeout';
  latencyMs: number;
}

/** An attempt is cut after so many milliseconds. */
export const timeoutMs = 10_000;
const overloadedMs = 50;
const latencySigma = 0.5;
const lateResponses = 0.02;

const speeds: readonly FailureSpeed[] = ['fast', 'slow', 'mixed'];

/** Proxies that respond or fail by chance, and change their nature from time to time. */
export class Population {
  readonly size: number;
  readonly inFlight: Uint16Array;
  readonly #kinds: readonly ProxyKind[];
  readonly #redrawMs: number;
  readonly #maxInFlight: number;
  readonly #random: () => number;
  readonly #success: Float64Array;
  readonly #medianMs: Float64Array;
  readonly #failures: Uint8Array;
  readonly #redrawAt: Float64Array;

  constructor(options: PopulationOptions) {
    const { size, kinds, redrawMs = 300_000, maxInFlight = 20, random } = options;
    this.size = size;
    this.#kinds = kinds;
    this.#redrawMs = redrawMs;
    this.#maxInFlight = maxInFlight;
    this.#random = random;
    this.inFlight = new Uint16Array(size);
    this.#success = new Float64Array(size);
    this.#medianMs = new Float64Array(size);
    this.#failures = new Uint8Array(size);
    this.#redrawAt = new Float64Array(size);
    for (let proxy = 0; proxy < size; proxy++) this.#draw(proxy, 0);
  }

  /** Probability of success at that time, as only an oracle knows it. */
  success(proxy: number, now: number): number {
    this.#age(proxy, now);
    return this.#success[proxy]!;
  }

  /** Expected milliseconds until a success, failures on the way included. An oracle's knowledge. */
  costMs(proxy: number, now: number): number {
    const success = this.success(proxy, now);
    const failureMs = { fast: 55, slow: timeoutMs, mixed: (55 + timeoutMs) / 2 };
    const responseMs =
      this.#medianMs[proxy]! * Math.exp(latencySigma ** 2 / 2) + lateResponses * 5000;
    // No less than a response takes: a proxy that fails within milliseconds is no cheap one.
    const failure = Math.max(responseMs, failureMs[speeds[this.#failures[proxy]!]!]);
    return responseMs + ((1 - success) / success) * failure;
  }

  /** Makes the proxy be of that nature from now on; it changes no more by itself. */
  set(proxy: number, success: number, medianMs: number, failures: FailureSpeed): void {
    this.#success[proxy] = success;
    this.#medianMs[proxy] = medianMs;
    this.#failures[proxy] = speeds.indexOf(failures);
    this.#redrawAt[proxy] = Infinity;
  }

  /** Begins an attempt; the caller counts `inFlight` down at its end. Written into `result`. */
  attempt(proxy: number, now: number, result: SimulatedAttempt): void {
    this.#age(proxy, now);
    const random = this.#random;
    if (++this.inFlight[proxy]! > this.#maxInFlight) {
      result.outcome = 'failure';
      result.latencyMs = overloadedMs;
    } else if (random() < this.#success[proxy]!) {
      let latencyMs = this.#medianMs[proxy]! * Math.exp(latencySigma * this.#normal());
      if (random() < lateResponses) latencyMs += 3000 + 4000 * random();
      const late = latencyMs >= timeoutMs;
      result.outcome = late ? 'timeout' : 'success';
      result.latencyMs = late ? timeoutMs : latencyMs;
    } else {
      const speed = speeds[this.#failures[proxy]!]!;
      const fast = speed === 'fast' || (speed === 'mixed' && random() < 0.5);
      result.outcome = fast ? 'failure' : 'timeout';
      result.latencyMs = fast ? 30 + 50 * random() : timeoutMs;
    }
  }

  #age(proxy: number, now: number): void {
    while (this.#redrawAt[proxy]! <= now) this.#draw(proxy, this.#redrawAt[proxy]!);
  }

  #draw(proxy: number, at: number): void {
    const random = this.#random;
    let left = random();
    let kind = this.#kinds[0]!;
    for (kind of this.#kinds) {
      left -= kind.share;
      if (left < 0) break;
    }
    const between = ([low, high]: readonly [number, number]) => low + (high - low) * random();
    this.#success[proxy] = between(kind.success);
    this.#medianMs[proxy] = between(kind.medianMs);
    this.#failures[proxy] = speeds.indexOf(kind.failures);
    this.#redrawAt[proxy] = at - Math.log(1 - random()) * this.#redrawMs;
  }

  /** Standard normal, by Box and Muller. */
  #normal(): number {
    const random = this.#random;
    return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  }
}
