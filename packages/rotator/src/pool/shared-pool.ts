import type { CircuitState, WhirlBus } from '@whirl/events';
import type { RetryBudget } from '@whirl/backoff';
import type { Ban, Evidence, Prior, SessionMove } from '@whirl/selector';
import { createHmac } from 'node:crypto';
import { Exit } from '../proxy/exit.ts';
import type { Member } from './member.ts';
import type { Pool } from './pool.ts';

/** A circuit of a pool that is shared. */
export interface SharedCircuit {
  readonly id: string;
  readonly state: CircuitState;
  /** Epoch milliseconds; undefined unless it is open. */
  readonly nextTestAt?: number | undefined;
}

/**
 * A pool as what learns with other processes sees it: see `ProxyRotator.share`. Everything here changes local state
 * between requests; ids that the pool does not have, and those of exits, are ignored.
 */
export interface SharedPool {
  /** Tells of this pool alone, also where several rotators share a bus; what is emitted goes to the rotator's bus. */
  readonly bus: Pick<WhirlBus, 'on' | 'emit' | 'has'>;
  /** Epoch milliseconds. */
  now(): number;
  /** From 0 up to 1. */
  random(): number;
  readonly size: number;
  /** How often a proxy was asked for so far, refused or not. */
  readonly picks: number;
  /** The pool's own string of an id; undefined when it has no such proxy, or it is an exit. Kept, it costs no copy. */
  id(name: string): string | undefined;
  ids(): Iterable<string>;
  /** The circuits that are not closed. */
  circuits(): Iterable<SharedCircuit>;
  /** Undefined when there is no such proxy, or it has no circuit. */
  circuit(id: string): SharedCircuit | undefined;
  /** Failures that open its circuit; undefined under a rule of the user's own. */
  failureThreshold(id: string): number | undefined;
  /** As `CircuitBreaker.adopt`. */
  adopt(
    id: string,
    state: 'open' | 'closed',
    options?: { readonly openMs?: number | undefined },
  ): boolean;
  /** As `CircuitBreaker.reschedule`. */
  hold(id: string, until: number): boolean;
  /** Makes the test of an open circuit due now: the next request that may make it takes it. False: it is not open. */
  arm(id: string): boolean;
  /** Takes that back. True: no request has taken it. */
  disarm(id: string): boolean;
  /** As `Selector.overheard`. */
  overheard(id: string, failures: number, latencyMs: number): void;
  /** As `Selector.inform`. */
  inform(known: Iterable<Prior>): void;
  /** As `Selector.avoid`. */
  avoid(id: string, until: number): void;
  /** As `Selector.evidence`. */
  evidence(): Iterable<Evidence>;
  /** As `Selector.bans`. */
  bans(): Iterable<Ban>;
  /** As `Selector.sessionMoves`. */
  sessionMoves(max: number): SessionMove[];
  /** As `Selector.moveSession`. */
  moveSession(move: { readonly session: string; readonly id: string }, at: number): void;
  /** A ban as of a rule, named `fleet`, for one target or for all. */
  ban(id: string, until: number, target?: string): void;
  /** As `ProxyRotator.forceOpenCircuitBreaker` and `ProxyRotator.resetCircuitBreaker`. */
  force(id: string): boolean;
  reset(id: string): boolean;
  /** Processes that share the retry budget. */
  share(processes: number): void;
  /** Of a proxy's address and credentials, keyed: equal only for the same ones. Undefined: it has no credentials. */
  fingerprint(id: string, key: string): string | undefined;
}

interface SharedContext {
  readonly bus: WhirlBus;
  readonly budget: RetryBudget | undefined;
  readonly now: () => number;
  readonly random: () => number;
}

export function sharedPool(pool: Pool, { bus, budget, now, random }: SharedContext): SharedPool {
  const { sharing, selector, members } = pool;
  const { feed } = sharing;
  // Exits are sessions of this process: what others know of their ids is of sessions of their own.
  const find = (id: string): Member | undefined => {
    const member = members.get(id);
    return member?.proxy instanceof Exit ? undefined : member;
  };
  const shareable = function* <Known extends { readonly id: string }>(all: Iterable<Known>) {
    for (const each of all) if (find(each.id) !== undefined) yield each;
  };
  const viewOf = ({ id, circuit }: Member): SharedCircuit | undefined =>
    circuit && { id, state: circuit.state, nextTestAt: circuit.nextTestAt };
  return {
    bus: {
      on: ((type: never, listener: never) => feed.on(type, listener)) as WhirlBus['on'],
      emit: (type, event) => bus.emit(type, event),
      has: (type) => bus.has(type),
    },
    now,
    random,
    get size() {
      return members.size - pool.exits.count;
    },
    get picks() {
      return pool.picks;
    },
    id: (name) => find(name)?.id,
    ids: () => (pool.exits.size === 0 ? members.keys() : [...members.keys()].filter(find)),
    circuits: () =>
      [...pool.circuits.open.members()]
        .filter(({ id }) => find(id) !== undefined)
        .map(viewOf)
        .filter((each) => each !== undefined),
    circuit(id) {
      const member = find(id);
      return member && viewOf(member);
    },
    failureThreshold: (id) => find(id)?.limits.failureThreshold || undefined,
    adopt: (id, state, options) => find(id)?.adopt(state, options) ?? false,
    hold: (id, until) => find(id)?.breaker?.reschedule(until) ?? false,
    arm(id) {
      if (find(id)?.breaker?.reschedule(now()) !== true) return false;
      sharing.arm(id);
      return true;
    },
    disarm: (id) => sharing.disarm(id),
    overheard(id, failures, latencyMs) {
      if (find(id) !== undefined) selector.overheard(id, failures, latencyMs);
    },
    inform: (known) => selector.inform(shareable(known)),
    avoid(id, until) {
      if (find(id) !== undefined) selector.avoid(id, until);
    },
    evidence: () => shareable(selector.evidence()),
    bans: () => shareable(selector.bans()),
    sessionMoves: (max) => [...shareable(selector.sessionMoves(max))],
    moveSession(move, at) {
      if (find(move.id) !== undefined) selector.moveSession(move, at);
    },
    ban(id, until, target) {
      const member = find(id);
      const at = now();
      if (member === undefined || until <= at) return;
      pool.tell(member, 'proxy:banned', { proxyId: id, target, until, rule: 'fleet', at });
      if (target === undefined) member.adopt('open', { openMs: Math.max(1, until - at) });
    },
    force(id) {
      const breaker = find(id)?.breaker;
      breaker?.forceOpen();
      return breaker !== undefined;
    },
    reset: (id) => find(id) !== undefined && pool.reset(id),
    share(processes) {
      if (budget !== undefined && 'share' in budget) budget.share = processes;
    },
    fingerprint(id, key) {
      const proxy = find(id)?.proxy;
      if (proxy === undefined) return undefined;
      const { protocol, host, port, username, password } = proxy;
      if (username === undefined && password === undefined) return undefined;
      const what = JSON.stringify([protocol, host, port, username, password]);
      return createHmac('sha256', key).update(what).digest('base64url');
    },
  };
}
