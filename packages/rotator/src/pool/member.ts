import type {
  AdoptOptions,
  CircuitBreaker,
  CircuitBreakerGroup,
  CircuitBreakerGroupOptions,
  TripOptions,
} from '@whirl/circuit-breaker';
import { ProxyEvidence } from '../blame/pair-evidence.ts';
import type { CircuitOptions } from './circuit-options.ts';
import type { Proxy } from '../proxy/proxy.ts';
import type { MachineGroup } from './machine-group.ts';

/** Makes the circuits of members that have the same options. */
export interface CircuitSource {
  readonly group: CircuitBreakerGroup;
  readonly options: CircuitBreakerGroupOptions;
  /** The options as they were given, by which two are compared. */
  readonly asked: CircuitOptions;
  /** Stands for every circuit that nothing has happened to yet. Never used, only looked at. */
  readonly untouched?: CircuitBreaker | undefined;
}

/** Members that are one machine. */
export type Group = MachineGroup<Member>;

/** A proxy of the pool with its circuit and its load. */
export class Member {
  /** Replaced when the pool is set with the same id and, say, another password. */
  proxy: Proxy;
  /** When it joined: what its circuit calls its last change until there is one. */
  readonly addedAt: number;
  /** Requests and health checks under way through it. */
  inFlight = 0;
  /** When it last served a request with the credentials of `tookFor`, by not responding with 407. */
  tookAt = -Infinity;
  tookFor: Proxy | undefined;
  /** Epoch milliseconds of the last failure in its circuit that may be the target's. */
  doubtAt: number | undefined;
  /** The proxies that are one machine with it. A member without a circuit is in none. */
  group: Group | undefined;
  /** How often that machine had been seen to work when this member met a failure of it last. */
  failedWith: number | undefined;
  /** Of an exit: when its session was used first, in epoch milliseconds. */
  sessionAt: number | undefined;
  /** Its session is over, and requests avoid it until it has none. */
  drained = false;
  /** Its circuit opened on such failures: see `Doubts`. */
  provisional = false;
  #evidence: ProxyEvidence | undefined;
  #kinds: ProxyEvidence | undefined;
  #circuits: CircuitSource | undefined;
  #breaker: CircuitBreaker | undefined;

  constructor(proxy: Proxy, addedAt: number, circuits: CircuitSource | undefined) {
    this.proxy = proxy;
    this.addedAt = addedAt;
    this.#circuits = circuits;
  }

  get circuits(): CircuitSource | undefined {
    return this.#circuits;
  }

  /** Gives it another circuit, or none. The outcomes of earlier attempts count in neither. */
  set circuits(from: CircuitSource | undefined) {
    this.#circuits = from;
    this.#breaker = undefined;
  }

  get id(): string {
    return this.proxy.id;
  }

  /** Its circuit, made on first use, since most of a large pool is never used. Undefined: it has none. */
  get breaker(): CircuitBreaker | undefined {
    const from = this.#circuits;
    return (this.#breaker ??= from?.group.get(this.proxy.id, from.options));
  }

  /** Its circuit for reading: makes none. Undefined: it has no circuit. */
  get circuit(): CircuitBreaker | undefined {
    return this.#breaker ?? this.#circuits?.untouched ?? this.breaker;
  }

  /** The failures, and the time in which they count; none under a rule of the user's own. */
  get limits(): { readonly failureThreshold: number; readonly windowMs: number } {
    const { failureThreshold = 0, windowMs = 0 } = this.#circuits?.options ?? {};
    return { failureThreshold, windowMs };
  }

  /** What speaks for and against it, made on first use. */
  get evidence(): ProxyEvidence {
    return (this.#evidence ??= new ProxyEvidence());
  }

  /** The same of the kinds of its responses. */
  get kinds(): ProxyEvidence {
    return (this.#kinds ??= new ProxyEvidence());
  }

  /** Opens its circuit for a reason that is beyond doubt. */
  trip(options: TripOptions): void {
    this.doubtAt = undefined;
    this.provisional = false;
    this.breaker?.trip(options);
  }

  /** Takes over what another process decided of it. False: nothing changed. */
  adopt(state: 'open' | 'closed', options?: AdoptOptions): boolean {
    const adopted = this.breaker?.adopt(state, options) === true;
    if (adopted) {
      this.doubtAt = undefined;
      this.provisional = false;
    }
    return adopted;
  }

  /** The group whose circuit a request has to pass: none if the member's own one is disabled. */
  get gate(): Group | undefined {
    return this.group === undefined || this.circuit?.state === 'disabled' ? undefined : this.group;
  }

  /** Whether its circuit, and that of its group, would admit a request now. A pure read. */
  get admits(): boolean {
    return (this.circuit?.canAttempt() ?? true) && (this.gate?.breaker.canAttempt() ?? true);
  }

  /** Milliseconds until both may admit one, 0 if now; undefined: never by themselves. */
  get retryAfterMs(): number | undefined {
    const { circuit, gate } = this;
    const own = circuit === undefined ? 0 : circuit.retryAfterMs;
    if (own === undefined || gate === undefined) return own;
    const shared = gate.breaker.retryAfterMs;
    return shared === undefined ? undefined : Math.max(own, shared);
  }

  get full(): boolean {
    return this.inFlight >= (this.proxy.maxConcurrent ?? Infinity);
  }
}

/** A member that admitted a request, and the ticket that its circuit wants back. */
export interface Admission {
  readonly member: Member;
  readonly ticket: number;
  /** The group that it was admitted by, which its member may have left since. */
  readonly group: Group | undefined;
  /** The same of its group's circuit; 0 where there is none, and once that has been told. */
  groupTicket: number;
  /** It tests a circuit that is not closed. */
  readonly probe: boolean;
}
