import { describe, expect, it } from 'vitest';
import { eventToWire } from './event-wire.ts';

const at = Date.UTC(2026, 0, 2);

describe('eventToWire', () => {
  it('A6 writes snake_case, seconds and ISO times, and leaves out what is undefined', () => {
    expect(
      eventToWire('attempt:end', {
        requestId: 'r1',
        attempt: 1,
        proxyId: 'p',
        statusCode: undefined,
        latencyMs: 212,
        delayBeforeMs: 1000,
        at,
      }),
    ).toEqual({
      request_id: 'r1',
      attempt: 1,
      proxy_id: 'p',
      latency: 0.212,
      delay_before: 1,
      timestamp: '2026-01-02T00:00:00.000Z',
    });
  });

  it('A6 writes a transition in the words of the circuit routes', () => {
    expect(
      eventToWire('circuit:transition', {
        name: 'p',
        from: 'half_open',
        to: 'forced_open',
        reason: 'forced',
        generation: 3,
        failureCount: 0,
        nextTestAt: at,
        at,
      }),
    ).toEqual({
      proxy_id: 'p',
      from_state: 'half_open',
      to_state: 'open',
      reason: 'forced',
      generation: 3,
      failure_count: 0,
      next_test_time: '2026-01-02T00:00:00.000Z',
      timestamp: '2026-01-02T00:00:00.000Z',
    });
  });

  it('V6 writes the transition of a group in the same words', () => {
    expect(
      eventToWire('group:transition', {
        ...{ group: 'g', from: 'closed', to: 'open', failureCount: 5, nextTestAt: at, at },
      }),
    ).toEqual({
      ...{ group: 'g', from_state: 'closed', to_state: 'open', failure_count: 5 },
      next_test_time: '2026-01-02T00:00:00.000Z',
      timestamp: '2026-01-02T00:00:00.000Z',
    });
  });

  it('A6 writes a ban until a time, not for a duration', () => {
    expect(eventToWire('proxy:banned', { proxyId: 'p', until: at, rule: 'x', at })).toMatchObject({
      until: '2026-01-02T00:00:00.000Z',
    });
  });
});
