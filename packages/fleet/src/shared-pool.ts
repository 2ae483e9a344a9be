import type { CircuitState, WhirlBus } from '@whirl/events';

/** What others have seen of a proxy: see `Selector.inform` of `@whirl/selector`. */
export interface SharedPrior {
  readonly id: string;
  readonly successRate: number;
  readonly successMs?: number | undefined;
  readonly weight: number;
}

/** What attempts taught about a proxy: see `Selector.evidence` of `@whirl/selector`. */
export interface SharedEvidence {
  readonly id: string;
  readonly successes: number;
  readonly failures: number;
  readonly successMs: number;
  /** Epoch milliseconds of the last attempt. */
  readonly triedAt: number;
}

/** A ban that holds, for one target or for all. */
export interface SharedBan {
  readonly id: string;
  readonly target?: string | undefined;
  readonly until: number;
}

/** A session that does not live where its hash says: see `Selector.sessionMoves` of `@whirl/selector`. */
export interface SharedMove {
  /** A hash of the session's id. */
  readonly session: string;
  readonly id: string;
  /** Where it had moved to before. */
  readonly from?: string | undefined;
  /** Milliseconds for which it holds, unless it is told again. */
  readonly keepMs: number;
}

/** A circuit that is not closed. */
export interface SharedCircuit {
  readonly id: string;
  readonly state: CircuitState;
  /** Epoch milliseconds of the pool's clock; undefined unless it is open. */
  readonly nextTestAt?: number | undefined;
}

/**
 * A pool of proxies that learns with others. Everything here changes local state between requests: nothing is asked
 * of the fleet when a request is made. `rotator.share()` gives one; ids that the pool does not have are ignored.
 */
export interface SharedPool {
  /** Tells of this pool alone, at once: attempts, circuits and bans; and is told what the fleet does. */
  readonly bus: Pick<WhirlBus, 'on' | 'emit' | 'has'>;
  /** Epoch milliseconds. */
  now(): number;
  /** From 0 up to 1. */
  random(): number;
  readonly size: number;
  /** How often a proxy was asked for so far, refused or not. */
  readonly picks: number;
  /**
   * The pool's own string of an id; undefined when it has no such proxy. What is kept under it costs no copy, where each name
   * that comes from a store is a string of its own.
   */
  id(name: string): string | undefined;
  ids(): Iterable<string>;
  /** The circuits that are not closed. */
  circuits(): Iterable<SharedCircuit>;
  /** Undefined when there is no such proxy, or it has no circuit. */
  circuit(id: string): SharedCircuit | undefined;
  /** Failures that open its circuit; undefined under a rule of the user's own. */
  failureThreshold(id: string): number | undefined;
  /** Opens or closes a circuit, unless it is under an override or in that state already. */
  adopt(
    id: string,
    state: 'open' | 'closed',
    options?: { readonly openMs?: number | undefined },
  ): boolean;
  /** Moves the deadline of an open circuit. False when it is not open. */
  hold(id: string, until: number): boolean;
  /** Makes the test of an open circuit due now: the next request that may make it takes it. False: it is not open. */
  arm(id: string): boolean;
  /** Takes that back. True: no request has taken it. */
  disarm(id: string): boolean;
  overheard(id: string, failures: number, latencyMs: number): void;
  inform(known: Iterable<SharedPrior>): void;
  /** Passes a proxy over until then, while another is available. */
  avoid(id: string, until: number): void;
  /** What attempts through each proxy taught, faded to now. */
  evidence(): Iterable<SharedEvidence>;
  /** The bans that hold. */
  bans(): Iterable<SharedBan>;
  /** Sessions that moved since the last call, up to a number. */
  sessionMoves(max: number): SharedMove[];
  /** Another process moved a session at that instant. */
  moveSession(move: Pick<SharedMove, 'session' | 'id'>, at: number): void;
  /** A ban by a rule, for one target or for all; told on the bus with the rule `fleet`. */
  ban(id: string, until: number, target?: string): void;
  /** What a person does: takes it out of rotation until `reset`. */
  force(id: string): boolean;
  reset(id: string): boolean;
  /** Processes that share the retry budget. */
  share(processes: number): void;
  /** Of a proxy's address and credentials, keyed: equal only for the same ones. Undefined: it has no credentials. */
  fingerprint(id: string, key: string): string | undefined;
}

/** What can be joined to a fleet: a rotator. `join` gets its pool and returns how to leave. */
export interface Shareable {
  share(join: (pool: SharedPool) => () => void): () => void;
}
