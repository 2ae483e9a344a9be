import { time } from './live-event.ts';
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

/** How many minutes the view of the last hour holds. */
export const maxMinutes = 60;

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

/**
 * How many minutes are to be asked for at `now`: those since the last known one, which has not ended when it was read,
 * or all of the hour.
 */
export function minutesWanted(known: readonly TrafficPoint[] | undefined, now: number): number {
  const last = known?.at(-1)?.at ?? 0;
  const started = Math.floor(now / minuteMs) - Math.floor(last / minuteMs) + 1;
  // One more, since the server may be in the next minute when it is asked.
  return Math.min(maxMinutes, Math.max(2, started + 1));
}

/** The known minutes, with newer figures in place of older ones; those of the last hour. */
export function mergeMinutes(
  known: readonly TrafficPoint[] | undefined,
  fresh: readonly TrafficPoint[],
): readonly TrafficPoint[] {
  const from = fresh[0]?.at ?? Infinity;
  return [...(known ?? []).filter(({ at }) => at < from), ...fresh].slice(-maxMinutes);
}
