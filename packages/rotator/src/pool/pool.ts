import type { Outcome, WhirlBus, WhirlEvents } from '@whirl/events';
import { Selector, type Strategy } from '@whirl/selector';
import type { AccessRules } from '../access-rules.ts';
import { InvalidProxyError } from '../errors.ts';
import { Exit, isGateway } from '../proxy/exit.ts';
import { sameConnections, type Proxy } from '../proxy/proxy.ts';
import { allSteps, type Steps } from '../steps.ts';
import { Admissions, type Only } from './admissions.ts';
import { Availability } from './availability.ts';
import { sameCircuit, type CircuitOptions } from './circuit-options.ts';
import { Circuits } from './circuits.ts';
import { Exits } from './exits.ts';
import { Lessons, type Lesson } from './lessons.ts';
import { Member, type Admission, type CircuitSource, type Group } from './member.ts';
import { checkAccess, checkIds, entryOf, type Entry, type PoolEntry } from './pool-entry.ts';
import { PoolList } from './pool-list.ts';
import type { Ask } from './proxy-query.ts';
import { Sharing } from './sharing.ts';
import { WaitQueue } from './wait-queue.ts';

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

/** The proxies, their circuits, and which of them takes the next request. */
export class Pool {
  readonly members = new Map<string, Member>();
  readonly selector: Selector;
  readonly circuits: Circuits;
  readonly exits: Exits;
  readonly availability: Availability;
  readonly line: WaitQueue;
  /** What other processes are told, and what they ask for. */
  readonly sharing = new Sharing();
  /** How often a proxy was asked for so far. */
  picks = 0;
  readonly #context: PoolContext;
  readonly #admissions: Admissions;
  readonly #list: PoolList;
  readonly #lessons = new Lessons();
  /** The instant of what the selector is being told: it reads no clock of its own then. */
  #toldAt: number | undefined;

  constructor(context: PoolContext) {
    const { strategy, circuitBreaker, bus, now, random } = context;
    const { members, sharing } = this;
    this.#context = context;
    this.selector = new Selector({
      ...{ strategy, random, bus: this.#lessons },
      now: () => this.#toldAt ?? now(),
    });
    this.line = new WaitQueue((ask) => this.admit(ask));
    this.circuits = new Circuits({
      ...{ members, circuitBreaker, bus, selector: this.selector, sharing, now, random },
      onChange: () => this.line.wake(),
      onOpened: (member) => this.exits.mayRenew(member),
      onRenewed: (member) => this.exits.closed(member),
    });
    this.exits = new Exits({
      ...{ bus, now, random, groups: this.circuits.groups },
      member: (id) => members.get(id),
      join: (entry) => this.#join(entry),
      leave: (member) => this.#leave(member),
      update: (member, entry) => this.#renew(member, entry),
      replace: (member, exit) => this.#replace(member, exit),
    });
    const { selector, circuits, exits } = this;
    this.#admissions = new Admissions({ members, selector, circuits, exits, sharing, now });
    this.#list = new PoolList({
      ...{ members, circuits, exits, access: context.access },
      join: (entry) => this.#join(entry),
      leave: (member) => this.#leave(member),
      renew: (member, entry) => this.#renew(member, entry),
      announce: (type, proxy) => this.#announce(type, proxy),
    });
    this.availability = new Availability(members, this.circuits.open, this.exits, now);
  }

  get size(): number {
    return this.members.size;
  }

  /** As they were given: a gateway is one, whatever its exits. */
  get givenSize(): number {
    return this.#list.size;
  }

  /** The ids of what was given, a gateway at the place of its first exit. */
  givenIds(): IterableIterator<string> {
    return this.#list.ids();
  }

  /** Adds a proxy. Throws on an id that is taken, and on bad options. */
  add(given: PoolEntry): Proxy {
    const entry = entryOf(given, this.circuits);
    const { proxy } = entry;
    allSteps(checkAccess([entry], this.#context.access));
    if (this.members.has(proxy.id) || this.exits.get(proxy.id) !== undefined) {
      throw new InvalidProxyError(`a proxy with the id "${proxy.id}" is in the pool already`);
    }
    checkIds([entry], isGateway(proxy) ? this.#list.ordinary() : [], this.exits.ids());
    if (isGateway(proxy)) this.exits.set({ ...entry, proxy });
    else this.#join(entry);
    this.#announce('proxy:added', proxy);
    return proxy;
  }

  /** Removes a proxy; what runs through it goes on. False if there is none. */
  remove(id: string): boolean {
    const set = this.exits.delete(id);
    if (set !== undefined) {
      this.#announce('proxy:removed', set.gateway);
      return true;
    }
    const member = this.members.get(id);
    // An exit leaves with its gateway alone.
    if (member === undefined || member.proxy instanceof Exit) return false;
    this.#leave(member);
    this.#announce('proxy:removed', member.proxy);
    return true;
  }

  /** Swaps the whole pool, or what `owned` names of it: see `PoolList.set`. */
  set(entries: readonly PoolEntry[] | string, owned?: ReadonlySet<string>): void {
    this.#list.set(entries, owned);
  }

  /** `set` in steps: see `PoolList.setting`. */
  setting(entries: readonly PoolEntry[] | string, owned?: ReadonlySet<string>): Steps<void> {
    return this.#list.setting(entries, owned);
  }

  /**
   * Closes a member's circuit and that of its group, and lifts its ban, so that it is offered at once. Of a gateway, its
   * group's and those of its exits, but for exits that were forced open by themselves. False if it has no circuit.
   */
  reset(id: string): boolean {
    const group = this.#groupOfGateway(id);
    if (group !== undefined) {
      for (const member of this.circuits.open.members()) {
        const { proxy, breaker } = member;
        if (!(proxy instanceof Exit) || proxy.gateway.id !== id) continue;
        if (breaker?.state !== 'forced_open') breaker?.reset();
      }
      group.breaker.reset();
      return true;
    }
    const member = this.members.get(id);
    if (member === undefined) return false;
    const { breaker } = member;
    member.group?.breaker.reset();
    // Before a listener hears that it is closed.
    this.selector.unban(id);
    breaker?.reset();
    this.line.wake();
    return breaker !== undefined;
  }

  /** Refuses a member, or all exits of a gateway with those of its group, until a reset. False if it has no circuit. */
  forceOpen(id: string): boolean {
    const breaker = (this.#groupOfGateway(id) ?? this.members.get(id))?.breaker;
    breaker?.forceOpen();
    return breaker !== undefined;
  }

  #groupOfGateway(id: string): Group | undefined {
    const { group } = this.exits.get(id)?.gateway ?? {};
    return group === undefined ? undefined : this.circuits.groups.get(group);
  }

  /** Whether it has not left. */
  holds(member: Member): boolean {
    return this.members.get(member.id) === member;
  }

  /** The member has one load more: an attempt, or a connection that outlives its attempt (until `release`). */
  started(member: Member, at = this.#context.now()): void {
    if (!this.holds(member)) return;
    try {
      this.#toldAt = at;
      this.selector.started(member.id);
    } finally {
      this.#toldAt = undefined;
    }
  }

  /** Whether anything beside the selector hears of facts of that type. Ask before building one that it does not need. */
  hears(type: Lesson): boolean {
    return this.#context.bus.has(type) || this.sharing.hears(type);
  }

  /** A fact about a member: the selector hears it first, unless the member has left. */
  tell<Type extends Lesson>(member: Member, type: Type, event: WhirlEvents[Type]): void {
    const { bus } = this.#context;
    if (this.holds(member)) {
      try {
        this.#toldAt = event.at;
        this.#lessons.tell(type, event);
      } finally {
        this.#toldAt = undefined;
      }
      // Other processes have sessions of their own.
      if (!(member.proxy instanceof Exit)) this.sharing.tell(type, event);
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
  admit(ask: Ask, only?: Only): Admission | undefined {
    this.picks++;
    return this.#admissions.admit(ask, only);
  }

  /** That proxy's circuit, its group's and its bound agree to one more request. */
  enter(id: string): Admission | undefined {
    return this.#admissions.enter(id);
  }

  /** One request tests the group, if that is due. */
  probe(group: Group): Admission | undefined {
    return this.#admissions.probe(group);
  }

  /** The attempt ended: its place is free. The ticket has been settled before. */
  free(member: Member): void {
    member.inFlight--;
    if (member.inFlight === 0 && this.exits.isOver(member) && this.holds(member)) {
      this.exits.renew(member, 'expired');
    }
    this.line.wake();
  }

  /** A connection that outlived its attempt has ended. */
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
  giveBack(admission: Admission): void {
    const { member } = admission;
    this.circuits.release(admission);
    if (this.holds(member)) this.selector.giveBack(member.id);
    this.free(member);
  }

  #join({ proxy, circuits }: Entry): void {
    this.selector.add(candidate(proxy));
    this.#seat(proxy, circuits);
  }

  #seat(proxy: Proxy, circuits: CircuitSource | undefined): void {
    const member = new Member(proxy, this.#context.now(), circuits);
    this.members.set(proxy.id, member);
    this.circuits.joinGroup(member);
    this.line.wake();
  }

  /**
   * Another exit under a member's id: nothing is known of it. What the attempts of the one before come to is told to
   * no circuit, and its connections serve no further request.
   */
  #replace(member: Member, exit: Exit): void {
    const { circuits } = member;
    this.#context.onLeft(member);
    this.circuits.delete(member);
    this.selector.replace(candidate(exit));
    this.#context.onGone(exit.id);
    this.#seat(exit, circuits);
  }

  /** A rule has banned the member. True: it is an exit that has a new session now. */
  renewBanned(member: Member): boolean {
    if (!this.exits.mayRenew(member)) return false;
    this.exits.renew(member, 'banned');
    return true;
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
    this.circuits.changeGroup(member);
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
