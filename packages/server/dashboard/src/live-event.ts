/** What the event stream said, with the names and units this page uses: seconds, epoch ms. */
export type LiveEvent =
  | { type: 'request:start'; requestId: string; method: string; origin: string; at: number }
  | AttemptStart
  | AttemptEnd
  | { type: 'retry:scheduled'; requestId: string; attempt: number; delay: number; at: number }
  | { type: 'retry:refused'; requestId: string; reason: string; at: number }
  | RequestEnd
  | CircuitTransition
  | { type: 'proxy:added' | 'proxy:removed'; proxyId: string; at: number }
  | { type: 'snapshot' | 'overview:changed' | 'tunnel:changed'; at: number }
  | { type: 'policy:changed'; at: number };

export interface AttemptStart {
  readonly type: 'attempt:start';
  readonly requestId: string;
  /** 0-based. */
  readonly attempt: number;
  readonly proxyId: string;
  readonly origin: string;
  readonly hedge: boolean;
  readonly at: number;
}

export interface AttemptEnd {
  readonly type: 'attempt:end';
  readonly requestId: string;
  readonly attempt: number;
  readonly proxyId: string;
  readonly origin: string;
  readonly outcome: string;
  readonly blame: string;
  readonly phase: string;
  readonly statusCode: number | undefined;
  readonly errorCode: string | undefined;
  /** To the response headers, in seconds. */
  readonly latency: number;
  /** The wait before this attempt, in seconds. */
  readonly delayBefore: number;
  readonly hedge: boolean;
  readonly at: number;
}

export interface RequestEnd {
  readonly type: 'request:end';
  readonly requestId: string;
  readonly method: string;
  readonly origin: string;
  readonly outcome: string;
  readonly attemptCount: number;
  readonly statusCode: number | undefined;
  readonly errorCode: string | undefined;
  /** To the end of the body, in seconds. */
  readonly duration: number;
  readonly at: number;
}

export interface CircuitTransition {
  readonly type: 'circuit:transition';
  readonly proxyId: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly failureCount: number;
  readonly nextTestAt: number | null;
  readonly at: number;
}

type Fields = Record<string, unknown>;

/**
 * Reads one message of the stream; undefined for types this page does not show and for data it
 * cannot read, so that a newer server never breaks an older page. Times may be ISO text or epoch
 * milliseconds, and a circuit may go by `proxy_id` or by the bus's `name`.
 */
export function readLiveEvent(type: string, text: string): LiveEvent | undefined {
  let fields: Fields;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    fields = parsed as Fields;
  } catch {
    return undefined;
  }
  const at = time(fields['timestamp'] ?? fields['at']) ?? Date.now();
  const requestId = string(fields['request_id']);
  const attempt = number(fields['attempt']);
  const proxyId = string(fields['proxy_id'] ?? fields['name']);
  const origin = string(fields['origin']);
  const hedge = fields['hedge'] === true;
  switch (type) {
    case 'request:start':
      return { type, requestId, method: string(fields['method']), origin, at };
    case 'attempt:start':
      return { type, requestId, attempt, proxyId, origin, hedge, at };
    case 'attempt:end':
      return {
        type,
        requestId,
        attempt,
        proxyId,
        origin,
        outcome: string(fields['outcome']),
        blame: string(fields['blame']),
        phase: string(fields['phase']),
        statusCode: optionalNumber(fields['status_code']),
        errorCode: optionalString(fields['error_code']),
        latency: number(fields['latency']),
        delayBefore: number(fields['delay_before']),
        hedge,
        at,
      };
    case 'retry:scheduled':
      return { type, requestId, attempt, delay: number(fields['delay']), at };
    case 'retry:refused':
      return { type, requestId, reason: string(fields['reason']), at };
    case 'request:end':
      return {
        type,
        requestId,
        method: string(fields['method']),
        origin,
        outcome: string(fields['outcome']),
        attemptCount: number(fields['attempt_count']),
        statusCode: optionalNumber(fields['status_code']),
        errorCode: optionalString(fields['error_code']),
        duration: number(fields['duration']),
        at,
      };
    case 'circuit:transition':
      return {
        type,
        proxyId,
        from: string(fields['from'] ?? fields['from_state']),
        to: string(fields['to'] ?? fields['to_state']),
        reason: string(fields['reason']),
        failureCount: number(fields['failure_count']),
        nextTestAt: time(fields['next_test_time'] ?? fields['next_test_at']) ?? null,
        at,
      };
    case 'proxy:added':
    case 'proxy:removed':
      return { type, proxyId, at };
    case 'target:down':
    case 'target:up':
    case 'fleet:joined':
    case 'fleet:degraded':
    case 'fleet:recovered':
    case 'fleet:suspect':
    case 'fleet:cleared':
    case 'fleet:peers':
      return { type: 'overview:changed', at };
    case 'tunnel:open':
    case 'tunnel:end':
      return { type: 'tunnel:changed', at };
    case 'snapshot':
      return { type, at };
    case 'policy:changed':
      return { type, at };
    default:
      return undefined;
  }
}

/** Epoch milliseconds of ISO text or of a number; undefined when it is neither. */
export function time(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : at;
}

function string(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : '';
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function optionalNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function optionalString(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
