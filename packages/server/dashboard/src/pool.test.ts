import { describe, expect, it } from 'vitest';
import { readLiveEvent, type LiveEvent } from './live-event.ts';
import { applyToPool, countStates, joinPool, listedId, withCircuit } from './pool.ts';
import {
  firstDirection,
  holdOrder,
  nextSorting,
  viewPool,
  type Sorting,
  type SortKey,
} from './pool-view.ts';
import { visibleRange } from './visible-range.ts';
import type { WireCircuit, WireProxy } from './wire.ts';

const at = 1_700_000_000_000;
const iso = (offsetMs: number) => new Date(at + offsetMs).toISOString();

function proxy(id: string, fields: Partial<WireProxy> = {}): WireProxy {
  return { id, url: `http://${id}`, region: null, tags: [], weight: 1, in_flight: 0, ...fields };
}

function circuit(id: string, fields: Partial<WireCircuit> = {}): WireCircuit {
  return {
    proxy_id: id,
    state: 'closed',
    failure_count: 0,
    failure_threshold: 5,
    window_duration: 60,
    timeout_duration: 30,
    next_test_time: null,
    last_state_change: iso(0),
    ...fields,
  };
}

function transition(id: string, to: string, offsetMs: number): LiveEvent {
  const fields = { name: id, from: 'closed', to, reason: 'failures', failure_count: 5 };
  const times = { at: at + offsetMs, next_test_at: at + offsetMs + 30_000 };
  return readLiveEvent('circuit:transition', JSON.stringify({ ...fields, ...times })) as LiveEvent;
}

const all = { text: '', state: 'all' } as const;
const upward = (key: SortKey): Sorting => ({ key, descending: false });

describe('V7 a gateway', () => {
  it('V7 is one row, which says how many of its exits are available, and gets the events of all of them', () => {
    const exits = { count: 20, available: 18, renewed: 3 };
    const rows = joinPool([proxy('gate:1', { exits }), proxy('b:2')], [], {}, new Map());
    expect([rows.get('gate:1')?.exits, rows.get('b:2')?.exits]).toEqual(['18 of 20 exits', '']);
    const start = { request_id: 'r', attempt: 0, proxy_id: 'gate:1/us/7', origin: 'http://a', at };
    const event = readLiveEvent('attempt:start', JSON.stringify(start)) as LiveEvent;
    expect(applyToPool(rows, event)).toBe(true);
    expect(rows.get('gate:1')?.inFlight).toBe(1);
    expect(applyToPool(rows, transition('gate:1/us/7', 'open', 5))).toBe(false);
    expect(rows.get('gate:1')?.state).toBe('closed');
    expect([listedId(rows, 'b:2'), listedId(rows, 'gone/1')]).toEqual(['b:2', 'gone/1']);
  });
});

describe('A7 the pool', () => {
  it('joins proxies, circuits and figures by id', () => {
    const rows = joinPool(
      [proxy('a:1', { success_rate: 0.9, avg_latency: 0.2, region: 'eu' }), proxy('b:2')],
      [circuit('a:1', { state: 'open', next_test_time: iso(5000), failure_count: 5 })],
      {
        'a:1': {
          proxy_id: 'a:1',
          total_attempts: 10,
          success_count: 9,
          failure_count: 1,
          avg_latency: 0.2,
          p95: 0.5,
          circuit_breaker_opens: 2,
        },
      },
      new Map(),
    );
    expect(rows.get('a:1')).toMatchObject({
      state: 'open',
      forced: false,
      nextTestAt: at + 5000,
      attempts: 10,
      p95: 0.5,
      opens: 2,
    });
    expect(rows.get('b:2')).toMatchObject({ state: 'closed', attempts: null, p95: null });
    expect(countStates(rows.values())).toEqual({ closed: 1, half_open: 0, open: 1 });
  });

  it('a transition of the stream is not undone by an older response', () => {
    const rows = joinPool([proxy('a')], [circuit('a')], {}, new Map());
    expect(applyToPool(rows, transition('a', 'open', 1000))).toBe(true);
    const stale = joinPool([proxy('a')], [circuit('a')], {}, rows);
    expect(stale.get('a')).toMatchObject({ state: 'open', nextTestAt: at + 31_000 });
    const fresh = circuit('a', { last_state_change: iso(2000) });
    expect(joinPool([proxy('a')], [fresh], {}, stale).get('a')?.state).toBe('closed');
  });

  it('forced and disabled circuits show their state on the wire and that an operator holds them', () => {
    const rows = joinPool([proxy('a')], [circuit('a')], {}, new Map());
    applyToPool(rows, transition('a', 'forced_open', 1));
    expect(rows.get('a')).toMatchObject({ state: 'open', forced: true, nextTestAt: null });
    applyToPool(rows, transition('a', 'disabled', 2));
    expect(rows.get('a')).toMatchObject({ state: 'closed', forced: true });
    const forced = { proxy_id: 'a', from_state: 'closed', to_state: 'open', reason: 'forced' };
    const text = JSON.stringify({ ...forced, failure_count: 0, timestamp: iso(3) });
    applyToPool(rows, readLiveEvent('circuit:transition', text) as LiveEvent);
    expect(rows.get('a')).toMatchObject({ state: 'open', forced: true, lastChangeAt: at + 3 });
    const [row] = rows.values();
    if (row === undefined) throw new Error('no row');
    expect(withCircuit(row, circuit('a'))).toMatchObject({ state: 'closed', forced: false });
  });

  it('attempts on the stream move the number in flight, never below zero', () => {
    const rows = joinPool([proxy('a')], [], {}, new Map());
    const attempt = (type: string) =>
      readLiveEvent(type, '{"proxy_id":"a","request_id":"r","attempt":0}') as LiveEvent;
    applyToPool(rows, attempt('attempt:start'));
    expect(rows.get('a')?.inFlight).toBe(1);
    applyToPool(rows, attempt('attempt:end'));
    applyToPool(rows, attempt('attempt:end'));
    expect(rows.get('a')?.inFlight).toBe(0);
    expect(applyToPool(rows, transition('nobody', 'open', 0))).toBe(false);
  });

  it('filters by state and by words in id, region and tags', () => {
    const rows = joinPool(
      [proxy('a:1', { region: 'EU', tags: ['fast'] }), proxy('b:1', { region: 'us' })],
      [circuit('b:1', { state: 'half_open' })],
      {},
      new Map(),
    );
    const ids = (text: string, state: 'all' | 'half_open' = 'all') =>
      viewPool(rows.values(), { text, state }, upward('id')).map(({ id }) => id);
    expect(ids('')).toEqual(['a:1', 'b:1']);
    expect(ids(' eu FAST ')).toEqual(['a:1']);
    expect(ids('eu slow')).toEqual([]);
    expect(ids('', 'half_open')).toEqual(['b:1']);
  });

  it('sorts ids naturally, by any figure, with the unknown last in both directions', () => {
    const rows = joinPool(
      [
        proxy('p10', { avg_latency: 0.1 }),
        proxy('p9', { avg_latency: null }),
        proxy('p2', { avg_latency: 0.3 }),
        proxy('p1', { avg_latency: 0.1 }),
      ],
      [circuit('p9', { state: 'open', next_test_time: iso(9) }), circuit('p2', { state: 'open' })],
      {},
      new Map(),
    );
    const ids = (sorting: Sorting) => viewPool(rows.values(), all, sorting).map(({ id }) => id);
    expect(ids(upward('id'))).toEqual(['p1', 'p2', 'p9', 'p10']);
    expect(ids(upward('avgLatency'))).toEqual(['p1', 'p10', 'p2', 'p9']);
    expect(ids({ key: 'avgLatency', descending: true })).toEqual(['p2', 'p1', 'p10', 'p9']);
    expect(ids(upward('state'))).toEqual(['p9', 'p2', 'p1', 'p10']);
  });

  it('a held order keeps its rows in place, brings them up to date and drops removed ones', () => {
    const before = joinPool([proxy('b'), proxy('a'), proxy('c')], [], {}, new Map());
    const after = joinPool([proxy('a', { in_flight: 3 }), proxy('b')], [], {}, before);
    const held = holdOrder([...before.values()], [...after.values()]);
    expect(held.map(({ id, inFlight }) => [id, inFlight])).toEqual([
      ['b', 0],
      ['a', 3],
    ]);
  });

  it('a first click shows trouble and load first, a second one turns the order around', () => {
    expect(firstDirection('p95').descending).toBe(true);
    expect(firstDirection('successRate').descending).toBe(false);
    expect(nextSorting(upward('id'), 'id')).toEqual({ key: 'id', descending: true });
    expect(nextSorting(upward('id'), 'opens')).toEqual({ key: 'opens', descending: true });
  });
});

describe('visibleRange', () => {
  it.each([
    ['at the top', 0, 10_000, 0, 17],
    ['in the middle', 36_000, 10_000, 997, 1014],
    ['at the end', 359_640, 10_000, 9983, 10_000],
    ['beyond the end, after a filter shortened the list', 359_640, 20, 3, 20],
    ['in a list that fits', 0, 4, 0, 4],
    ['pulled above the top', -80, 10_000, 0, 17],
    ['in an empty list', 0, 0, 0, 0],
  ])('%s', (_where, scrollTop, count, first, end) => {
    expect(visibleRange(scrollTop, 360, 36, count, 3)).toEqual({ first, end });
  });
});
