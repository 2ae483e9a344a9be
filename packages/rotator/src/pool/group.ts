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
export class MachineGroup<Member> {
  readonly name: string;
  readonly breaker: CircuitBreaker;
  /** Epoch milliseconds: when its first member joined. */
  readonly since: number;
  readonly members = new Set<Member>();
  /** How often the machine was seen to work. */
  seenWorking = 0;

  constructor(name: string, breaker: CircuitBreaker, since: number) {
    this.name = name;
    this.breaker = breaker;
    this.since = since;
  }

  /** Whether it refuses requests, but for its one probe. */
  get isShut(): boolean {
    const { state } = this.breaker;
    return state !== 'closed' && state !== 'disabled';
  }

  get snapshot(): GroupSnapshot {
    const { state, failureCount, nextTestAt } = this.breaker;
    return { name: this.name, size: this.members.size, state, failureCount, nextTestAt };
  }
}
