import { describe, expect, it } from 'vitest';
import { readLiveEvent, type LiveEvent } from './live-event.ts';
import { MinuteTraffic, liveMinutes, readTraffic, sumTraffic } from './traffic.ts';

const minute = 60_000;
const start = 28_000_000 * minute;

function event(type: string, at: number, fields: object): LiveEvent {
  return readLiveEvent(type, JSON.stringify({ request_id: 'r', at, ...fields })) as LiveEvent;
}

const ended = (at: number, outcome = 'success', attempt_count = 1) =>
  event('request:end', at, { outcome, attempt_count });
const attempted = (at: number, latency: number, outcome = 'success') =>
  event('attempt:end', at, { outcome, latency, attempt: 0 });

describe('A7 traffic', () => {
  it('reads the hours of the server; what it lacks is null', () => {
    const base = { total_requests: 4, total_retries: 1, success_rate: null, avg_latency: 0.2 };
    expect(readTraffic([{ timestamp: '2026-01-01T10:00:00.000Z', ...base, p95: 0.5 }])).toEqual([
      {
        at: Date.UTC(2026, 0, 1, 10),
        requests: 4,
        retries: 1,
        successRate: null,
        avgLatency: 0.2,
        p50: null,
        p95: 0.5,
        p99: null,
      },
    ]);
  });

  it('totals weigh the success rate by requests, and an idle day has none', () => {
    const point = (requests: number, successRate: number | null) => ({
      at: 0,
      requests,
      retries: 1,
      successRate,
      avgLatency: null,
      p50: null,
      p95: null,
      p99: null,
    });
    expect(sumTraffic([point(90, 1), point(10, 0), point(0, null)])).toEqual({
      requests: 100,
      retries: 3,
      successRate: 0.9,
    });
    expect(sumTraffic([point(0, null)]).successRate).toBeNull();
  });

  it('counts the stream by minute: requests that ended, retries that began, latencies', () => {
    const traffic = new MinuteTraffic();
    for (const each of [0.1, 0.2, 0.3, 0.4]) traffic.add(attempted(start + 5, each));
    traffic.add(attempted(start + 5, 9, 'failure'));
    traffic.add(ended(start + 10));
    traffic.add(ended(start + 20, 'failure'));
    traffic.add(ended(start + 30, 'failure', 0));
    traffic.add(event('attempt:start', start + minute, { attempt: 1 }));
    traffic.add(event('attempt:start', start + minute, { attempt: 1, hedge: true }));
    traffic.add(event('attempt:start', start + minute, { attempt: 0 }));
    const points = traffic.points(start + 2 * minute, start);
    expect(points.map(({ at, requests, retries }) => [at - start, requests, retries])).toEqual([
      [0, 2, 0],
      [minute, 0, 1],
      [2 * minute, 0, 0],
    ]);
    expect(points[0]).toMatchObject({ successRate: 0.5, p50: 0.2, p95: 0.4 });
    expect(points[0]?.avgLatency).toBeCloseTo(0.25, 12);
    expect(points[2]).toMatchObject({ successRate: null, avgLatency: null, p99: null });
  });

  it('holds an hour, and a bounded sample of latencies per minute', () => {
    const traffic = new MinuteTraffic(() => 0);
    traffic.add(ended(start));
    for (let i = 0; i < 500; i++) traffic.add(attempted(start + minute, 1));
    for (let i = 0; i < 500; i++) traffic.add(attempted(start + minute, 100));
    expect(traffic.points(start + minute, 0)).toHaveLength(liveMinutes);
    expect(traffic.points(start + minute, start)[1]?.avgLatency).toBeCloseTo(599 / 500, 12);
    expect(traffic.points(start + 60 * minute, 0)[0]).toMatchObject({ at: start + minute });
    expect(traffic.points(start + minute, start)[0]).toMatchObject({ requests: 0 });
  });
});
