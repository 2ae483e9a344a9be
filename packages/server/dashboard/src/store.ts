import { batch, computed, signal } from '@preact/signals';
import { api, serverNow } from './api.ts';
import { ApiError } from './api-client.ts';
import { openEventStream, type StreamState } from './event-stream.ts';
import { readLiveEvent, type LiveEvent } from './live-event.ts';
import {
  addInFlight,
  applyToRequests,
  closeUnseen,
  feed,
  type FeedFilter,
  type LiveRequest,
  type LiveRequests,
} from './live-requests.ts';
import { readCircuitEvents } from './circuit-events.ts';
import { DirtyIds } from './dirty-ids.ts';
import {
  applyToPool,
  listedId,
  countStates,
  joinPool,
  mergeIntoPool,
  withCircuit,
  type PoolRow,
} from './pool.ts';
import { found, metricsHours, poolSize, search, showFound, startFinding } from './finding.ts';
import { seeOverview, seeStatus } from './overview.ts';
import { maxRows, PoolReader } from './pool-reader.ts';
import { startPolling } from './polling.ts';
import { currentToken, keepToken } from './token.ts';
import { mergeTransitions, readTransition, type Transition } from './transitions.ts';
import { mergeMinutes, minutesWanted, readTraffic, type TrafficPoint } from './traffic.ts';
import type * as Wire from './wire.ts';

/** Whether the page shows the present. */
export type Connection = 'connecting' | 'live' | 'polling' | 'reconnecting' | 'unauthorized';

let rowsById = new Map<string, PoolRow>();
const requests: LiveRequests = new Map();

/** Ticks once a second; what counts down reads it. */
export const clock = signal(serverNow());
export const stream = signal<StreamState>('connecting');
/** Whether the last round of polling was answered; undefined before the first. */
export const answered = signal<boolean | undefined>(undefined);
/** Why the last round failed, when the server did answer. */
export const serverError = signal('');
export const unauthorized = signal(false);
/** Whether a token that was sent has been refused. */
export const tokenRefused = signal(false);
export const answeredAt = signal<number | undefined>(undefined);

/** Undefined until the first answer. */
export const rows = signal<readonly PoolRow[] | undefined>(undefined);
export const states = computed(() => countStates(rows.value ?? []));
export const summary = signal<Wire.WireSummary | undefined>(undefined);
export const hours = signal<readonly TrafficPoint[] | undefined>(undefined);
export const minutes = signal<readonly TrafficPoint[] | undefined>(undefined);

/** The latest changes of circuits, newest first. */
export const transitions = signal<readonly Transition[]>([]);

export const feedFilter = signal<FeedFilter>('all');
export const feedPaused = signal(false);
const feedVersion = signal(0);
let pausedFeed: readonly LiveRequest[] = [];
export const feedRequests = computed(() => {
  void feedVersion.value;
  if (!feedPaused.value) pausedFeed = feed(requests, feedFilter.value, 60);
  return pausedFeed;
});

export const connection = computed<Connection>(() => {
  if (unauthorized.value) return 'unauthorized';
  if (answered.value === undefined) return 'connecting';
  if (!answered.value) return rows.value === undefined ? 'connecting' : 'reconnecting';
  if (stream.value === 'live') return 'live';
  return stream.value === 'reconnecting' ? 'reconnecting' : 'polling';
});

/** Counts the changes of policy that this page heard of. */
export const policyChanges = signal(0);

const reader = new PoolReader(api);
const dirty = new DirtyIds();
/** The rows that the table shows now: they are read first. */
let inView: readonly string[] = [];

/** What is known of a proxy. */
export function rowOf(id: string): PoolRow | undefined {
  return (
    rows.value?.find((each) => each.id === id) ?? found.value?.rows.find((each) => each.id === id)
  );
}

/** The maps that hold a row of a proxy: the page's own, and what was found. */
const holders = (id: string) => [rowsById, search.rows].filter((each) => each.has(id));

function publishRows(): void {
  rows.value = [...rowsById.values()];
  if (found.peek() !== undefined) showFound();
}

/** Whether a proxy has a row, or gets one: of a pool that is too large the first are shown. */
function isShown(id: string): boolean {
  return rowsById.size < maxRows || holders(id).length > 0;
}

/** The table tells which rows it draws. */
export function setInView(ids: readonly string[]): void {
  inView = ids;
}

/** Whether the next round reads the whole pool: at first, after a gap in the stream, or without one. */
let wholeWanted = true;
let seriesDueAt = 0;
/** Tunnels come and go by the thousand: the next round asks, whenever it is. */
let tunnelsMoved = false;

/**
 * One round: the totals, and the proxies that something happened to since they were read. The rest of the
 * pool is as it was, so that a page that watches a large pool asks for little.
 */
async function refresh(): Promise<void> {
  try {
    const totals = api.call<Wire.WireSummary>('GET', 'metrics/retries');
    const wantSeries = performance.now() >= seriesDueAt;
    const askGateway = tunnelsMoved;
    tunnelsMoved = false;
    const [summaryNow] = await Promise.all([
      totals,
      wholeWanted || stream.peek() !== 'live' ? readWhole() : readChanged(),
      readMinutes(),
      wantSeries ? readSeries() : askGateway ? seeStatus() : undefined,
    ]);
    // The server is back: no need to wait out the stream's own delay.
    if (answered.peek() === false && stream.peek() === 'reconnecting') events.retryNow();
    batch(() => {
      publishRows();
      summary.value = summaryNow;
      answered.value = true;
      answeredAt.value = Date.now();
      serverError.value = '';
      unauthorized.value = false;
      tokenRefused.value = false;
    });
  } catch (error) {
    noteFailure(error);
  }
}

async function readWhole(): Promise<void> {
  wholeWanted = false;
  try {
    const pool = await reader.readAll(metricsHours.peek());
    rowsById = joinPool(pool.proxies, pool.circuits, pool.metrics, rowsById);
    poolSize.value = pool.total;
  } catch (error) {
    wholeWanted = true;
    throw error;
  }
}

async function readChanged(): Promise<void> {
  const ids = dirty.take(inView);
  if (ids.length === 0) return;
  try {
    const { proxies, circuits, metrics } = await reader.readSome(ids, metricsHours.peek());
    const isFound = ({ id }: Wire.WireProxy) => search.rows.has(id);
    const isOwn = ({ id }: Wire.WireProxy) => rowsById.has(id) || rowsById.size < maxRows;
    mergeIntoPool(rowsById, proxies.filter(isOwn), circuits, metrics);
    mergeIntoPool(search.rows, proxies.filter(isFound), circuits, metrics);
  } catch (error) {
    for (const id of ids) dirty.add(id);
    throw error;
  }
}

async function readMinutes(): Promise<void> {
  const wanted = minutesWanted(minutes.peek(), serverNow());
  const series = await api.call<{ data_points: Wire.WirePoint[] }>(
    'GET',
    `metrics/retries/timeseries?minutes=${wanted}`,
  );
  minutes.value = mergeMinutes(minutes.peek(), readTraffic(series.data_points));
}

async function readSeries(): Promise<void> {
  const series = await api.call<{ data_points: Wire.WirePoint[] }>(
    'GET',
    'metrics/retries/timeseries?hours=24',
  );
  hours.value = readTraffic(series.data_points);
  await seeOverview();
  seriesDueAt = performance.now() + 5000;
}

function noteFailure(error: unknown): void {
  const failure =
    error instanceof ApiError ? error : new ApiError(200, 'its answer could not be read');
  batch(() => {
    if (failure.status === 401) {
      tokenRefused.value = currentToken() !== undefined;
      unauthorized.value = true;
    } else {
      answered.value = false;
      serverError.value = failure.status === 0 ? '' : failure.message;
    }
  });
}

const polling = startPolling({
  round: refresh,
  wanted: () => document.visibilityState === 'visible' && !unauthorized.peek(),
});

/** Asks for everything now: after an action, a reconnection, or when the page is looked at again. */
export function refreshNow(): void {
  wholeWanted = true;
  seriesDueAt = 0;
  polling.wake();
}

/** Begins the next round now, for what is known to have changed. */
function refreshSoon(): void {
  polling.wake();
}

let publishing = false;

/** Events are taken in as they come, and shown at most about seven times a second. */
function publishSoon(): void {
  if (publishing) return;
  publishing = true;
  setTimeout(() => {
    publishing = false;
    batch(() => {
      if (rows.peek() !== undefined) publishRows();
      feedVersion.value++;
    });
  }, 150);
}

function take(event: LiveEvent): void {
  applyToRequests(requests, event);
  applyToPool(rowsById, event);
  applyToPool(search.rows, event);
  if ('proxyId' in event && event.type !== 'attempt:start') {
    const id = listedId(rowsById, event.proxyId);
    if (isShown(id)) dirty.add(id);
  }
  if (event.type === 'proxy:added') {
    if (!rowsById.has(event.proxyId)) poolSize.value++;
    if (dirty.size > 1000) refreshNow();
    else refreshSoon();
  } else if (event.type === 'proxy:removed') {
    dirty.delete(event.proxyId);
    for (const each of holders(event.proxyId)) each.delete(event.proxyId);
    poolSize.value = Math.max(0, poolSize.value - 1);
  } else if (event.type === 'snapshot') refreshNow();
  else if (event.type === 'overview:changed') {
    seriesDueAt = 0;
    refreshSoon();
  } else if (event.type === 'tunnel:changed') tunnelsMoved = true;
  else if (event.type === 'policy:changed') policyChanges.value++;
  else if (event.type === 'circuit:transition') {
    transitions.value = mergeTransitions(transitions.value, [event]);
  }
  publishSoon();
}

/** What ended while the page was not connected is closed; what runs is shown. */
async function seeInFlight(): Promise<void> {
  try {
    const { requests: running } = await api.call<{ requests: Wire.WireInFlight[] }>(
      'GET',
      'requests',
    );
    closeUnseen(requests, new Set(running.map(({ request_id }) => request_id)));
    addInFlight(requests, running, serverNow());
    publishSoon();
  } catch {
    // The feed then starts with the next event.
  }
}

/** What happened before this page came, or while it did not hear. */
async function seeTransitions(): Promise<void> {
  try {
    const read = (await readCircuitEvents()).map(readTransition);
    transitions.value = mergeTransitions(transitions.value, read);
  } catch {
    // The list then starts with the next change.
  }
}

const events = openEventStream({
  connect: (lastEventId, signal) => api.stream(lastEventId, signal),
  onMessage: ({ type, data }) => {
    const event = readLiveEvent(type, data);
    if (event !== undefined) take(event);
  },
  onState: (state) => {
    stream.value = state;
    if (state === 'unauthorized') unauthorized.value = true;
    if (state === 'live' || state === 'reconnecting') refreshNow();
    if (state === 'live') void Promise.all([seeStatus(), seeInFlight(), seeTransitions()]);
  },
});

setInterval(() => {
  clock.value = serverNow();
}, 1000);

addEventListener('online', () => {
  events.retryNow();
  refreshNow();
});
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') refreshNow();
});

/** Uses this token from now on; undefined forgets it. */
export function signIn(token: string | undefined): void {
  keepToken(token);
  batch(() => {
    unauthorized.value = false;
    tokenRefused.value = false;
    if (token === undefined) {
      rowsById = new Map();
      requests.clear();
      transitions.value = [];
      minutes.value = undefined;
      rows.value = undefined;
      answered.value = undefined;
    }
  });
  events.retryNow();
  refreshNow();
}

/** Whether a token is in use, and so can be forgotten. */
export function isSignedIn(): boolean {
  return currentToken() !== undefined;
}

const circuitPath = (id: string) => `circuit-breakers/${encodeURIComponent(id)}`;

async function changeCircuit(id: string, change: 'reset' | 'open'): Promise<void> {
  const circuit = await api.call<Wire.WireCircuit>('POST', `${circuitPath(id)}/${change}`);
  for (const each of holders(id)) each.set(id, withCircuit(each.get(id) as PoolRow, circuit));
  publishRows();
}

export const resetCircuit = (id: string) => changeCircuit(id, 'reset');
export const forceOpenCircuit = (id: string) => changeCircuit(id, 'open');

export async function removeProxy(id: string): Promise<void> {
  await api.call('DELETE', `proxies/${encodeURIComponent(id)}`);
  for (const each of holders(id)) each.delete(id);
  publishRows();
}

/** Resolves with the ids of those that the server took for unhealthy. */
export async function removeUnhealthy(): Promise<readonly string[]> {
  const { removed } = await api.call<{ removed: string[] }>('DELETE', 'proxies/unhealthy');
  for (const id of removed) for (const each of holders(id)) each.delete(id);
  publishRows();
  return removed;
}

startFinding(noteFailure);
