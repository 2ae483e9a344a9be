import { time, type LiveEvent } from './live-event.ts';
import type { CircuitState, WireCircuit, WireProxy, WireProxyMetrics } from './wire.ts';

/** One proxy with all that is known of it: a row of the pool's table. */
export interface PoolRow {
  readonly id: string;
  readonly url: string;
  readonly region: string;
  readonly tags: readonly string[];
  readonly weight: number | undefined;
  readonly successRate: number | null;
  /** Seconds. */
  readonly avgLatency: number | null;
  readonly inFlight: number;
  /** Of a provider's gateway: its exits, as `18 of 20 exits`. */
  readonly exits: string;
  readonly score: number | null;
  readonly state: CircuitState;
  /** Held there by an operator: forced open, or disabled and so always closed. */
  readonly forced: boolean;
  readonly failureCount: number;
  readonly failureThreshold: number;
  /** Seconds. */
  readonly windowDuration: number;
  /** Seconds. */
  readonly timeoutDuration: number;
  readonly nextTestAt: number | null;
  readonly lastChangeAt: number | null;
  readonly attempts: number | null;
  readonly successes: number | null;
  readonly failures: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly opens: number | null;
  /** Its place in natural order of ids: ties of every sorting are broken by it. */
  readonly rank: number;
  /** Lower-case text that the search box looks into. */
  readonly haystack: string;
}

/** How many circuits are in which state. */
export interface StateCounts {
  readonly closed: number;
  readonly half_open: number;
  readonly open: number;
}

const naturally = new Intl.Collator('en', { numeric: true });

/**
 * Joins the answers of the three endpoints by proxy id. A circuit transition heard on the stream
 * after the answer was made wins over it.
 */
export function joinPool(
  proxies: readonly WireProxy[],
  circuits: readonly WireCircuit[],
  metrics: Readonly<Record<string, WireProxyMetrics>>,
  known: ReadonlyMap<string, PoolRow>,
): Map<string, PoolRow> {
  const rows = new Map<string, PoolRow>();
  const rank = ranks(proxies, known);
  const byId = new Map(circuits.map((circuit) => [circuit.proxy_id, circuit]));
  for (const proxy of proxies) {
    const { id } = proxy;
    rows.set(id, rowOf(proxy, byId.get(id), metrics[id], known.get(id), rank.get(id) ?? 0));
  }
  return rows;
}

/** Brings some rows up to date with answers about them; new ones are added. */
export function mergeIntoPool(
  rows: Map<string, PoolRow>,
  proxies: readonly WireProxy[],
  circuits: readonly WireCircuit[],
  metrics: Readonly<Record<string, WireProxyMetrics>>,
): void {
  const byId = new Map(circuits.map((circuit) => [circuit.proxy_id, circuit]));
  let isNew = false;
  for (const proxy of proxies) {
    const { id } = proxy;
    const before = rows.get(id);
    isNew ||= before === undefined;
    rows.set(id, rowOf(proxy, byId.get(id), metrics[id], before, before?.rank ?? 0));
  }
  if (!isNew) return;
  const ids = [...rows.keys()].sort(naturally.compare);
  for (const [rank, id] of ids.entries()) {
    const row = rows.get(id);
    if (row !== undefined && row.rank !== rank) rows.set(id, { ...row, rank });
  }
}

function rowOf(
  proxy: WireProxy,
  circuit: WireCircuit | undefined,
  counts: WireProxyMetrics | undefined,
  before: PoolRow | undefined,
  rank: number,
): PoolRow {
  const lastChangeAt = time(circuit?.last_state_change) ?? null;
  const state = readState(circuit?.state ?? proxy.state);
  const isUnused = proxy.avg_latency == null && (counts?.total_attempts ?? 0) === 0;
  const row: PoolRow = {
    id: proxy.id,
    url: proxy.url,
    region: proxy.region ?? '',
    tags: proxy.tags ?? [],
    weight: proxy.weight,
    // What a strategy assumes of a proxy that was never used is no rate.
    successRate: isUnused ? null : (proxy.success_rate ?? null),
    avgLatency: proxy.avg_latency ?? null,
    inFlight: proxy.in_flight ?? 0,
    exits: exitsOf(proxy),
    score: proxy.score ?? null,
    state: state.state,
    forced: circuit?.forced ?? state.forced,
    failureCount: circuit?.failure_count ?? 0,
    failureThreshold: circuit?.failure_threshold ?? 0,
    windowDuration: circuit?.window_duration ?? 0,
    timeoutDuration: circuit?.timeout_duration ?? 0,
    nextTestAt: time(circuit?.next_test_time) ?? null,
    lastChangeAt,
    attempts: counts?.total_attempts ?? null,
    successes: counts?.success_count ?? null,
    failures: counts?.failure_count ?? null,
    p50: counts?.p50 ?? null,
    p95: counts?.p95 ?? null,
    p99: counts?.p99 ?? null,
    opens: counts?.circuit_breaker_opens ?? null,
    rank,
    haystack: haystack(proxy),
  };
  const heardLater = (before?.lastChangeAt ?? 0) > (lastChangeAt ?? 0);
  return before !== undefined && heardLater ? withCircuitOf(row, before) : row;
}

/** Brings the rows up to date with one event. Returns whether anything changed. */
export function applyToPool(rows: Map<string, PoolRow>, event: LiveEvent): boolean {
  if (
    event.type !== 'circuit:transition' &&
    event.type !== 'attempt:start' &&
    event.type !== 'attempt:end'
  ) {
    return false;
  }
  const row = rows.get(listedId(rows, event.proxyId));
  if (row === undefined) return false;
  if (event.type === 'circuit:transition') {
    // That of an exit says nothing of its gateway: the next poll counts them.
    if (row.id !== event.proxyId) return false;
    const { failureCount, nextTestAt, at, to, reason } = event;
    const { state, forced } = readState(to);
    rows.set(row.id, {
      ...row,
      state,
      forced: forced || reason === 'forced' || reason === 'disabled',
      failureCount,
      nextTestAt: to === 'open' ? nextTestAt : null,
      lastChangeAt: at,
    });
  } else {
    const change = event.type === 'attempt:start' ? 1 : -1;
    rows.set(row.id, { ...row, inFlight: Math.max(0, row.inFlight + change) });
  }
  return true;
}

/** The id by which a proxy is listed: that of an exit, `gate:7777/3`, begins with its gateway's. */
export function listedId(rows: ReadonlyMap<string, unknown>, proxyId: string): string {
  let id = proxyId;
  while (!rows.has(id)) {
    const slash = id.lastIndexOf('/');
    if (slash === -1) return proxyId;
    id = id.slice(0, slash);
  }
  return id;
}

function exitsOf({ exits }: WireProxy): string {
  return exits === undefined ? '' : `${exits.available} of ${exits.count} exits`;
}

/** The row with what an answer of `/circuit-breakers/{id}` says. */
export function withCircuit(row: PoolRow, circuit: WireCircuit): PoolRow {
  return {
    ...row,
    ...readState(circuit.state),
    forced: circuit.forced ?? false,
    failureCount: circuit.failure_count,
    nextTestAt: time(circuit.next_test_time) ?? null,
    lastChangeAt: time(circuit.last_state_change) ?? row.lastChangeAt,
  };
}

export function countStates(rows: Iterable<PoolRow>): StateCounts {
  const counts = { closed: 0, half_open: 0, open: 0 };
  for (const row of rows) counts[row.state]++;
  return counts;
}

/** The states of the wire, and the library's own names for the overrides. */
export function readState(state: string | undefined): { state: CircuitState; forced: boolean } {
  switch (state) {
    case 'open':
    case 'half_open':
      return { state, forced: false };
    case 'forced_open':
      return { state: 'open', forced: true };
    case 'disabled':
      return { state: 'closed', forced: true };
    default:
      return { state: 'closed', forced: false };
  }
}

/** Sorting ids in natural order is the dear part of a poll, so it is done only for a new pool. */
function ranks(
  proxies: readonly WireProxy[],
  known: ReadonlyMap<string, PoolRow>,
): ReadonlyMap<string, number> {
  if (proxies.length === known.size && proxies.every(({ id }) => known.has(id))) {
    return new Map([...known.values()].map(({ id, rank }) => [id, rank]));
  }
  const ids = proxies.map(({ id }) => id).sort(naturally.compare);
  return new Map(ids.map((id, rank) => [id, rank]));
}

function haystack({ id, region, tags }: WireProxy): string {
  return [id, region ?? '', ...(tags ?? [])].join(' ').toLowerCase();
}

function withCircuitOf(row: PoolRow, other: PoolRow): PoolRow {
  const { state, forced, failureCount, nextTestAt, lastChangeAt } = other;
  return { ...row, state, forced, failureCount, nextTestAt, lastChangeAt };
}
