import { time, type LiveEvent } from './live-event.ts';
import type { WirePoint } from './wire.ts';

/** Traffic of one hour or one minute. */
export interface TrafficPoint {
  /** Epoch ms of its begin. */
  readonly at: number;
  readonly requests: number;
  readonly retries: number;
  /** 0 to 1; null without a request. */
  readonly successRate: number | null;
  /** Seconds, as all latencies here; null without a successful attempt. */
  readonly avgLatency: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

export interface TrafficTotals {
  readonly requests: number;
  readonly retries: number;
  readonly successRate: number | null;
}

/** How many minutes the live view holds. */
export const liveMinutes = 60;

/** Latencies kept per minute; later ones overwrite at random places, so that they stay a sample. */
const samplesPerMinute = 500;

const minuteMs = 60_000;

/** The points of `/metrics/retries/timeseries`, oldest first. */
export function readTraffic(points: readonly WirePoint[]): readonly TrafficPoint[] {
  return points.map((point) => ({
    at: time(point.timestamp) ?? 0,
    requests: point.total_requests,
    retries: point.total_retries,
    successRate: point.success_rate,
    avgLatency: point.avg_latency,
    p50: point.p50 ?? null,
    p95: point.p95 ?? null,
    p99: point.p99 ?? null,
  }));
}

/** Sums; the success rate weighs each point by its requests. */
export function sumTraffic(points: readonly TrafficPoint[]): TrafficTotals {
  let requests = 0;
  let retries = 0;
  let succeeded = 0;
  for (const point of points) {
    requests += point.requests;
    retries += point.retries;
    succeeded += (point.successRate ?? 0) * point.requests;
  }
  return { requests, retries, successRate: requests === 0 ? null : succeeded / requests };
}

interface Minute {
  requests: number;
  succeeded: number;
  retries: number;
  attempts: number;
  latencies: number[];
}

/** Counts the stream by minute, for a look at the last hour that is finer than the server's hours. */
export class MinuteTraffic {
  readonly #minutes = new Map<number, Minute>();
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  add(event: LiveEvent): void {
    if (event.type === 'request:end') {
      // A request that was refused before its first attempt is no request of the metrics either.
      if (event.attemptCount === 0) return;
      const minute = this.#at(event.at);
      minute.requests++;
      if (event.outcome === 'success') minute.succeeded++;
    } else if (event.type === 'attempt:start') {
      if (event.attempt > 0 && !event.hedge) this.#at(event.at).retries++;
    } else if (event.type === 'attempt:end' && event.outcome === 'success') {
      const minute = this.#at(event.at);
      const { latencies } = minute;
      minute.attempts++;
      if (latencies.length < samplesPerMinute) latencies.push(event.latency);
      else {
        const place = Math.floor(this.#random() * minute.attempts);
        if (place < samplesPerMinute) latencies[place] = event.latency;
      }
    }
  }

  /** One point per minute, the last is the current one; minutes before `since` are left out. */
  points(now: number, since: number): readonly TrafficPoint[] {
    const current = Math.floor(now / minuteMs);
    const first = Math.max(Math.floor(since / minuteMs), current - liveMinutes + 1);
    for (const minute of this.#minutes.keys()) {
      if (minute <= current - liveMinutes) this.#minutes.delete(minute);
    }
    const points: TrafficPoint[] = [];
    for (let minute = first; minute <= current; minute++) {
      const counts = this.#minutes.get(minute);
      const sorted = counts?.latencies.toSorted((a, b) => a - b) ?? [];
      const requests = counts?.requests ?? 0;
      points.push({
        at: minute * minuteMs,
        requests,
        retries: counts?.retries ?? 0,
        successRate: requests === 0 ? null : (counts?.succeeded ?? 0) / requests,
        avgLatency: sorted.length === 0 ? null : mean(sorted),
        p50: quantile(sorted, 0.5),
        p95: quantile(sorted, 0.95),
        p99: quantile(sorted, 0.99),
      });
    }
    return points;
  }

  #at(at: number): Minute {
    const key = Math.floor(at / minuteMs);
    let minute = this.#minutes.get(key);
    if (minute === undefined) {
      minute = { requests: 0, succeeded: 0, retries: 0, attempts: 0, latencies: [] };
      this.#minutes.set(key, minute);
    }
    return minute;
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Nearest rank; null of nothing. */
function quantile(sorted: readonly number[], q: number): number | null {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? null;
}
