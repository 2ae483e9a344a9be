import type { ProxyRenewed, WhirlBus } from '@whirl/events';
import { Exit, type ExitSource, type Gateway } from '../proxy/exit.ts';
import { maxExits } from '../proxy/exit-template.ts';
import type { Proxy } from '../proxy/proxy.ts';
import { SessionTokens } from '../proxy/session-tokens.ts';
import { ExitSessions } from './exit-sessions.ts';
import type { Groups } from './groups.ts';
import type { CircuitSource, Member } from './member.ts';
import { namedRegion, type Ask } from './proxy-query.ts';
import { Renewals } from './renewals.ts';

/** Regions of one gateway at most; beyond it the exits of the one not asked for longest leave. */
const maxRegions = 300;
/** Of exits that are for any region. */
const anyRegion = '';

/** Regions for which a gateway of `count` exits may have them at once. */
function mostRegions(count: number): number {
  return Math.max(1, Math.min(maxRegions, Math.floor(maxExits / count)));
}

/** An exit as it joins the pool. */
export interface ExitEntry {
  readonly proxy: Exit;
  readonly circuits: CircuitSource | undefined;
}

/** What the exits need of their pool. */
export interface ExitsContext {
  readonly bus: WhirlBus;
  readonly now: () => number;
  readonly random: () => number;
  readonly groups: Groups;
  readonly member: (id: string) => Member | undefined;
  readonly join: (entry: ExitEntry) => void;
  readonly leave: (member: Member) => void;
  /** Another proxy, or circuit, for a member that stays. */
  readonly update: (member: Member, entry: ExitEntry) => void;
  /** Another exit for the member's id: what is known of the member is forgotten. */
  readonly replace: (member: Member, exit: Exit) => void;
}

/** A gateway of the pool. */
export interface GatewayEntry {
  readonly proxy: Gateway;
  readonly circuits: CircuitSource | undefined;
}

/** A gateway with its exits. */
export class ExitSet {
  source: ExitSource;
  circuits: CircuitSource | undefined;
  /** Exits that have got a new session so far. */
  renewed = 0;
  renewals: Renewals;
  /** With exits, those that were asked for last at the end. */
  readonly regions = new Set<string>();
  /** The group that it holds. */
  group: string | undefined;

  constructor({ proxy, circuits }: GatewayEntry, tokens: SessionTokens) {
    this.source = { gateway: proxy, tokens };
    this.circuits = circuits;
    this.renewals = new Renewals(proxy.exits.renewPerMinute);
  }

  get gateway(): Gateway {
    return this.source.gateway;
  }

  /** The ids of its exits. */
  *ids(): Generator<string, void, undefined> {
    const { count } = this.gateway.exits;
    for (const region of this.regions) for (let i = 1; i <= count; i++) yield this.id(region, i);
  }

  id(region: string, number: number): string {
    const { id } = this.gateway;
    return region === anyRegion ? `${id}/${number}` : `${id}/${region}/${number}`;
  }
}

/** The exits of the pool's gateways: members like any others, that get a new session in place of a rest. */
export class Exits {
  readonly sessions: ExitSessions;
  readonly #context: ExitsContext;
  readonly #tokens: SessionTokens;
  readonly #sets = new Map<string, ExitSet>();
  /** Why circuits are about to close. */
  readonly #reasons = new Map<Member, ProxyRenewed['reason']>();
  /** Those whose exits are made for the regions that are asked for. */
  readonly #perRegion = new Set<ExitSet>();

  constructor(context: ExitsContext) {
    this.#context = context;
    this.#tokens = new SessionTokens(context.random);
    this.sessions = new ExitSessions(context.bus, context.now);
  }

  /** Gateways. */
  get size(): number {
    return this.#sets.size;
  }

  /** Exits of all gateways. */
  get count(): number {
    let count = 0;
    for (const { gateway, regions } of this.#sets.values()) {
      count += gateway.exits.count * regions.size;
    }
    return count;
  }

  get(gatewayId: string): ExitSet | undefined {
    return this.#sets.get(gatewayId);
  }

  ids(): IterableIterator<string> {
    return this.#sets.keys();
  }

  sets(): IterableIterator<ExitSet> {
    return this.#sets.values();
  }

  /** Adds a gateway, or changes the one with its id: exits that stay keep their sessions and what is known of them. */
  set(entry: GatewayEntry): void {
    const set = this.#sets.get(entry.proxy.id);
    if (set === undefined) {
      const fresh = new ExitSet(entry, this.#tokens);
      this.#sets.set(entry.proxy.id, fresh);
      this.#hold(fresh, entry);
      this.#begin(fresh);
    } else {
      this.#hold(set, entry);
      this.#change(set, entry);
    }
  }

  delete(gatewayId: string): ExitSet | undefined {
    const set = this.#sets.get(gatewayId);
    if (set === undefined) return undefined;
    this.#sets.delete(gatewayId);
    this.#perRegion.delete(set);
    for (const region of [...set.regions]) this.#endRegion(set, region);
    if (set.group !== undefined) this.#context.groups.letGo(set.group);
    return set;
  }

  /** Makes the exits of the region that is asked for. Whether there are some that are for it alone. */
  prepare(ask: Ask): boolean {
    const region = namedRegion(ask);
    let made = false;
    for (const set of this.#perRegion) {
      const { exits } = set.gateway;
      const wanted = region ?? (set.regions.size === 0 ? exits.namedRegions[0] : undefined);
      if (wanted === undefined || wanted === '') continue;
      if (set.regions.has(wanted)) {
        set.regions.delete(wanted);
        set.regions.add(wanted);
      } else if (exits.spelled(wanted) !== undefined) this.#beginRegion(set, wanted);
      made ||= region !== undefined && set.regions.has(wanted);
    }
    return made;
  }

  /** Whether that exit may serve a request, which may ask for a region. */
  serves({ proxy }: Member, ask: Ask): boolean {
    const region = namedRegion(ask);
    const perRegion = proxy instanceof Exit && proxy.gateway.exits.perRegion;
    return !perRegion || region === undefined || proxy.region === region;
  }

  /** Whether an exit's session has lived for its time. */
  isOver({ proxy, sessionAt }: Member): boolean {
    if (!(proxy instanceof Exit) || sessionAt === undefined) return false;
    const { sessionTtlMs } = proxy.gateway.exits;
    return sessionTtlMs !== undefined && this.#context.now() - sessionAt >= sessionTtlMs;
  }

  /** The exit is about to be used: with a new session, if its time is over and nothing uses it. */
  entering(member: Member): Member {
    if (!(member.proxy instanceof Exit)) return member;
    let current = member;
    if (member.inFlight === 0 && this.isOver(member)) {
      this.renew(member, 'expired');
      current = this.#context.member(member.id) ?? member;
    }
    current.sessionAt ??= this.#context.now();
    return current;
  }

  /** Whether an exit that is to blame gets a new session now. If so, it counts. */
  mayRenew({ proxy, circuit }: Member): boolean {
    if (!(proxy instanceof Exit) || !proxy.gateway.exits.renew) return false;
    if (circuit?.state === 'forced_open') return false;
    return this.#sets.get(proxy.gateway.id)?.renewals.take(this.#context.now()) === true;
  }

  /** Gives the exit a session that was never used before. A circuit that is open closes first. */
  renew(member: Member, reason: ProxyRenewed['reason']): void {
    const state = member.circuit?.state;
    if (state === 'open' || state === 'half_open') {
      this.#reasons.set(member, reason);
      member.breaker?.reset({ reason: 'renewed' });
    } else if (state !== 'forced_open') this.#renew(member, reason);
  }

  /** The circuit of an exit has closed to be renewed. */
  closed(member: Member): void {
    const reason = this.#reasons.get(member) ?? 'circuit';
    this.#reasons.delete(member);
    this.#renew(member, reason);
  }

  #renew({ id, proxy: exit }: Member, reason: ProxyRenewed['reason']): void {
    const { bus, now, replace } = this.#context;
    const member = this.#context.member(id);
    if (!(exit instanceof Exit) || member?.proxy !== exit) return;
    const set = this.#sets.get(exit.gateway.id);
    if (set !== undefined) set.renewed++;
    replace(member, exit.renewed());
    if (bus.has('proxy:renewed')) bus.emit('proxy:renewed', { proxyId: id, reason, at: now() });
    this.sessions.renewed(id, reason);
  }

  /** The group of the gateway is there as long as the gateway is, whether it has exits or not. */
  #hold(set: ExitSet, { proxy, circuits }: GatewayEntry): void {
    const { groups } = this.#context;
    const before = set.group;
    set.group = circuits === undefined ? undefined : proxy.group;
    if (set.group !== undefined) groups.hold(set.group);
    if (before !== undefined) groups.letGo(before);
  }

  #begin(set: ExitSet): void {
    if (set.gateway.exits.perRegion) this.#perRegion.add(set);
    else this.#beginRegion(set, anyRegion);
  }

  #beginRegion(set: ExitSet, region: string): void {
    const { gateway, regions } = set;
    this.#makeRoom(set, mostRegions(gateway.exits.count) - 1);
    regions.add(region);
    for (let i = 1; i <= gateway.exits.count; i++) this.#join(set, region, i);
  }

  /** Ends the regions not asked for longest, until so many are left. */
  #makeRoom(set: ExitSet, most: number): void {
    for (const region of set.regions) {
      if (set.regions.size <= most) return;
      this.#endRegion(set, region);
    }
  }

  #endRegion(set: ExitSet, region: string): void {
    set.regions.delete(region);
    for (let i = 1; i <= set.gateway.exits.count; i++) this.#leave(set.id(region, i));
  }

  #join(set: ExitSet, region: string, number: number): void {
    const { gateway, circuits } = set;
    const own = region === anyRegion ? gateway.region : region;
    const proxy = new Exit(set.source, set.id(region, number), own);
    this.#context.join({ proxy, circuits });
  }

  #leave(id: string): void {
    const member = this.#context.member(id);
    if (member !== undefined) this.#context.leave(member);
    this.sessions.left(id);
  }

  #change(set: ExitSet, { proxy, circuits }: GatewayEntry): void {
    const before = set.gateway;
    if (before.exits.perRegion !== proxy.exits.perRegion) {
      for (const region of [...set.regions]) this.#endRegion(set, region);
      this.#perRegion.delete(set);
      set.source = { gateway: proxy, tokens: this.#tokens };
      set.circuits = circuits;
      this.#begin(set);
      return;
    }
    const { count } = before.exits;
    this.#makeRoom(set, mostRegions(proxy.exits.count));
    for (const region of set.regions) {
      for (let i = proxy.exits.count + 1; i <= count; i++) this.#leave(set.id(region, i));
    }
    set.source = { gateway: proxy, tokens: this.#tokens };
    set.circuits = circuits;
    if (before.exits.renewPerMinute !== proxy.exits.renewPerMinute) {
      set.renewals = new Renewals(proxy.exits.renewPerMinute);
    }
    for (const region of set.regions) {
      for (let i = 1; i <= proxy.exits.count; i++) {
        const member = i <= count ? this.#context.member(set.id(region, i)) : undefined;
        if (member === undefined) this.#join(set, region, i);
        else this.#update(member, set);
      }
    }
  }

  #update(member: Member, { source, circuits }: ExitSet): void {
    const { gateway } = source;
    const exit: Proxy = member.proxy;
    if (!(exit instanceof Exit)) return;
    const region = gateway.exits.perRegion ? exit.region : gateway.region;
    this.#context.update(member, { proxy: exit.under(source, region), circuits });
  }
}
