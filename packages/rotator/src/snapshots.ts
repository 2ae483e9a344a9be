import type { CircuitState } from '@whirl/events';
import type { Member } from './pool/member.ts';
import type { Pool } from './pool/pool.ts';

/** A proxy of the pool, to look at. */
export interface ProxySnapshot {
  readonly id: string;
  /** Without the password. */
  readonly url: string;
  readonly region?: string | undefined;
  readonly tags: readonly string[];
  readonly weight: number;
  /** Of its last outcomes, 0 to 1; 0.5 without any. */
  readonly successRate: number;
  /** Milliseconds, of its successes; undefined without any. */
  readonly avgLatencyMs: number | undefined;
  /** As the strategy in use judges it, 0 to 1. */
  readonly score: number;
  /** Requests under way through it. */
  readonly inFlight: number;
  /** `disabled` also when it has no circuit. */
  readonly state: CircuitState;
}

/** The circuit of a proxy, to look at. */
export interface CircuitSnapshot {
  readonly state: CircuitState;
  /** Failures in the window; while open the count that tripped it. */
  readonly failureCount: number;
  /** 0 when the trip rule has no such number. */
  readonly failureThreshold: number;
  /** Milliseconds; 0 when the trip rule has no such number. */
  readonly windowMs: number;
  readonly openMs: number;
  /** Epoch milliseconds; undefined unless open. */
  readonly nextTestAt: number | undefined;
  /** Epoch milliseconds; when the proxy joined, until there is a transition. */
  readonly lastTransitionAt: number;
  /** Epoch milliseconds, oldest first; empty when the trip rule keeps no times. */
  readonly failureTimes: readonly number[];
  /** Open for failures that may be the target's: the first request for another origin closes it. */
  readonly provisional: boolean;
  /** Whether a request would be admitted now. */
  readonly canAttempt: boolean;
}

/** A request that has not ended, to look at. */
export interface RequestSnapshot {
  readonly requestId: string;
  readonly method: string;
  readonly origin: string;
  /** The attempt begun last, 0-based. */
  readonly attempt: number;
  /** Its proxy; undefined before the first attempt. */
  readonly proxyId: string | undefined;
  /** Epoch milliseconds, while a retry is waited for. */
  readonly nextRetryAt: number | undefined;
}

export function snapshotOfProxy(
  { selector }: Pool,
  { proxy, circuit, inFlight }: Member,
): ProxySnapshot {
  const { successRate, avgLatencyMs, score } = selector.stats(proxy.id);
  const { id, url, region, tags, weight } = proxy;
  return {
    id,
    url,
    ...(region === undefined ? {} : { region }),
    tags,
    weight,
    successRate,
    avgLatencyMs,
    score,
    inFlight,
    state: circuit?.state ?? 'disabled',
  };
}

export function snapshotOfCircuit({
  circuit,
  addedAt,
  limits,
  provisional,
}: Member): CircuitSnapshot | undefined {
  if (circuit === undefined) return undefined;
  return {
    state: circuit.state,
    failureCount: circuit.failureCount,
    ...limits,
    openMs: circuit.openMs,
    nextTestAt: circuit.nextTestAt,
    lastTransitionAt: circuit.lastTransitionAt ?? addedAt,
    failureTimes: circuit.failureTimes,
    provisional,
    canAttempt: circuit.canAttempt(),
  };
}
