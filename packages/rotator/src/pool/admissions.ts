import type { Selector } from '@whirl/selector';
import { Exit } from '../proxy/exit.ts';
import type { Circuits } from './circuits.ts';
import type { Exits } from './exits.ts';
import type { Admission, Group, Member } from './member.ts';
import { meets, type Ask } from './proxy-query.ts';
import type { Sharing } from './sharing.ts';

/** Further conditions for an admission: an untried proxy, a closed circuit. */
export interface Only {
  readonly fresh?: boolean | undefined;
  readonly closed?: boolean | undefined;
}

interface AdmissionsContext {
  readonly members: ReadonlyMap<string, Member>;
  readonly selector: Selector;
  readonly circuits: Circuits;
  readonly exits: Exits;
  readonly sharing: Sharing;
  readonly now: () => number;
}

/** Exits of other regions that one request may be offered before it gives up. */
const maxMisfits = 50;

/** Milliseconds for which an exit whose session is over is kept from requests that another can take. */
const drainMs = 60_000;

/** Decides which member takes a request: the selector picks, and the circuits of the member and of its group agree. */
export class Admissions {
  readonly #members: ReadonlyMap<string, Member>;
  readonly #selector: Selector;
  readonly #circuits: Circuits;
  readonly #exits: Exits;
  readonly #sharing: Sharing;
  readonly #now: () => number;

  constructor({ members, selector, circuits, exits, sharing, now }: AdmissionsContext) {
    this.#members = members;
    this.#selector = selector;
    this.#circuits = circuits;
    this.#exits = exits;
    this.#sharing = sharing;
    this.#now = now;
  }

  /** A proxy and its circuit agree to take a request; undefined: none does, see `Availability.whyNot`. */
  admit(ask: Ask, only: Only = {}): Admission | undefined {
    const { tried, proxyId } = ask;
    if (proxyId !== undefined) return this.enter(proxyId, only.closed);
    // A gateway that makes exits for a region serves it with those, and with no other region's.
    let regional = this.#exits.size > 0 && this.#exits.prepare(ask);
    const session = this.#sessionExit(ask);
    const mayProbe = this.#circuits.groups.shut.size > 0 && only.closed !== true;
    if (mayProbe && ask.mayTest === true) {
      const probe = this.#probe(ask, session);
      if (probe !== undefined) return probe;
    }
    const armed = only.fresh === true ? undefined : this.#sharing.armedFor(ask);
    // The first pick has nothing to avoid.
    let exclude: ReadonlySet<string> | undefined = tried.size === 0 ? undefined : tried;
    let refused: Set<string> | undefined;
    let misfits = 0;
    for (;;) {
      const { target, region, prefer = session ?? armed, sessionId, tags } = ask;
      const strictRegion = ask.strictRegion === true || regional;
      const wish = { exclude, target, region, strictRegion, prefer, sessionId, tags };
      const pick = this.#selector.select(wish);
      if (pick === undefined && regional && ask.strictRegion !== true) {
        regional = false;
        continue;
      }
      if (pick === undefined || refused?.has(pick.id) === true) {
        return mayProbe && ask.mayTest !== true ? this.#probe(ask, session) : undefined;
      }
      if (only.fresh === true && tried.has(pick.id)) {
        this.#selector.giveBack(pick.id);
        return undefined;
      }
      if (this.#exits.size > 0 && pick.id !== session && this.#drains(pick.id)) continue;
      const fits = this.#serves(pick.id, ask);
      const admission = fits ? this.enter(pick.id, only.closed) : undefined;
      if (admission !== undefined) {
        if (pick.id === armed) this.#sharing.disarm(armed);
        this.#keepSession(ask, admission.member);
        return admission;
      }
      // One that is to be tested, or is for another region, is left to a request that may have it.
      if (only.closed === true || !fits) this.#selector.giveBack(pick.id);
      if (!fits && ++misfits === maxMisfits) return undefined;
      refused = (refused ?? new Set<string>()).add(pick.id);
      exclude = new Set([...tried, ...refused]);
    }
  }

  #serves(id: string, ask: Ask): boolean {
    if (this.#exits.size === 0) return true;
    const member = this.#members.get(id);
    return member === undefined || this.#exits.serves(member, ask);
  }

  /** The exit that the caller's session goes through, unless it has failed this request or is for another region. */
  #sessionExit(ask: Ask): string | undefined {
    const { sessionId, tried } = ask;
    if (sessionId === undefined || this.#exits.size === 0) return undefined;
    const id = this.#exits.sessions.exitOf(sessionId);
    const member = id === undefined ? undefined : this.#members.get(id);
    if (member === undefined || tried.has(member.id)) return undefined;
    return this.#exits.serves(member, ask) ? member.id : undefined;
  }

  /** A retry goes elsewhere, and the session stays. */
  #keepSession({ sessionId, tried }: Ask, member: Member): void {
    if (sessionId === undefined || tried.size > 0 || !(member.proxy instanceof Exit)) return;
    this.#exits.sessions.use(sessionId, member.id);
  }

  /** An exit whose time is over takes no further request while another can, so that it comes to have none. */
  #drains(id: string): boolean {
    const member = this.#members.get(id);
    if (member === undefined || member.inFlight === 0 || member.drained) return false;
    if (!this.#exits.isOver(member)) return false;
    member.drained = true;
    this.#selector.avoid(id, this.#now() + drainMs);
    this.#selector.giveBack(id);
    return true;
  }

  /** The one probe of a group that is due, through a member that the request may use: at best that of its session. */
  #probe(ask: Ask, session: string | undefined): Admission | undefined {
    for (const group of this.#circuits.groups.shut) {
      if (!group.breaker.canAttempt()) continue;
      const own = session === undefined ? undefined : this.#members.get(session);
      if (own?.group === group) {
        const admission = this.enter(own.id);
        if (admission !== undefined) return admission;
      }
      for (const member of group.members()) {
        const { id, full, admits } = member;
        if (full || !admits || ask.tried.has(id) || !meets(member, ask)) continue;
        if (!this.#exits.serves(member, ask)) continue;
        const admission = this.enter(id);
        if (admission !== undefined) return admission;
      }
    }
    return undefined;
  }

  /** The probe of a group for no request: through the first of its members that would admit one. */
  probe(group: Group): Admission | undefined {
    for (const member of group.members()) {
      const admission = member.admits ? this.enter(member.id) : undefined;
      if (admission !== undefined) return admission;
    }
    return undefined;
  }

  /** That proxy's circuit, its group's and its bound agree to one more request. */
  enter(id: string, onlyClosed = false): Admission | undefined {
    let member = this.#members.get(id);
    if (member === undefined || member.full) return undefined;
    if (this.#exits.size > 0) member = this.#exits.entering(member);
    const { breaker, gate } = member;
    let ticket = 0;
    let groupTicket = 0;
    let probe = gate?.isShut === true;
    if (probe && onlyClosed) return undefined;
    if (breaker !== undefined) {
      const { state } = breaker;
      const tests = state !== 'closed' && state !== 'disabled';
      if (tests && onlyClosed) return undefined;
      if (gate !== undefined) {
        if (!breaker.canAttempt()) return undefined;
        groupTicket = gate.breaker.acquire();
        if (groupTicket === 0) return undefined;
      }
      probe ||= tests;
      ticket = breaker.acquire();
      if (ticket === 0) {
        gate?.breaker.release(groupTicket);
        return undefined;
      }
    }
    member.inFlight++;
    return { member, ticket, group: gate, groupTicket, probe };
  }
}
