import type { LiveEvent } from './live-event.ts';
import type { WireInFlight } from './wire.ts';

/** One try of a request through one proxy. */
export interface LiveAttempt {
  readonly attempt: number;
  readonly proxyId: string;
  readonly hedge: boolean;
  /** An outcome of the wire, "running" until one is known, "unknown" when it was missed. */
  readonly outcome: string;
  readonly blame: string;
  readonly phase: string;
  readonly statusCode: number | undefined;
  readonly errorCode: string | undefined;
  readonly latency: number | undefined;
  readonly delayBefore: number;
}

/** A request with the way it took. */
export interface LiveRequest {
  readonly id: string;
  readonly method: string;
  readonly origin: string;
  readonly startedAt: number;
  readonly attempts: readonly LiveAttempt[];
  /** "running", an outcome of the wire, or "unknown" when the end was missed. */
  readonly outcome: string;
  readonly statusCode: number | undefined;
  readonly errorCode: string | undefined;
  /** Seconds from start to end of body. */
  readonly duration: number | undefined;
  /** When the scheduled retry begins; undefined when none is waiting. */
  readonly retryAt: number | undefined;
  /** Why no further retry was made. */
  readonly refusedReason: string | undefined;
}

/** Requests by id, oldest first. */
export type LiveRequests = Map<string, LiveRequest>;

/** Which requests the feed shows. */
export type FeedFilter = 'all' | 'retried' | 'failed';

/** How many requests of each kind are kept: the notable ones outlive the flood of easy ones. */
export const keptPerKind = 100;

/** Brings the requests up to date with one event; others than those of requests change nothing. */
export function applyToRequests(requests: LiveRequests, event: LiveEvent): void {
  switch (event.type) {
    case 'request:start':
      put(requests, open(requests, event.requestId, event));
      return;
    case 'attempt:start':
      put(
        requests,
        withAttempt(open(requests, event.requestId, event), {
          attempt: event.attempt,
          proxyId: event.proxyId,
          hedge: event.hedge,
          outcome: 'running',
          blame: '',
          phase: '',
          statusCode: undefined,
          errorCode: undefined,
          latency: undefined,
          delayBefore: 0,
        }),
      );
      return;
    case 'attempt:end': {
      const startedAt = event.at - event.latency * 1000;
      const request = open(requests, event.requestId, { origin: event.origin, at: startedAt });
      put(requests, withAttempt(request, event));
      return;
    }
    case 'retry:scheduled': {
      const request = open(requests, event.requestId, event);
      put(requests, { ...request, retryAt: event.at + event.delay * 1000 });
      return;
    }
    case 'retry:refused': {
      const request = open(requests, event.requestId, event);
      put(requests, { ...request, refusedReason: event.reason, retryAt: undefined });
      return;
    }
    case 'request:end': {
      const startedAt = event.at - event.duration * 1000;
      const { method, origin } = event;
      const request = open(requests, event.requestId, { method, origin, at: startedAt });
      put(requests, {
        ...request,
        method: method || request.method,
        outcome: event.outcome,
        statusCode: event.statusCode,
        errorCode: event.errorCode,
        duration: event.duration,
        retryAt: undefined,
      });
      return;
    }
    default:
  }
}

/** Adds what was already in flight when the page came, from `GET /requests`. */
export function addInFlight(requests: LiveRequests, inFlight: readonly WireInFlight[], at: number) {
  for (const each of inFlight) {
    if (requests.has(each.request_id)) continue;
    applyToRequests(requests, {
      type: 'request:start',
      requestId: each.request_id,
      method: each.method,
      origin: each.origin,
      at,
    });
    if (each.proxy_id === null) continue;
    applyToRequests(requests, {
      type: 'attempt:start',
      requestId: each.request_id,
      attempt: each.attempt,
      proxyId: each.proxy_id,
      origin: each.origin,
      hedge: false,
      at,
    });
  }
}

/**
 * After the stream was interrupted: what was running then and is not in flight now ended unseen.
 */
export function closeUnseen(requests: LiveRequests, inFlight: ReadonlySet<string>): void {
  for (const request of requests.values()) {
    if (request.outcome !== 'running' || inFlight.has(request.id)) continue;
    requests.set(request.id, {
      ...request,
      outcome: 'unknown',
      retryAt: undefined,
      attempts: request.attempts.map((each) =>
        each.outcome === 'running' ? { ...each, outcome: 'unknown' } : each,
      ),
    });
  }
}

/** Whether it took more than one easy try. */
export function isNotable(request: LiveRequest): boolean {
  return request.attempts.length > 1 || isFailed(request);
}

/** Whether it ended without an answer that the policy takes. */
export function isFailed(request: LiveRequest): boolean {
  return !['running', 'unknown', 'success'].includes(request.outcome);
}

/** Newest first, at most `limit`. */
export function feed(
  requests: LiveRequests,
  filter: FeedFilter,
  limit: number,
): readonly LiveRequest[] {
  const shown: LiveRequest[] = [];
  for (const request of [...requests.values()].reverse()) {
    if (filter === 'retried' && request.attempts.length < 2) continue;
    if (filter === 'failed' && !isFailed(request)) continue;
    if (shown.push(request) === limit) break;
  }
  return shown;
}

interface Opening {
  readonly method?: string;
  readonly origin?: string;
  readonly at: number;
}

function open(requests: LiveRequests, id: string, opening: Opening): LiveRequest {
  const known = requests.get(id);
  if (known !== undefined) return known;
  return {
    id,
    method: opening.method ?? '',
    origin: opening.origin ?? '',
    startedAt: opening.at,
    attempts: [],
    outcome: 'running',
    statusCode: undefined,
    errorCode: undefined,
    duration: undefined,
    retryAt: undefined,
    refusedReason: undefined,
  };
}

/** Replaces the attempt it continues, or adds it in order of attempt number. */
function withAttempt(request: LiveRequest, given: LiveAttempt): LiveRequest {
  const { attempt, proxyId, hedge, outcome, blame, phase } = given;
  const { statusCode, errorCode, latency, delayBefore } = given;
  const one = { attempt, proxyId, hedge, outcome, blame, phase };
  const entry = { ...one, statusCode, errorCode, latency, delayBefore };
  const attempts = request.attempts.filter(
    (each) => each.attempt !== attempt || each.proxyId !== proxyId || each.hedge !== hedge,
  );
  attempts.push(entry);
  attempts.sort((a, b) => a.attempt - b.attempt || Number(a.hedge) - Number(b.hedge));
  const retryAt = outcome === 'running' ? undefined : request.retryAt;
  return { ...request, attempts, retryAt };
}

function put(requests: LiveRequests, request: LiveRequest): void {
  requests.set(request.id, request);
  if (requests.size <= keptPerKind) return;
  let notable = 0;
  for (const each of requests.values()) if (isNotable(each)) notable++;
  const crowded = notable > keptPerKind;
  if (!crowded && requests.size - notable <= keptPerKind) return;
  for (const each of requests.values()) {
    if (isNotable(each) !== crowded) continue;
    requests.delete(each.id);
    return;
  }
}
