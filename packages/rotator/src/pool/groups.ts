import { CircuitBreaker, consecutiveFailures } from '@whirl/circuit-breaker';
import type { CircuitTransition, WhirlBus } from '@whirl/events';
import type { GatewayOutcome } from '../blame/gateway.ts';
import type { CircuitOptions } from './circuit-options.ts';
import { Exit } from '../proxy/exit.ts';
import { MachineGroup } from './machine-group.ts';
import type { Admission, Group, Member } from './member.ts';

/** Failures of a machine in a row, through any of its proxies, that open the group. */
export const failuresToOpen = 5;

export interface GroupsContext {
  readonly members: ReadonlyMap<string, Member>;
  readonly bus: WhirlBus;
  /** False: nothing is counted, and no group is ever shut. */
  readonly circuits: CircuitOptions | false;
  readonly now: () => number;
  readonly random: () => number;
  /** A group was opened or closed: whether its members may be offered has changed. */
  readonly onChange: (group: Group) => void;
}

/** The groups of a pool, made for their first gateway or member. */
export class Groups {
  readonly #context: GroupsContext;
  readonly #groups = new Map<string, Group>();
  /** Those that are not closed. */
  readonly shut = new Set<Group>();

  constructor(context: GroupsContext) {
    this.#context = context;
  }

  get(name: string): Group | undefined {
    return this.#groups.get(name);
  }

  all(): IterableIterator<Group> {
    return this.#groups.values();
  }

  /** The circuits of groups that may be tested now. */
  *due(now: number): Generator<CircuitBreaker, void, undefined> {
    for (const { breaker } of this.shut) if (breaker.isDue(now)) yield breaker;
  }

  /** The group that a member of that name belongs to. */
  join(member: Member, name: string | undefined): void {
    if (name === undefined) return;
    const group = this.#named(name);
    group.size++;
    member.group = group;
  }

  /** The group of a gateway: what is known of it outlives its exits, which come and go. */
  hold(name: string): void {
    this.#named(name).gateways++;
  }

  /** That gateway has left, or is in another group. */
  letGo(name: string): void {
    const group = this.#groups.get(name);
    if (group === undefined) return;
    group.gateways--;
    this.#forgetUnused(group);
  }

  /** The member's circuit is closed, or counted no more. */
  leave(member: Member): void {
    const { group } = member;
    if (group === undefined) return;
    member.group = undefined;
    group.size--;
    this.#forgetUnused(group);
  }

  #named(name: string): Group {
    let group = this.#groups.get(name);
    if (group === undefined) this.#groups.set(name, (group = this.#make(name)));
    return group;
  }

  #forgetUnused(group: Group): void {
    if (group.size > 0 || group.gateways > 0) return;
    this.#groups.delete(group.name);
    this.shut.delete(group);
  }

  /**
   * What an attempt tells of the machine, even if its exit has a new session by now. True: the failure is the machine's and not the member's, which must not be
   * charged with it. An exit is the machine; of other members, one that fails again after the machine was seen to work
   * fails by itself.
   */
  tell({ member, group, groupTicket: ticket }: Admission, outcome: GatewayOutcome): boolean {
    if (group === undefined || ticket === 0 || !this.#holds(group)) return false;
    const { breaker } = group;
    if (outcome === 'works') {
      group.seenWorking++;
      breaker.succeed(ticket);
      return false;
    }
    if (outcome === 'unknown') {
      breaker.release(ticket);
      return false;
    }
    const { seenWorking } = group;
    const byItself = member.failedWith !== undefined && member.failedWith < seenWorking;
    member.failedWith = seenWorking;
    breaker.fail(ticket);
    return member.proxy instanceof Exit || !byItself;
  }

  /** The attempt was not made. */
  release({ group, groupTicket }: Admission): void {
    if (group !== undefined && this.#holds(group)) group.breaker.release(groupTicket);
  }

  #holds(group: Group): boolean {
    return this.#groups.get(group.name) === group;
  }

  #make(name: string): Group {
    const { circuits, now, random, bus } = this.#context;
    const { openMs, openJitter, openMultiplier, maxOpenMs, probeLeaseMs } = circuits || {};
    const breaker = new CircuitBreaker(
      {
        ...{ name, now, random, openMs, openJitter, openMultiplier, maxOpenMs, probeLeaseMs },
        trip: consecutiveFailures(failuresToOpen),
        bus: {
          has: () => bus.has('group:transition'),
          emit: (type, event) => {
            if (type !== 'circuit:transition') return;
            const { from, to, failureCount, nextTestAt, at } = event as CircuitTransition;
            bus.emit('group:transition', { group: name, from, to, failureCount, nextTestAt, at });
          },
        },
      },
      () => this.#moved(group),
    );
    const group: Group = new MachineGroup(name, breaker, now(), this.#context.members);
    if (circuits === false) breaker.disable();
    return group;
  }

  #moved(group: Group | undefined): void {
    if (group === undefined) return;
    const wasShut = this.shut.has(group);
    const { isShut } = group;
    if (isShut) this.shut.add(group);
    else this.shut.delete(group);
    if (isShut !== wasShut) this.#context.onChange(group);
  }
}
