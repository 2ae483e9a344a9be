import type { WhirlBus } from '@whirl/events';
import { Histogram, type Point } from '@whirl/metrics';

const minuteMs = 60_000;

/** Minutes that are held, the current one included. */
export const maxMinutes = 60;

class Minute {
  requests = 0;
  succeeded = 0;
  retries = 0;
  readonly latencies = new Histogram();

  clear(): void {
    this.requests = this.succeeded = this.retries = 0;
    this.latencies.clear();
  }
}

/**
 * What happened in each of the last 60 minutes: the series of `RetryMetrics`, which has hours, on a finer scale, and
 * counted as there. 80 kB, however much happens.
 */
export class MinuteSeries {
  readonly #now: () => number;
  readonly #minutes = Array.from({ length: maxMinutes }, () => new Minute());
  /** Minutes are counted from the epoch. */
  readonly #first: number;
  #current: number;
  readonly #offs: readonly (() => void)[];

  /** `now` returns epoch milliseconds, by the clock of the bus's events. */
  constructor(bus: WhirlBus, now: () => number) {
    this.#now = now;
    this.#first = this.#current = Math.floor(now() / minuteMs);
    this.#offs = [
      bus.on('attempt:end', ({ at, attempt, hedge, latencyMs }) => {
        const minute = this.#at(at);
        if (attempt > 0 && hedge !== true) minute.retries++;
        minute.latencies.record(latencyMs);
      }),
      bus.on('request:end', ({ at, attemptCount, outcome }) => {
        // A request that was refused before its first attempt is no request of the metrics either.
        if (attemptCount === 0) return;
        const minute = this.#at(at);
        minute.requests++;
        if (outcome === 'success') minute.succeeded++;
      }),
    ];
  }

  /** One point per started minute of the last `count`, ascending; the last is the current one. */
  points(count: number): Point[] {
    this.#advance(this.#now());
    const from = Math.max(this.#first, this.#current - Math.min(count, maxMinutes) + 1);
    return Array.from({ length: this.#current - from + 1 }, (_, i) => {
      const { requests, succeeded, retries, latencies } = this.#slot(from + i);
      return {
        timestamp: new Date((from + i) * minuteMs).toISOString(),
        totalRequests: requests,
        totalRetries: retries,
        successRate: requests === 0 ? null : succeeded / requests,
        avgLatencyMs: latencies.meanMs,
        p50Ms: latencies.quantile(0.5),
        p95Ms: latencies.quantile(0.95),
        p99Ms: latencies.quantile(0.99),
      };
    });
  }

  /** Stops listening. */
  close(): void {
    for (const off of this.#offs) off();
  }

  /** What happened late counts in the current minute, so that nothing is lost. */
  #at(at: number): Minute {
    this.#advance(at);
    return this.#slot(this.#current);
  }

  #advance(at: number): void {
    const reached = Math.floor(at / minuteMs);
    if (!(reached > this.#current)) return;
    const from = Math.max(this.#current, reached - maxMinutes) + 1;
    for (let minute = from; minute <= reached; minute++) this.#slot(minute).clear();
    this.#current = reached;
  }

  #slot(minute: number): Minute {
    return this.#minutes[minute % maxMinutes] as Minute;
  }
}
