import { createBus, type AttemptEnd, type RequestEnd, type WhirlEvents } from '@whirl/events';
import { RetryMetrics } from '@whirl/metrics';
import { describe, expect, it } from 'vitest';
import { MinuteSeries } from './minute-series.ts';

const minute = 60_000;
const begin = Date.UTC(2026, 0, 1, 10);

function start() {
  const clock = { now: begin };
  const now = () => clock.now;
  const bus = createBus<WhirlEvents>();
  const series = new MinuteSeries(bus, now);
  const metrics = new RetryMetrics({ bus, now });
  const attempt = (fields: Partial<AttemptEnd> = {}) =>
    bus.emit('attempt:end', {
      ...{ requestId: 'r', proxyId: 'p', origin: 'http://t.test', attempt: 0 },
      ...{ outcome: 'success', blame: 'none', latencyMs: 100, at: clock.now },
      ...fields,
    } as AttemptEnd);
  const request = (fields: Partial<RequestEnd> = {}) =>
    bus.emit('request:end', {
      ...{ requestId: 'r', method: 'GET', origin: 'http://t.test', outcome: 'success' },
      ...{ attemptCount: 1, durationMs: 100, at: clock.now },
      ...fields,
    } as RequestEnd);
  const shown = () =>
    series.points(60).map(({ timestamp, totalRequests, totalRetries, successRate }) => ({
      minute: (Date.parse(timestamp) - begin) / minute,
      totalRequests,
      totalRetries,
      successRate,
    }));
  return { clock, bus, series, metrics, attempt, request, shown };
}

describe('A3 the last hour by minute', () => {
  it('A3 requests, retries and success count in the minute in which they ended', () => {
    const { clock, attempt, request, shown } = start();
    attempt({ outcome: 'failure' });
    attempt({ attempt: 1 });
    request({ attemptCount: 2 });
    request({ outcome: 'failure' });
    clock.now += 2 * minute;
    attempt({ attempt: 1, hedge: true });
    expect(shown()).toEqual([
      { minute: 0, totalRequests: 2, totalRetries: 1, successRate: 0.5 },
      { minute: 1, totalRequests: 0, totalRetries: 0, successRate: null },
      { minute: 2, totalRequests: 0, totalRetries: 0, successRate: null },
    ]);
  });

  it('A3 the figures of a minute are those that the metrics have for an hour', () => {
    const { series, metrics, attempt, request } = start();
    for (let i = 1; i <= 200; i++) {
      attempt({ latencyMs: i * 7, attempt: i % 3, outcome: i % 5 === 0 ? 'failure' : 'success' });
      request({ attemptCount: i % 4, outcome: i % 7 === 0 ? 'failure' : 'success' });
    }
    expect(series.points(1)).toEqual(metrics.getTimeseries({ hours: 1 }));
  });

  it('A3 sixty minutes are held, and those in which nothing happened are empty', () => {
    const { clock, series, request, shown } = start();
    for (let i = 0; i < 200; i++) {
      request();
      clock.now += minute;
    }
    expect(shown()).toHaveLength(60);
    expect(shown()[0]).toMatchObject({ minute: 141, totalRequests: 1 });
    expect(series.points(2)).toHaveLength(2);
    clock.now += 500 * minute;
    expect(shown().map(({ totalRequests }) => totalRequests)).toEqual(Array(60).fill(0));
  });

  it('A3 what comes late counts in the current minute, and after close nothing does', () => {
    const { clock, series, request, shown } = start();
    clock.now += minute;
    expect(shown()).toHaveLength(2);
    request({ at: begin });
    expect(shown()[1]).toMatchObject({ minute: 1, totalRequests: 1 });
    series.close();
    request();
    expect(shown()[1]).toMatchObject({ totalRequests: 1 });
  });
});
