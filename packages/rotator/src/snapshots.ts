import type { CircuitState } from '@whirl/events';
import type { ExitSet } from './pool/exits.ts';
import type { GroupSnapshot } from './pool/machine-group.ts';
import { failuresToOpen } from './pool/groups.ts';
import type { Group, Member } from './pool/member.ts';
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
  /** `disabled` also when it has no circuit. Of a gateway: `closed` while one of its exits may be used. */
  readonly state: CircuitState;
  /** The proxies that are one machine with it; absent without a group. */
  readonly group?: GroupSnapshot | undefined;
  /** Of a gateway; the other numbers are of all its exits then. */
  readonly exits?: ExitsSnapshot | undefined;
}

/** The exits of a gateway, folded. */
export interface ExitsSnapshot {
  /** Exits in the pool: of all regions that were asked for. */
  readonly count: number;
  /** Those whose circuit, and that of their group, would admit a request now. */
  readonly available: number;
  /** Exits that got a new session so far. */
  readonly renewed: number;
  /** With exits, those asked for last at the end; empty where exits are for any region. */
  readonly regions: readonly string[];
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
  { selector, circuits }: Pool,
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
    ...groupOf(circuits, proxy.group),
  };
}

/** A gateway with its exits folded. Takes time in proportion to their number. */
export function snapshotOfGateway(pool: Pool, set: ExitSet): ProxySnapshot {
  const { members, selector, circuits } = pool;
  const { gateway, regions, renewed } = set;
  const states = new Set<CircuitState>();
  let [count, available, inFlight, samples, good, tried, latencyMs, score] = Array(8).fill(0);
  for (const id of set.ids()) {
    const member = members.get(id);
    if (member === undefined) continue;
    const stats = selector.stats(id);
    count++;
    if (member.admits) available++;
    else states.add(member.circuit?.state ?? 'disabled');
    inFlight += member.inFlight;
    samples += stats.samples;
    good += stats.samples * stats.successRate;
    score += stats.score;
    if (stats.avgLatencyMs === undefined) continue;
    tried++;
    latencyMs += stats.avgLatencyMs;
  }
  const { id, url, region, tags, weight } = gateway;
  const shut = states.size === 1 && states.has('forced_open') ? 'forced_open' : 'open';
  return {
    id,
    url,
    ...(region === undefined ? {} : { region }),
    tags,
    weight,
    successRate: samples === 0 ? 0.5 : good / samples,
    avgLatencyMs: tried === 0 ? undefined : latencyMs / tried,
    score: count === 0 ? 0.5 : score / count,
    inFlight,
    state: count === 0 || available > 0 ? 'closed' : shut,
    ...groupOf(circuits, gateway.group),
    exits: { count, available, renewed, regions: [...regions].filter((each) => each !== '') },
  };
}

function groupOf({ groups }: Pool['circuits'], name: string | undefined) {
  const group = name === undefined ? undefined : groups.get(name)?.snapshot;
  return group === undefined ? {} : { group };
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

/** The circuit of a group, as that of a proxy. */
export function snapshotOfGroup({ breaker, since }: Group): CircuitSnapshot {
  const { state, failureCount, openMs, nextTestAt, lastTransitionAt = since } = breaker;
  return {
    ...{ state, failureCount, failureThreshold: failuresToOpen, windowMs: 0, openMs, nextTestAt },
    ...{ lastTransitionAt, failureTimes: [], provisional: false },
    canAttempt: breaker.canAttempt(),
  };
}
