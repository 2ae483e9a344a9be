import type { CircuitBreaker } from '@whirl/circuit-breaker';
import type { CircuitState } from '@whirl/events';

/** A group, to look at. */
export interface GroupSnapshot {
  readonly name: string;
  readonly state: CircuitState;
  /** Proxies in it. */
  readonly size: number;
  /** Failures of the machine in a row. */
  readonly failureCount: number;
  /** Epoch milliseconds; undefined unless it is open. */
  readonly nextTestAt: number | undefined;
}

/** Proxies that are one machine: what is certain of that is counted here, once for all of them. */
export class MachineGroup<Member extends { readonly group: unknown }> {
  readonly name: string;
  readonly breaker: CircuitBreaker;
  /** Epoch milliseconds: when its first member joined. */
  readonly since: number;
  readonly #all: ReadonlyMap<string, Member>;
  /** Its members. They are no list of their own, which ten thousand exits would pay for. */
  size = 0;
  /** Gateways that are this machine: it stays known while they have no exit. */
  gateways = 0;
  /** How often the machine was seen to work. */
  seenWorking = 0;

  /** `all`: the members of the pool. */
  constructor(
    name: string,
    breaker: CircuitBreaker,
    since: number,
    all: ReadonlyMap<string, Member>,
  ) {
    this.#all = all;
    this.name = name;
    this.breaker = breaker;
    this.since = since;
  }

  /** Whether it refuses requests, but for its one probe. */
  get isShut(): boolean {
    const { state } = this.breaker;
    return state !== 'closed' && state !== 'disabled';
  }

  /** A look at each member of the pool. */
  *members(): Generator<Member, void, undefined> {
    for (const member of this.#all.values()) if (member.group === this) yield member;
  }

  get snapshot(): GroupSnapshot {
    const { state, failureCount, nextTestAt } = this.breaker;
    return { name: this.name, size: this.size, state, failureCount, nextTestAt };
  }
}
