import { describe, expect, it } from 'vitest';
import { mergeMinutes, minutesWanted, readTraffic, sumTraffic } from './traffic.ts';

const minute = 60_000;
const start = 28_000_000 * minute;

/** A minute with so many requests. */
const point = (n: number, requests = 0) => ({
  at: start + n * minute,
  requests,
  retries: 0,
  successRate: null,
  avgLatency: null,
  p50: null,
  p95: null,
  p99: null,
});

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

  it('asks for the whole hour at first, then for the minutes since', () => {
    expect(minutesWanted(undefined, start)).toBe(60);
    expect(minutesWanted([], start)).toBe(60);
    expect(minutesWanted([point(0)], start + 59_000)).toBe(2);
    expect(minutesWanted([point(0)], start + minute)).toBe(3);
    expect(minutesWanted([point(0)], start + 10 * minute)).toBe(12);
    expect(minutesWanted([point(0)], start + 500 * minute)).toBe(60);
    // A server whose clock was set back.
    expect(minutesWanted([point(9)], start)).toBe(2);
  });

  it('newer figures take the place of older ones, and an hour is held', () => {
    const known = Array.from({ length: 60 }, (_, n) => point(n, 1));
    const merged = mergeMinutes(known, [point(59, 7), point(60, 8)]);
    expect(merged).toHaveLength(60);
    expect(merged[0]?.at).toBe(start + minute);
    expect(merged.slice(-3).map(({ requests }) => requests)).toEqual([1, 7, 8]);
    expect(mergeMinutes(undefined, [point(0)])).toEqual([point(0)]);
    expect(mergeMinutes(known, [])).toEqual(known);
  });
});
