/** How an attempt or a request ended. */
export type Outcome = 'success' | 'failure' | 'timeout' | 'aborted' | 'circuit_open';

/**
 * What is to blame for an outcome. `route` is the way through this proxy to this origin (a ban, for
 * instance); `unknown` means that the evidence does not decide between proxy and target; `caller`
 * covers the caller and its machine. Only `proxy` counts against a proxy's circuit for certain.
 */
export type Blame = 'none' | 'proxy' | 'target' | 'route' | 'unknown' | 'caller';

/** Where an attempt ended, in the order in which an attempt passes through them. */
export type Phase =
  'select' | 'dns' | 'tcp' | 'tls_proxy' | 'socks' | 'connect' | 'tls_target' | 'headers' | 'body';

/** The closed set of reasons for which an attempt fails and a retry is scheduled. */
export type FailureReason =
  | 'status'
  | 'timeout'
  | 'dns'
  | 'tcp'
  | 'tls_proxy'
  | 'socks'
  | 'connect'
  | 'tls_target'
  | 'reset'
  | 'body'
  | 'protocol'
  | 'proxy_auth'
  | 'banned'
  | 'aborted';

/** The closed set of reasons for which a wanted retry is not made. */
export type RetryRefusalReason =
  | 'budget'
  | 'deadline'
  | 'attempts'
  | 'body'
  | 'method'
  | 'retry_after'
  | 'no_proxy'
  | 'target_down';

/** The states of a circuit. `forced_open` and `disabled` are overrides set by a person. */
export type CircuitState = 'closed' | 'open' | 'half_open' | 'forced_open' | 'disabled';

/** The closed set of reasons for a circuit's transition. */
export type CircuitReason =
  | 'failures'
  | 'failure_rate'
  | 'slow_calls'
  | 'timeout'
  | 'probe_failed'
  | 'recovered'
  | 'reset'
  | 'forced'
  | 'disabled'
  | 'custom'
  | 'other_target'
  | 'renewed'
  | 'fleet';

/** A request entered the rotator. */
export interface RequestStart {
  readonly requestId: string;
  readonly method: string;
  readonly origin: string;
  readonly at: number;
}

/** An attempt was handed to a proxy. `attempt` counts from 0. */
export interface AttemptStart {
  readonly requestId: string;
  readonly attempt: number;
  readonly proxyId: string;
  readonly origin: string;
  readonly hedge: boolean;
  readonly at: number;
}

/**
 * A connection through a proxy was opened: where its time went, in milliseconds. A part that was not needed is 0.
 * It is told before the request is sent.
 */
export interface ConnectionOpen {
  readonly proxyId: string;
  /** Absent for requests in absolute form: such a connection leads to every http target. */
  readonly origin?: string | undefined;
  /** The proxy's name, TCP with it, TLS with an https proxy; the target's name with `socks4` and `socks5`. */
  readonly proxyMs: number;
  /** CONNECT or SOCKS. */
  readonly tunnelMs: number;
  /** TLS with the target. */
  readonly tlsMs: number;
  readonly at: number;
}

/** An attempt ended: its body ended, failed or was cancelled, or it never got that far. */
export interface AttemptEnd {
  readonly requestId: string;
  readonly attempt: number;
  readonly proxyId: string;
  readonly origin: string;
  readonly outcome: Outcome;
  readonly blame: Blame;
  readonly phase: Phase;
  readonly statusCode?: number | undefined;
  readonly errorCode?: string | undefined;
  /** Why it failed; absent after a success. */
  readonly reason?: FailureReason | undefined;
  /** Milliseconds from the attempt's start to the response headers, or to the failure. */
  readonly latencyMs: number;
  /** Milliseconds waited before this attempt. */
  readonly delayBeforeMs: number;
  readonly hedge: boolean;
  readonly at: number;
}

/** A further attempt will be made. `attempt` is the number of that next attempt. */
export interface RetryScheduled {
  readonly requestId: string;
  readonly attempt: number;
  readonly failedProxyId: string;
  readonly delayMs: number;
  readonly reason: FailureReason;
  readonly at: number;
}

/** A further attempt would have been made, but was not. `attempt` is the one that failed. */
export interface RetryRefused {
  readonly requestId: string;
  readonly attempt: number;
  readonly reason: RetryRefusalReason;
  readonly at: number;
}

/** A request ended, its body included. */
export interface RequestEnd {
  readonly requestId: string;
  readonly method: string;
  readonly origin: string;
  readonly outcome: Outcome;
  readonly attemptCount: number;
  readonly statusCode?: number | undefined;
  readonly errorCode?: string | undefined;
  readonly durationMs: number;
  readonly policyName?: string | undefined;
  readonly at: number;
}

/** A tunnel was opened for a caller. It has no verdict yet, and may still come to lead through another proxy. */
export interface TunnelOpen {
  readonly requestId: string;
  readonly proxyId: string;
  /** `tcp://host:port`. */
  readonly origin: string;
  readonly at: number;
}

/** A tunnel that was open has closed. */
export interface TunnelEnd {
  readonly requestId: string;
  /** The proxy that it led through at last. */
  readonly proxyId: string;
  /** `tcp://host:port`. */
  readonly origin: string;
  /** Bytes to the target; those that were sent again, through another proxy, count once. */
  readonly bytesUp: number;
  /** Bytes from the target. */
  readonly bytesDown: number;
  /** Milliseconds since it was opened. */
  readonly durationMs: number;
  /** Which side ended it first; `idle` and `limit`: a bound of the caller's; `close`: the rotator was closed. */
  readonly closedBy: 'client' | 'target' | 'idle' | 'limit' | 'close';
  /** How often what its caller wrote first was sent again, through another proxy. */
  readonly replays: number;
  readonly at: number;
}

/** A circuit changed state. */
export interface CircuitTransition {
  /** The breaker's name: in the rotator, the proxy's id. */
  readonly name: string;
  /** The proxy that the circuit belongs to. Absent for a breaker outside a rotator. */
  readonly proxyId?: string | undefined;
  readonly from: CircuitState;
  readonly to: CircuitState;
  readonly reason: CircuitReason;
  /** Rises by one with every transition of this breaker. */
  readonly generation: number;
  readonly failureCount: number;
  /** Epoch milliseconds from which a probe is admitted; absent unless `to` is `open`. */
  readonly nextTestAt?: number | undefined;
  /**
   * True when it opened on failures that may be the target's, because no other origin was asked for.
   * Absent otherwise.
   */
  readonly provisional?: boolean | undefined;
  readonly at: number;
}

/** The deadline of an open circuit was moved, later or earlier. */
export interface CircuitRescheduled {
  /** The breaker's name: in the rotator, the proxy's id. */
  readonly name: string;
  /** The proxy that the circuit belongs to. Absent for a breaker outside a rotator. */
  readonly proxyId?: string | undefined;
  /** Epoch milliseconds from which a probe is admitted. */
  readonly nextTestAt: number;
  readonly at: number;
}

/** A proxy joined the pool. */
export interface ProxyAdded {
  readonly proxyId: string;
  readonly region?: string | undefined;
  readonly weight: number;
  readonly tags?: readonly string[] | undefined;
  readonly at: number;
}

/** A proxy left the pool. */
export interface ProxyRemoved {
  readonly proxyId: string;
  readonly region?: string | undefined;
  readonly weight: number;
  readonly tags?: readonly string[] | undefined;
  readonly at: number;
}

/** A rule banned a proxy, everywhere or for one target. */
export interface ProxyBanned {
  readonly proxyId: string;
  readonly target?: string | undefined;
  /** Epoch milliseconds. */
  readonly until: number;
  readonly rule: string;
  readonly at: number;
}

/** An exit of a provider's gateway got a new session: what was known of the one before is forgotten. */
export interface ProxyRenewed {
  /** The exit, which keeps its id. */
  readonly proxyId: string;
  /** Its circuit opened, a rule banned it, or the life of its session is over. */
  readonly reason: 'circuit' | 'banned' | 'expired';
  readonly at: number;
}

/** A session of the caller's goes on through another exit, or through its own one with a new session there. */
export interface SessionMoved {
  readonly sessionId: string;
  /** The exit from now on. */
  readonly proxyId: string;
  /** That of its exit's renewal; `unavailable`: its exit could not be used. */
  readonly reason: 'circuit' | 'banned' | 'expired' | 'unavailable';
  readonly at: number;
}

/** The circuit of a group of proxies, which are one machine, changed state. */
export interface GroupTransition {
  readonly group: string;
  readonly from: CircuitState;
  readonly to: CircuitState;
  /** Failures of that machine in a row. */
  readonly failureCount: number;
  /** Epoch milliseconds from which one probe is admitted for all; absent unless `to` is `open`. */
  readonly nextTestAt?: number | undefined;
  readonly at: number;
}

/** An active health check ended. */
export interface HealthChecked {
  readonly proxyId: string;
  readonly outcome: Outcome;
  readonly latencyMs: number;
  readonly at: number;
}

/** An origin has stopped responding: its requests get one attempt each until its next response. */
export interface TargetDown {
  readonly origin: string;
  /** Failures in a row without a response. */
  readonly failures: number;
  /** Proxies through which they were made. */
  readonly proxies: number;
  readonly at: number;
}

/** An origin that was down has responded. */
export interface TargetUp {
  readonly origin: string;
  /** Milliseconds since its `target:down`. */
  readonly downMs: number;
  readonly at: number;
}

/** The global retry policy changed. `policy` is the new one, `null` when retries are off. */
export interface PolicyChanged {
  readonly policy: Readonly<Record<string, unknown>> | null;
  readonly at: number;
}

/** The first response of the fleet's store: this process is one of its members. */
export interface FleetJoined {
  /** The id of this process in the fleet. */
  readonly process: string;
  /** Processes in the fleet, this one included. */
  readonly live: number;
  readonly at: number;
}

/** The fleet's store does not respond: this process decides alone until it does. */
export interface FleetDegraded {
  /** The code of the last error, or `timeout`. */
  readonly reason: string;
  readonly at: number;
}

/** The fleet's store responds again. */
export interface FleetRecovered {
  /** Milliseconds since `fleet:degraded`. */
  readonly forMs: number;
  readonly at: number;
}

/** Most proxies fail for this process: it may be its own network, so it reports nothing to the fleet. */
export interface FleetSuspect {
  /** Proxies whose last attempt failed. */
  readonly failing: number;
  /** Proxies that were tried. */
  readonly tried: number;
  readonly at: number;
}

/** Proxies work again for this process: it reports to the fleet as before. */
export interface FleetCleared {
  readonly at: number;
}

/** The number of processes in the fleet changed. */
export interface FleetPeers {
  /** This one included. */
  readonly live: number;
  readonly at: number;
}

/** Processes with another version of the protocol use the same pool: the two fleets share nothing. */
export interface FleetIncompatible {
  /** The version that the others use. */
  readonly version: string;
  readonly at: number;
}

/**
 * Every fact that a whirl package reports, by event type. `at` is epoch milliseconds from the
 * emitter's clock. No event carries a password.
 */
export type WhirlEvents = {
  'request:start': RequestStart;
  'attempt:start': AttemptStart;
  'connection:open': ConnectionOpen;
  'attempt:end': AttemptEnd;
  'retry:scheduled': RetryScheduled;
  'retry:refused': RetryRefused;
  'request:end': RequestEnd;
  'tunnel:open': TunnelOpen;
  'tunnel:end': TunnelEnd;
  'circuit:transition': CircuitTransition;
  'circuit:rescheduled': CircuitRescheduled;
  'proxy:added': ProxyAdded;
  'proxy:removed': ProxyRemoved;
  'proxy:banned': ProxyBanned;
  'proxy:renewed': ProxyRenewed;
  'session:moved': SessionMoved;
  'group:transition': GroupTransition;
  'health:checked': HealthChecked;
  'target:down': TargetDown;
  'target:up': TargetUp;
  'policy:changed': PolicyChanged;
  'fleet:joined': FleetJoined;
  'fleet:degraded': FleetDegraded;
  'fleet:recovered': FleetRecovered;
  'fleet:suspect': FleetSuspect;
  'fleet:cleared': FleetCleared;
  'fleet:peers': FleetPeers;
  'fleet:incompatible': FleetIncompatible;
};
