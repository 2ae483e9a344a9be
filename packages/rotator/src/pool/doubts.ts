import type { Member } from './member.ts';

/** Another origin that was asked for within this time could be hurt by a circuit that opens on doubt. */
const aloneMs = 60_000;

/**
 * While one origin alone is asked for, failures of which proxy or target may be to blame count
 * against the circuit, so that a proxy or a pool that gets no response fails fast. What such a failure
 * has opened is provisional: the first request for another origin closes it.
 */
export class Doubts {
  #origin: string | undefined;
  /** When that origin was asked for last. */
  #askedAt = -Infinity;
  /** When another origin was asked for last. */
  #otherAt = -Infinity;
  /** Members whose circuits count doubtful failures. */
  readonly #members = new Set<Member>();

  /** A request for that origin begins. Called before its proxy is chosen. */
  asked(origin: string, at: number): void {
    if (origin !== this.#origin) {
      if (this.#origin !== undefined) this.#otherAt = this.#askedAt;
      this.#origin = origin;
      if (this.#members.size > 0) this.#forgive();
    }
    this.#askedAt = at;
  }

  /** Whether one origin alone was asked for lately. */
  alone(at: number): boolean {
    return at - this.#otherAt > aloneMs;
  }

  /** A failure that may be the target's counts against the circuit. */
  failed(member: Member, ticket: number, durationMs: number, at: number): void {
    member.doubtAt = at;
    this.#members.add(member);
    member.breaker?.fail(ticket, durationMs);
  }

  /** Its circuit has closed, or it has left the pool. */
  forget(member: Member): void {
    member.doubtAt = undefined;
    member.provisional = false;
    this.#members.delete(member);
  }

  #forgive(): void {
    for (const member of this.#members) {
      const { breaker, provisional } = member;
      this.forget(member);
      if (breaker === undefined) continue;
      const { state } = breaker;
      if (state === 'closed') breaker.reset();
      else if (provisional) breaker.reset({ reason: 'other_target' });
    }
  }
}
