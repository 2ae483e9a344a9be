import type { AttemptEnd } from '@whirl/events';
import { describe, expect, it } from 'vitest';
import { Measurements } from './measurements.ts';

const attempt = (proxyId: string, rest: Partial<AttemptEnd>): AttemptEnd => ({
  ...{ requestId: 'r1', attempt: 0, proxyId, origin: 'http://a', blame: 'none', phase: 'headers' },
  ...{ outcome: 'success', latencyMs: 10, delayBeforeMs: 0, hedge: false, at: 0 },
  ...rest,
});

describe('L4 what is measured', () => {
  it('requests are those that succeeded and those that failed', () => {
    const measured = new Measurements();
    for (const ms of [30, 10, 20, 40]) measured.succeeded(ms, 100);
    measured.failed('status 503');
    measured.failed('status 503');
    expect([measured.requests, measured.successes, measured.bytes]).toEqual([6, 4, 400]);
    expect(measured.failures).toEqual(new Map([['status 503', 2]]));
  });

  it('quantiles are latencies that were measured, by the nearest rank', () => {
    const measured = new Measurements();
    expect(measured.quantiles([0.5])).toEqual([undefined]);
    for (const ms of [100, 3, 20, 1000]) measured.succeeded(ms, 0);
    expect(measured.quantiles([0, 0.25, 0.5, 0.75, 0.76, 1])).toEqual([3, 3, 20, 100, 1000, 1000]);
  });

  it('the histogram goes from the first bucket with a latency to the last', () => {
    const measured = new Measurements();
    expect(measured.histogram()).toEqual([]);
    for (const ms of [5, 19.9, 20, 150]) measured.succeeded(ms, 0);
    expect(measured.histogram()).toEqual([
      { belowMs: 10, count: 1 },
      { belowMs: 20, count: 1 },
      { belowMs: 50, count: 1 },
      { belowMs: 100, count: 0 },
      { belowMs: 200, count: 1 },
    ]);
    measured.succeeded(60_000, 0);
    expect(measured.histogram().at(-1)).toEqual({ belowMs: Infinity, count: 1 });
  });

  it('attempts are counted by proxy; an aborted one is not counted against its proxy', () => {
    const measured = new Measurements();
    measured.attempt(attempt('a', {}));
    measured.attempt(attempt('a', { latencyMs: 30 }));
    measured.attempt(attempt('a', { outcome: 'timeout', reason: 'timeout', latencyMs: 500 }));
    measured.attempt(attempt('b', { outcome: 'aborted', reason: 'aborted' }));
    expect(measured.attempts).toBe(4);
    expect([...measured.proxies]).toEqual([
      ['a', { attempts: 3, succeeded: 2, latencyMs: 40, reasons: new Map([['timeout', 1]]) }],
    ]);
  });
});
