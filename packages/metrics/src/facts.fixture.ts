import type {
  AttemptEnd,
  CircuitTransition,
  RequestEnd,
  RequestStart,
  RetryScheduled,
} from '@whirl/events';

// Facts with everything filled in; a test names what matters to it. Tests only.

/** 2023-11-15T00:00:00Z, the start of an hour. */
export const midnight = 1_700_006_400_000;

export function requestStart(changes: Partial<RequestStart> = {}): RequestStart {
  return {
    requestId: 'r1',
    method: 'GET',
    origin: 'https://example.com',
    at: midnight,
    ...changes,
  };
}

export function attemptEnd(changes: Partial<AttemptEnd> = {}): AttemptEnd {
  return {
    requestId: 'r1',
    attempt: 0,
    proxyId: 'p1',
    origin: 'https://example.com',
    outcome: 'success',
    blame: 'none',
    phase: 'body',
    latencyMs: 100,
    delayBeforeMs: 0,
    hedge: false,
    at: midnight,
    ...changes,
  };
}

export function retryScheduled(changes: Partial<RetryScheduled> = {}): RetryScheduled {
  return {
    requestId: 'r1',
    attempt: 1,
    failedProxyId: 'p1',
    delayMs: 1000,
    reason: 'tcp',
    at: midnight,
    ...changes,
  };
}

export function requestEnd(changes: Partial<RequestEnd> = {}): RequestEnd {
  return {
    requestId: 'r1',
    method: 'GET',
    origin: 'https://example.com',
    outcome: 'success',
    attemptCount: 1,
    durationMs: 120,
    at: midnight,
    ...changes,
  };
}

export function circuitTransition(changes: Partial<CircuitTransition> = {}): CircuitTransition {
  const { name = 'p1' } = changes;
  return {
    name,
    proxyId: name,
    from: 'closed',
    to: 'open',
    reason: 'failures',
    generation: 1,
    failureCount: 5,
    at: midnight,
    ...changes,
  };
}
