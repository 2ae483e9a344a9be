import type {
  CircuitBreaker,
  CircuitBreakerGroup,
  CircuitBreakerGroupOptions,
} from '@whirl/circuit-breaker';
import type { Proxy } from './proxy.ts';

/** A proxy of the pool with its circuit and its load. */
export class Member {
  /** Replaced when the pool is set anew with the same id and, say, another password. */
  proxy: Proxy;
  /** When it joined: what its circuit calls its last change until there is one. */
  readonly addedAt: number;
  /** Requests and health checks under way through it. */
  inFlight = 0;
  readonly #circuits: CircuitBreakerGroup | undefined;
  readonly #own: CircuitBreakerGroupOptions | undefined;
  readonly #shared: CircuitBreakerGroupOptions | undefined;
  #breaker: CircuitBreaker | undefined;

  constructor(
    proxy: Proxy,
    addedAt: number,
    circuits: CircuitBreakerGroup | undefined,
    own: CircuitBreakerGroupOptions | undefined,
    shared: CircuitBreakerGroupOptions | undefined,
  ) {
    this.proxy = proxy;
    this.addedAt = addedAt;
    this.#circuits = circuits;
    this.#own = own;
    this.#shared = shared;
  }

  get id(): string {
    return this.proxy.id;
  }

  /** Made on first use: most of a large pool waits unused. Undefined: it has no circuit. */
  get breaker(): CircuitBreaker | undefined {
    return (this.#breaker ??= this.#circuits?.get(this.proxy.id, this.#own));
  }

  /** The failures, and the time in which they count; none under a rule of the user's own. */
  get limits(): { readonly failureThreshold: number; readonly windowMs: number } {
    const { failureThreshold = 0, windowMs = 0 } = this.#own ?? this.#shared ?? {};
    return { failureThreshold, windowMs };
  }

  /** Whether its circuit would admit a request now. A pure read. */
  get admits(): boolean {
    return this.breaker?.canAttempt() ?? true;
  }

  get full(): boolean {
    return this.inFlight >= (this.proxy.maxConcurrent ?? Infinity);
  }
}

/** A member that admitted a request, and the ticket that its circuit wants back. */
export interface Admission {
  readonly member: Member;
  readonly ticket: number;
  /** It tests a circuit that is not closed. */
  readonly probe: boolean;
}
