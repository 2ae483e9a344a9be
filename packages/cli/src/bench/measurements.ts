import type { AttemptEnd } from '@whirl/events';

/** What became of one proxy's attempts. */
export interface ProxyRow {
  attempts: number;
  succeeded: number;
  /** Of those that succeeded, to the head of the response. */
  latencyMs: number;
  /** Of the others, by reason. */
  readonly reasons: Map<string, number>;
}

export interface Bucket {
  /** Exclusive. */
  readonly belowMs: number;
  readonly count: number;
}

/** 1, 2, 5, 10, …: bounds that read well and are close enough together. */
const bounds: readonly number[] = [0, 1, 2, 3, 4].flatMap((power) =>
  [1, 2, 5].map((step) => step * 10 ** power),
);

/** Counts requests and their attempts. */
export class Measurements {
  /** Of requests that succeeded, to the end of the body. */
  readonly #latencies: number[] = [];
  readonly failures = new Map<string, number>();
  readonly proxies = new Map<string, ProxyRow>();
  bytes = 0;
  attempts = 0;

  succeeded(latencyMs: number, bytes: number): void {
    this.#latencies.push(latencyMs);
    this.bytes += bytes;
  }

  failed(reason: string): void {
    increment(this.failures, reason);
  }

  /** One that was aborted says nothing of its proxy. */
  attempt({ proxyId, outcome, reason, latencyMs }: AttemptEnd): void {
    this.attempts++;
    if (outcome === 'aborted') return;
    let row = this.proxies.get(proxyId);
    if (row === undefined) {
      row = { attempts: 0, succeeded: 0, latencyMs: 0, reasons: new Map() };
      this.proxies.set(proxyId, row);
    }
    row.attempts++;
    if (outcome === 'success') {
      row.succeeded++;
      row.latencyMs += latencyMs;
    } else increment(row.reasons, reason ?? 'unknown');
  }

  get successes(): number {
    return this.#latencies.length;
  }

  get requests(): number {
    let sum = this.successes;
    for (const each of this.failures.values()) sum += each;
    return sum;
  }

  /** The latency that a share of the successes did not exceed (nearest rank); undefined without any. */
  quantiles(shares: readonly number[]): (number | undefined)[] {
    const sorted = Float64Array.from(this.#latencies).sort();
    return shares.map((share) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]);
  }

  /** How many successes took how long, from the first bucket that has any to the last. */
  histogram(): Bucket[] {
    const counts = Array<number>(bounds.length + 1).fill(0);
    for (const ms of this.#latencies) {
      const at = bounds.findIndex((bound) => ms < bound);
      const bucket = at === -1 ? bounds.length : at;
      counts[bucket] = (counts[bucket] as number) + 1;
    }
    const buckets = counts.map((count, i) => ({ belowMs: bounds[i] ?? Infinity, count }));
    const first = counts.findIndex((count) => count > 0);
    return first === -1 ? [] : buckets.slice(first, counts.findLastIndex((count) => count > 0) + 1);
  }
}

function increment(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}
