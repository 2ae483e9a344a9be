import { beforeEach, describe, expect, it } from 'vitest';
import { attemptEnd, midnight } from '../facts.fixture.ts';
import { RetryMetrics } from '../retry-metrics.ts';

const minuteMs = 60_000;

describe('recent attempts', () => {
  let at: number;
  let metrics: RetryMetrics;
  beforeEach(() => {
    at = midnight;
    metrics = new RetryMetrics({ now: () => at });
  });

  it('M5 gives back what was emitted, newest first', () => {
    const failed = attemptEnd({
      attempt: 1,
      outcome: 'failure',
      blame: 'proxy',
      phase: 'connect',
      statusCode: 403,
      errorCode: 'PROXY_CONNECTION',
      reason: 'connect',
      latencyMs: 12.25,
      delayBeforeMs: 1000,
      hedge: true,
    });
    metrics.record('attempt:end', failed);
    metrics.record('attempt:end', attemptEnd({ requestId: 'r2' }));
    expect(metrics.recentAttempts()).toEqual([attemptEnd({ requestId: 'r2' }), failed]);
    expect(metrics.recentAttempts({ limit: 1 })).toEqual([attemptEnd({ requestId: 'r2' })]);
  });

  it('M5 holds the last hour: an attempt is there at 60 minutes and gone a millisecond later', () => {
    metrics.record('attempt:end', attemptEnd({ at }));
    at = midnight + 60 * minuteMs;
    metrics.record('attempt:end', attemptEnd({ requestId: 'r2', at }));
    expect([metrics.sizes().attempts, metrics.recentAttempts().length]).toEqual([2, 2]);
    at++;
    expect([metrics.sizes().attempts, metrics.recentAttempts().length]).toEqual([1, 1]);
  });

  it('M5 holds 10,000 at most', () => {
    for (let i = 0; i < 10_001; i++) {
      metrics.record('attempt:end', attemptEnd({ requestId: `r${i}` }));
    }
    const all = metrics.recentAttempts({ limit: 10_000 });
    expect([metrics.sizes().attempts, all.length]).toEqual([10_000, 10_000]);
    expect([all[0]?.requestId, all.at(-1)?.requestId]).toEqual(['r10000', 'r1']);
  });

  it('cuts long texts, so that memory does not follow the traffic', () => {
    const origin = `https://${'a'.repeat(100)}.example.com`;
    metrics.record('attempt:end', attemptEnd({ requestId: 'r'.repeat(40), origin }));
    metrics.record('attempt:end', attemptEnd({ requestId: 'größe 漢' }));
    const [second, first] = metrics.recentAttempts();
    expect(first?.requestId).toBe('r'.repeat(36));
    expect(first?.origin).toBe(origin.slice(0, 64));
    expect(second?.requestId).toBe('größe ?');
  });

  it('gives back the origin of a target beyond the thousand that are counted apart', () => {
    for (let i = 0; i < 1_001; i++) {
      metrics.record('attempt:end', attemptEnd({ origin: `https://${i}.example.com` }));
    }
    metrics.record('attempt:end', attemptEnd({ origin: 'https://7.example.com' }));
    expect(metrics.recentAttempts({ limit: 3 }).map(({ origin }) => origin)).toEqual([
      'https://7.example.com',
      'https://1000.example.com',
      'https://999.example.com',
    ]);
  });

  it('tells 254 error codes apart; the rest is other', () => {
    for (let i = 1; i <= 300; i++) {
      metrics.record('attempt:end', attemptEnd({ outcome: 'failure', errorCode: `E${i}` }));
    }
    const codes = metrics.recentAttempts({ limit: 300 }).map(({ errorCode }) => errorCode);
    expect(codes.reverse().slice(252, 256)).toEqual(['E253', 'E254', 'other', 'other']);
    metrics.record('attempt:end', attemptEnd({ outcome: 'failure', errorCode: 'E7' }));
    expect(metrics.recentAttempts({ limit: 1 })[0]?.errorCode).toBe('E7');
  });
});
