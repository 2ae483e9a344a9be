import { AllProxiesUnavailableError } from '../errors.ts';
import type { Member } from './member.ts';
import type { Exits } from './exits.ts';
import type { OpenCircuits } from './open-circuits.ts';
import { matching, takesAny, type Ask } from './proxy-query.ts';
import { unavailable } from './unavailable.ts';

/** What the pool could do for a request. Pure reads: nothing is admitted. */
export class Availability {
  readonly #members: ReadonlyMap<string, Member>;
  readonly #openCircuits: OpenCircuits;
  readonly #exits: Exits;
  readonly #now: () => number;

  constructor(
    members: ReadonlyMap<string, Member>,
    openCircuits: OpenCircuits,
    exits: Exits,
    now: () => number,
  ) {
    this.#members = members;
    this.#openCircuits = openCircuits;
    this.#exits = exits;
    this.#now = now;
  }

  /** Whether some member's circuit would admit a request `delayMs` from now. */
  admitsAny(delayMs = 0): boolean {
    // A gateway may make its exits for the region of the first request.
    if (this.#members.size === 0) return this.#exits.size > 0;
    const { shut } = this.#openCircuits;
    if (shut < this.#members.size) return true;
    const { firstDueAt } = this.#openCircuits;
    return firstDueAt !== undefined && firstDueAt <= this.#now() + delayMs;
  }

  /** Whether a proxy that the request may use could take it `delayMs` from now. */
  couldServe(ask: Ask, delayMs: number): boolean {
    if (takesAny(ask)) return this.admitsAny(delayMs);
    for (const { retryAfterMs: waitMs } of matching(this.#members, ask)) {
      if (waitMs !== undefined && waitMs <= delayMs) return true;
    }
    return false;
  }

  /** Whether a proxy that was not tried, and that the request may use, has a closed circuit. */
  hasAnother(ask: Ask): boolean {
    const { tried } = ask;
    const open = this.#openCircuits;
    if (takesAny(ask)) {
      let left = this.#members.size - open.shut;
      for (const id of tried) if (this.#members.has(id) && !open.isShut(id)) left--;
      return left > 0;
    }
    for (const { id } of matching(this.#members, ask)) {
      if (!tried.has(id) && !open.isShut(id)) return true;
    }
    return false;
  }

  /** Why no proxy was admitted. `silentMs`: how long the target has not responded. */
  whyNot(ask: Ask, silentMs: number): AllProxiesUnavailableError {
    const [gateway] = this.#exits.ids();
    if (this.#members.size === 0 && gateway !== undefined) {
      return new AllProxiesUnavailableError(
        'NO_PROXIES',
        `the gateway "${gateway}" has {region} in its credentials, and the request ` +
          (ask.region === undefined ? 'names no region' : 'names none that can stand there'),
      );
    }
    return unavailable(this.#members, this.#openCircuits, ask, this.#now(), silentMs);
  }
}
