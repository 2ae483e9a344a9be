import type { Outcome, WhirlBus, WhirlEvents } from '@whirl/events';
import { Selector, type Strategy } from '@whirl/selector';
import type { AccessRules } from '../access-rules.ts';
import { InvalidProxyError } from '../errors.ts';
import { sameConnections, type Proxy } from '../proxy/proxy.ts';
import { allSteps, type Steps } from '../steps.ts';
import { Availability } from './availability.ts';
import { sameCircuit, type CircuitOptions } from './circuit-options.ts';
import { Circuits } from './circuits.ts';
import { Lessons, type Lesson } from './lessons.ts';
import { Member, type Admission } from './member.ts';
import { checkAccess, entriesOf, entryOf, type Entry, type PoolEntry } from './pool-entry.ts';
import type { Ask } from './proxy-query.ts';
import { Sharing } from './sharing.ts';
import { WaitingLine } from './wait-queue.ts';

export interface PoolContext {
  /** Undefined: every proxy may join. */
  readonly access: AccessRules | undefined;
  readonly bus: WhirlBus;
  readonly strategy: Strategy;
  readonly circuitBreaker: CircuitOptions | false;
  readonly now: () => number;
  readonly random: () => number;
  /** Hears of proxies that left or changed: their connections are of no use any more. */
  readonly onGone: (proxyId: string) => void;
  /** Hears of members that left: what is known of them may be forgotten. */
  readonly onLeft: (member: Member) => void;
}

/** A failure whose blame is settled after its end. */
export interface SettledFailure {
  readonly outcome: Outcome;
  readonly latencyMs: number;
  readonly origin: string;
  /** The circuit has counted it already. */
  readonly counted: boolean;
}

/** Members that `setting` changes at once when all are no more. */
const maxAtOnce = 1000;

/** Members that `setting` looks at in one step. */
const membersPerStep = 100;

/** The proxies, their circuits, and the question who takes the next request. */
export class Pool {
  readonly members = new Map<string, Member>();
  readonly selector: Selector;
  readonly circuits: Circuits;
  readonly availability: Availability;
  readonly line: WaitingLine;
  /** What other processes are told, and what they ask for. */
  readonly sharing = new Sharing();
  /** How often a proxy was asked for so far. */
  picks = 0;
  readonly #context: PoolContext;
  readonly #lessons = new Lessons();
  /** How often the whole pool was replaced. */
  #replaced = 0;

  constructor(context: PoolContext) {
    const { strategy, circuitBreaker, bus, now, random } = context;
    const { members, sharing } = this;
    this.#context = context;
    this.selector = new Selector({ strategy, now, random, bus: this.#lessons });
    this.line = new WaitingLine((ask) => this.admit(ask));
    this.circuits = new Circuits({
      ...{ members, circuitBreaker, bus, selector: this.selector, sharing, now, random },
      onChange: () => this.line.wake(),
    });
    this.availability = new Availability(members, this.circuits.open, now);
  }

  get size(): number {
    return this.members.size;
  }

  /** Adds a proxy. Throws on an id that is taken, and on bad options. */
  add(given: PoolEntry): Proxy {
    const entry = entryOf(given, this.circuits);
    const { proxy } = entry;
    allSteps(checkAccess([entry], this.#context.access));
    if (this.members.has(proxy.id)) {
      throw new InvalidProxyError(`a proxy with the id "${proxy.id}" is in the pool already`);
    }
    this.#join(entry);
    this.#announce('proxy:added', proxy);
    return proxy;
  }

  /** Removes a proxy; what runs through it goes on. False if there is none. */
  remove(id: string): boolean {
    const member = this.members.get(id);
    if (member === undefined) return false;
    this.#leave(member);
    this.#announce('proxy:removed', member.proxy);
    return true;
  }

  /**
   * Swaps the whole pool: half of it is never seen. A kept id keeps what is known of it, whatever else
   * changes. With `owned` proxies of other ids stay. Throws before anything changes.
   */
  set(entries: readonly PoolEntry[] | string, owned?: ReadonlySet<string>): void {
    const wanted = allSteps(entriesOf(entries, this.circuits));
    allSteps(checkAccess(wanted, this.#context.access));
    this.#setAtOnce(wanted, owned);
  }

  #setAtOnce(wanted: readonly Entry[], owned?: ReadonlySet<string>): void {
    if (owned === undefined) this.#replaced++;
    const ids = new Set(this.size === 0 ? [] : wanted.map(({ proxy }) => proxy.id));
    const gone = [...this.members.values()].filter(
      ({ id }) => !ids.has(id) && owned?.has(id) !== false,
    );
    this.#swap(gone, wanted);
  }

  /**
   * `set` in steps, for long lists: members join or change, then others leave; short ones take one. Throws
   * before anything changes. Ends early when the whole pool is replaced between two steps, which would undo the rest.
   */
  *setting(entries: readonly PoolEntry[] | string, owned?: ReadonlySet<string>): Steps<void> {
    const wanted = yield* entriesOf(entries, this.circuits);
    yield* checkAccess(wanted, this.#context.access);
    if (wanted.length + this.size <= maxAtOnce) {
      this.#setAtOnce(wanted, owned);
      return;
    }
    if (owned === undefined) this.#replaced++;
    const replaced = this.#replaced;
    const present = [...this.members.values()];
    const ids = new Set<string>();
    for (let i = 0; i < wanted.length; i += membersPerStep) {
      const part = wanted.slice(i, i + membersPerStep);
      for (const { proxy } of part) ids.add(proxy.id);
      this.#swap([], part);
      yield;
      if (this.#replaced !== replaced) return;
    }
    for (let i = 0; i < present.length; i += membersPerStep) {
      const gone = present
        .slice(i, i + membersPerStep)
        .filter((each) => !ids.has(each.id) && owned?.has(each.id) !== false && this.holds(each));
      this.#swap(gone, []);
      yield;
      if (this.#replaced !== replaced) return;
    }
  }

  #swap(gone: readonly Member[], wanted: readonly Entry[]): void {
    const fresh: Proxy[] = [];
    this.circuits.during(() => {
      for (const member of gone) this.#leave(member);
      for (const entry of wanted) {
        const member = this.members.get(entry.proxy.id);
        if (member !== undefined) this.#renew(member, entry);
        else {
          this.#join(entry);
          fresh.push(entry.proxy);
        }
      }
    });
    for (const { proxy } of gone) this.#announce('proxy:removed', proxy);
    for (const proxy of fresh) this.#announce('proxy:added', proxy);
  }

  /** Closes a member's circuit and lifts its ban, so that it is offered at once. False if it has no circuit. */
  reset(id: string): boolean {
    const member = this.members.get(id);
    if (member === undefined) return false;
    const { breaker } = member;
    // Before a listener hears that it is closed.
    this.selector.unban(id);
    breaker?.reset();
    this.line.wake();
    return breaker !== undefined;
  }

  /** Whether it has not left. */
  holds(member: Member): boolean {
    return this.members.get(member.id) === member;
  }

  /** A fact about a member: the selector hears it first, unless the member has left. */
  tell<Type extends Lesson>(member: Member, type: Type, event: WhirlEvents[Type]): void {
    const { bus } = this.#context;
    if (this.holds(member)) {
      this.#lessons.tell(type, event);
      this.sharing.tell(type, event);
    }
    if (bus.has(type)) bus.emit(type, event);
  }

  /** A neutral outcome of an earlier attempt has turned out to be a failure of the member or of its route. */
  convict(member: Member, blame: 'proxy' | 'route', failed: SettledFailure): void {
    if (!this.holds(member)) return;
    const { outcome, latencyMs, origin, counted } = failed;
    this.selector.record({ id: member.id, outcome, latencyMs, target: origin, blame });
    const { breaker } = member;
    if (blame !== 'proxy' || counted || breaker?.state !== 'closed') return;
    breaker.fail(breaker.acquire(), latencyMs);
  }

  /** A proxy and its circuit agree to take a request; undefined: none does, see `Availability.whyNot`. */
  admit(ask: Ask, only: { fresh?: boolean; closed?: boolean } = {}): Admission | undefined {
    const { tried, proxyId } = ask;
    this.picks++;
    if (proxyId !== undefined) return this.enter(proxyId, only.closed);
    const armed = only.fresh === true ? undefined : this.sharing.armedFor(ask);
    // The first pick has nothing to avoid.
    let exclude: ReadonlySet<string> | undefined = tried.size === 0 ? undefined : tried;
    let refused: Set<string> | undefined;
    for (;;) {
      const { target, region, strictRegion, prefer = armed, sessionId, tags } = ask;
      const wish = { exclude, target, region, strictRegion, prefer, sessionId, tags };
      const pick = this.selector.select(wish);
      if (pick === undefined || refused?.has(pick.id) === true) return undefined;
      if (only.fresh === true && tried.has(pick.id)) {
        this.selector.giveBack(pick.id);
        return undefined;
      }
      const admission = this.enter(pick.id, only.closed);
      if (admission !== undefined) {
        if (pick.id === armed) this.sharing.disarm(armed);
        return admission;
      }
      // One that is to be tested is left to a request that may do so.
      if (only.closed === true) this.selector.giveBack(pick.id);
      refused = (refused ?? new Set<string>()).add(pick.id);
      exclude = new Set([...tried, ...refused]);
    }
  }

  /** That proxy's circuit and bound agree to one more request. */
  enter(id: string, onlyClosed = false): Admission | undefined {
    const member = this.members.get(id);
    if (member === undefined || member.full) return undefined;
    const { breaker } = member;
    let ticket = 0;
    let probe = false;
    if (breaker !== undefined) {
      const { state } = breaker;
      probe = state !== 'closed' && state !== 'disabled';
      if (probe && onlyClosed) return undefined;
      ticket = breaker.acquire();
      if (ticket === 0) return undefined;
    }
    member.inFlight++;
    return { member, ticket, probe };
  }

  /** The attempt ended: its place is free. The ticket has been settled before. */
  free(member: Member): void {
    member.inFlight--;
    this.line.wake();
  }

  /** An attempt has ended, and its connection goes on: it stays a load, and keeps its place, until `release`. */
  keep(member: Member): void {
    if (this.holds(member)) this.selector.started(member.id);
  }

  /** That connection has ended. */
  release(member: Member): void {
    if (this.holds(member)) this.selector.settled(member.id);
    this.free(member);
  }

  /** A test of its circuit gave its ticket back and goes on: the next request may have it at once. */
  offer(member: Member): void {
    if (this.holds(member)) {
      // For the selector a test has ended when its attempt has.
      this.selector.settled(member.id);
      this.selector.started(member.id);
    }
    this.line.wake();
  }

  /** The admission was not used. */
  giveBack({ member, ticket }: Admission): void {
    member.breaker?.release(ticket);
    if (this.holds(member)) this.selector.giveBack(member.id);
    this.free(member);
  }

  #join({ proxy, circuits }: Entry): void {
    this.selector.add(candidate(proxy));
    this.members.set(proxy.id, new Member(proxy, this.#context.now(), circuits));
    this.line.wake();
  }

  #leave(member: Member): void {
    const { id } = member;
    this.#context.onLeft(member);
    this.members.delete(id);
    this.selector.remove(id);
    this.circuits.delete(member);
    this.sharing.disarm(id);
    this.line.wake();
    this.#context.onGone(id);
  }

  #renew(member: Member, { proxy, circuits }: Entry): void {
    if (!sameCircuit(member.circuits?.asked, circuits?.asked))
      this.circuits.renew(member, circuits);
    const before = member.proxy;
    member.proxy = proxy;
    if (!sameConnections(before, proxy)) this.#context.onGone(proxy.id);
    if (JSON.stringify(candidate(before)) === JSON.stringify(candidate(proxy))) return;
    this.selector.update(candidate(proxy));
    // It may have more places than before, or tags that a request waits for.
    this.line.wake();
  }

  #announce(type: 'proxy:added' | 'proxy:removed', proxy: Proxy): void {
    const { bus, now } = this.#context;
    const { id: proxyId, region, weight, tags } = proxy;
    if (type === 'proxy:removed') {
      this.sharing.tell(type, { proxyId, region, weight, tags, at: now() });
    }
    if (!bus.has(type)) return;
    bus.emit(type, { proxyId, region, weight, tags, at: now() });
  }
}

/** What the selector knows of a proxy. */
function candidate({ id, region, weight, cost, tags, maxConcurrent }: Proxy) {
  return { id, region, weight, cost, tags, maxConcurrent };
}
