import { describe, expect, it } from 'vitest';
import { readLiveEvent, type LiveEvent } from './live-event.ts';
import {
  addInFlight,
  applyToRequests,
  closeUnseen,
  feed,
  keptPerKind,
  type LiveRequests,
} from './live-requests.ts';

const at = 1_700_000_000_000;

function event(type: string, fields: object): LiveEvent {
  const read = readLiveEvent(type, JSON.stringify({ at: new Date(at).toISOString(), ...fields }));
  if (read === undefined) throw new Error(`${type} was not read`);
  return read;
}

function end(id: string, fields: object = {}): LiveEvent {
  const base = { request_id: id, method: 'GET', origin: 'https://a.test', outcome: 'success' };
  return event('request:end', { ...base, attempt_count: 1, duration: 0.5, ...fields });
}

function attemptEnd(id: string, fields: object = {}): LiveEvent {
  const base = { request_id: id, attempt: 0, proxy_id: 'p1', origin: 'https://a.test' };
  return event('attempt:end', { ...base, outcome: 'success', latency: 0.2, ...fields });
}

describe('A7 live attempts, grouped by request', () => {
  it('shows the way a request took: each proxy, its outcome, and the wait before', () => {
    const requests: LiveRequests = new Map();
    const start = { request_id: 'r1', method: 'GET', origin: 'https://a.test' };
    applyToRequests(requests, event('request:start', start));
    applyToRequests(requests, event('attempt:start', { ...start, attempt: 0, proxy_id: 'p1' }));
    expect(requests.get('r1')?.attempts[0]).toMatchObject({ proxyId: 'p1', outcome: 'running' });
    applyToRequests(
      requests,
      attemptEnd('r1', { outcome: 'failure', status_code: 503, blame: 'proxy', phase: 'headers' }),
    );
    applyToRequests(
      requests,
      event('retry:scheduled', { request_id: 'r1', attempt: 1, delay: 1, reason: 'status' }),
    );
    expect(requests.get('r1')?.retryAt).toBe(at + 1000);
    applyToRequests(requests, event('attempt:start', { ...start, attempt: 1, proxy_id: 'p2' }));
    expect(requests.get('r1')?.retryAt).toBeUndefined();
    applyToRequests(
      requests,
      attemptEnd('r1', { attempt: 1, proxy_id: 'p2', status_code: 200, delay_before: 1 }),
    );
    applyToRequests(requests, end('r1', { status_code: 200, attempt_count: 2, duration: 1.4 }));
    expect(requests.get('r1')).toMatchObject({
      method: 'GET',
      outcome: 'success',
      duration: 1.4,
      attempts: [
        { proxyId: 'p1', outcome: 'failure', statusCode: 503, latency: 0.2 },
        { proxyId: 'p2', outcome: 'success', statusCode: 200, delayBefore: 1 },
      ],
    });
  });

  it('a hedge is an attempt beside the first, not a replacement of it', () => {
    const requests: LiveRequests = new Map();
    for (const hedge of [false, true]) {
      const proxy_id = hedge ? 'p2' : 'p1';
      applyToRequests(requests, attemptEnd('r1', { proxy_id, hedge }));
    }
    expect(requests.get('r1')?.attempts.map(({ hedge }) => hedge)).toEqual([false, true]);
  });

  it('a page that is opened in the middle of a request shows what happens from there', () => {
    const requests: LiveRequests = new Map();
    applyToRequests(requests, attemptEnd('r1', { attempt: 1 }));
    expect(requests.get('r1')).toMatchObject({ startedAt: at - 200, outcome: 'running' });
    applyToRequests(requests, end('r1'));
    expect(requests.get('r1')).toMatchObject({ method: 'GET', outcome: 'success' });
  });

  it('what was in flight when the page came is shown as running', () => {
    const requests: LiveRequests = new Map();
    const base = { method: 'GET', origin: 'https://a.test', attempt: 1, next_retry_at: null };
    addInFlight(
      requests,
      [
        { ...base, request_id: 'r1', proxy_id: 'p1' },
        { ...base, request_id: 'r2', proxy_id: null },
      ],
      at,
    );
    expect(requests.get('r1')?.attempts).toMatchObject([{ attempt: 1, proxyId: 'p1' }]);
    expect(requests.get('r2')?.attempts).toEqual([]);
  });

  it('after an interruption, running requests that are not in flight any more read "unknown"', () => {
    const requests: LiveRequests = new Map();
    for (const request_id of ['r1', 'r2']) {
      applyToRequests(requests, event('attempt:start', { request_id, attempt: 0, proxy_id: 'p' }));
    }
    applyToRequests(requests, end('r3'));
    closeUnseen(requests, new Set(['r2']));
    expect([...requests.values()].map(({ outcome }) => outcome)).toEqual([
      'unknown',
      'running',
      'success',
    ]);
    expect(requests.get('r1')?.attempts[0]?.outcome).toBe('unknown');
  });

  it('keeps a bounded number, and retried or failed requests outlive a flood of easy ones', () => {
    const requests: LiveRequests = new Map();
    applyToRequests(requests, end('bad', { outcome: 'failure' }));
    for (let i = 0; i < 1000; i++) applyToRequests(requests, end(`r${i}`));
    expect(requests.size).toBe(keptPerKind + 1);
    expect(requests.has('bad')).toBe(true);
    expect(requests.has('r0')).toBe(false);
    for (let i = 0; i < 1000; i++) applyToRequests(requests, end(`f${i}`, { outcome: 'timeout' }));
    expect(requests.size).toBe(2 * keptPerKind);
  });

  it('the feed is newest first, filtered and bounded', () => {
    const requests: LiveRequests = new Map();
    applyToRequests(requests, end('ok'));
    applyToRequests(requests, end('bad', { outcome: 'failure' }));
    applyToRequests(requests, attemptEnd('twice', { outcome: 'failure' }));
    applyToRequests(requests, attemptEnd('twice', { attempt: 1 }));
    const ids = (filter: 'all' | 'retried' | 'failed', limit = 10) =>
      feed(requests, filter, limit).map(({ id }) => id);
    expect(ids('all')).toEqual(['twice', 'bad', 'ok']);
    expect(ids('all', 2)).toEqual(['twice', 'bad']);
    expect(ids('retried')).toEqual(['twice']);
    expect(ids('failed')).toEqual(['bad']);
  });
});

describe('reading the stream', () => {
  it('unknown types and broken data are skipped', () => {
    expect(readLiveEvent('proxy:polished', '{}')).toBeUndefined();
    expect(readLiveEvent('attempt:end', '{"half')).toBeUndefined();
    expect(readLiveEvent('attempt:end', 'null')).toBeUndefined();
  });

  it('takes times as ISO text or epoch milliseconds, and a circuit by proxy_id or name', () => {
    const fields = { to: 'open', from: 'closed', reason: 'failures', failure_count: 5 };
    const iso = new Date(at + 30_000).toISOString();
    const expected = { proxyId: 'p1', to: 'open', nextTestAt: at + 30_000, at };
    expect(
      event('circuit:transition', { ...fields, name: 'p1', at, next_test_at: at + 30_000 }),
    ).toMatchObject(expected);
    expect(
      event('circuit:transition', {
        ...fields,
        proxy_id: 'p1',
        next_test_time: iso,
        at: 0,
        timestamp: at,
      }),
    ).toMatchObject(expected);
  });
});
