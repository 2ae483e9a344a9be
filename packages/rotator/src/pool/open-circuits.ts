import type { CircuitState } from '@whirl/events';
import type { Groups } from './groups.ts';
import type { Member } from './member.ts';

/**
 * The circuits that are not closed, by the transition that was told last: counted in O(1), with the instant at which
 * the first of them may be tested.
 */
export class OpenCircuits {
  readonly #members: ReadonlyMap<string, Member>;
  readonly #groups: Groups;
  readonly #now: () => number;
  readonly #states = new Map<string, CircuitState>();
  readonly #counts: Record<CircuitState, number> = {
    ...{ closed: 0, open: 0, half_open: 0, forced_open: 0, disabled: 0 },
  };
  /** Kept while no circuit has changed since it was worked out. */
  #firstDueAt: number | undefined;
  #firstDueKnown = false;

  constructor(members: ReadonlyMap<string, Member>, groups: Groups, now: () => number) {
    this.#members = members;
    this.#groups = groups;
    this.#now = now;
  }

  /** Members that refuse requests, or test whether they should, by their own circuit or their group's. */
  get shut(): number {
    let shut = this.#states.size - this.#counts.disabled;
    if (this.#groups.shut.size === 0) return shut;
    for (const { size } of this.#groups.shut) shut += size;
    // Those that were counted by themselves, or that the group does not hold back.
    for (const id of this.#states.keys()) if (this.#members.get(id)?.group?.isShut) shut--;
    return shut;
  }

  isShut(id: string): boolean {
    const state = this.#states.get(id);
    if (state === 'disabled') return false;
    return state !== undefined || this.#members.get(id)?.group?.isShut === true;
  }

  /** Circuits of all members by state; `closed` is every member that is in no other. */
  get counts(): Record<CircuitState, number> {
    return { ...this.#counts, closed: this.#members.size - this.#states.size };
  }

  /** Members whose circuit is not closed. */
  *members(): Generator<Member, void, undefined> {
    for (const id of this.#states.keys()) {
      const member = this.#members.get(id);
      if (member !== undefined) yield member;
    }
  }

  /** Epoch milliseconds at which the first of those that are shut may be tested; undefined: never by itself. */
  get firstDueAt(): number | undefined {
    const now = this.#now();
    if (this.#firstDueKnown && (this.#firstDueAt === undefined || this.#firstDueAt > now)) {
      return this.#firstDueAt;
    }
    let first: number | undefined;
    for (const [id, state] of this.#states) {
      if (state === 'disabled') continue;
      const waitMs = this.#members.get(id)?.retryAfterMs;
      if (waitMs !== undefined && (first === undefined || now + waitMs < first)) {
        first = now + waitMs;
      }
    }
    for (const { breaker } of this.#groups.shut) {
      const waitMs = breaker.retryAfterMs;
      if (waitMs !== undefined && (first === undefined || now + waitMs < first)) {
        first = now + waitMs;
      }
    }
    this.#firstDueKnown = true;
    return (this.#firstDueAt = first);
  }

  /** The deadline of one of them has moved, or a group has changed. */
  rescheduled(): void {
    this.#firstDueKnown = false;
  }

  set(id: string, state: CircuitState): void {
    this.delete(id);
    this.#firstDueKnown = false;
    if (state === 'closed') return;
    this.#states.set(id, state);
    this.#counts[state]++;
  }

  delete(id: string): void {
    const before = this.#states.get(id);
    if (before === undefined) return;
    this.#firstDueKnown = false;
    this.#states.delete(id);
    this.#counts[before]--;
  }
}
