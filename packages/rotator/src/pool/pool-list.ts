import type { AccessRules } from '../access-rules.ts';
import { Exit, isGateway } from '../proxy/exit.ts';
import type { Proxy } from '../proxy/proxy.ts';
import { allSteps, type Steps } from '../steps.ts';
import type { Circuits } from './circuits.ts';
import type { Exits, GatewayEntry } from './exits.ts';
import type { Member } from './member.ts';
import { checkAccess, checkIds, entriesOf, type Entry, type PoolEntry } from './pool-entry.ts';

interface PoolListContext {
  readonly members: ReadonlyMap<string, Member>;
  readonly circuits: Circuits;
  readonly exits: Exits;
  /** Undefined: every proxy may join. */
  readonly access: AccessRules | undefined;
  readonly join: (entry: Entry) => void;
  readonly leave: (member: Member) => void;
  /** Another proxy, or circuit, for a member that stays. */
  readonly renew: (member: Member, entry: Entry) => void;
  readonly announce: (type: 'proxy:added' | 'proxy:removed', proxy: Proxy) => void;
}

/** Members that `setting` changes at once when all are no more. */
const maxAtOnce = 1000;

/** Members that `setting` looks at in one step. */
const membersPerStep = 100;

/** The pool as the list of what was given, and how another list takes its place. */
export class PoolList {
  readonly #context: PoolListContext;
  readonly #members: ReadonlyMap<string, Member>;
  readonly #circuits: Circuits;
  readonly #exits: Exits;
  /** How often the whole pool was replaced. */
  #replaced = 0;

  constructor(context: PoolListContext) {
    const { members, circuits, exits } = context;
    this.#context = context;
    this.#members = members;
    this.#circuits = circuits;
    this.#exits = exits;
  }

  /** As they were given: a gateway is one, whatever its exits. */
  get size(): number {
    return this.#members.size - this.#exits.count + this.#exits.size;
  }

  /** The ids of what was given, a gateway at the place of its first exit. */
  ids(): IterableIterator<string> {
    return this.#exits.size === 0 ? this.#members.keys() : this.#idsOfAll();
  }

  *#idsOfAll(): Generator<string, void, undefined> {
    const told = new Set<string>();
    for (const { proxy } of this.#members.values()) {
      const { id } = proxy instanceof Exit ? proxy.gateway : proxy;
      if (!told.has(id)) yield id;
      if (proxy instanceof Exit) told.add(id);
    }
    for (const id of this.#exits.ids()) if (!told.has(id)) yield id;
  }

  /**
   * Swaps the whole pool: half of it is never seen. A kept id keeps what is known of it, whatever else
   * changes. With `owned` proxies of other ids stay. Throws before anything changes.
   */
  set(entries: readonly PoolEntry[] | string, owned?: ReadonlySet<string>): void {
    const wanted = allSteps(entriesOf(entries, this.#circuits));
    allSteps(checkAccess(wanted, this.#context.access));
    this.#setAtOnce(wanted, owned);
  }

  #setAtOnce(wanted: readonly Entry[], owned?: ReadonlySet<string>): void {
    const ids = new Set(this.#holdsNone ? [] : wanted.map(({ proxy }) => proxy.id));
    const leaves = (id: string) => !ids.has(id) && owned?.has(id) !== false;
    this.#checkIds(wanted, owned);
    if (owned === undefined) this.#replaced++;
    const gone = this.ordinary().filter(({ id }) => leaves(id));
    this.#swap(gone, wanted, [...this.#exits.ids()].filter(leaves));
  }

  /**
   * `set` in steps, for long lists: members join or change, then others leave; short ones take one. Throws
   * before anything changes. Ends early when the whole pool is replaced between two steps, which would undo the rest.
   */
  *setting(entries: readonly PoolEntry[] | string, owned?: ReadonlySet<string>): Steps<void> {
    const wanted = yield* entriesOf(entries, this.#circuits);
    yield* checkAccess(wanted, this.#context.access);
    if (wanted.length + this.#members.size <= maxAtOnce) {
      this.#setAtOnce(wanted, owned);
      return;
    }
    this.#checkIds(wanted, owned);
    if (owned === undefined) this.#replaced++;
    const replaced = this.#replaced;
    const present = this.ordinary();
    const ids = new Set(wanted.map(({ proxy }) => proxy.id));
    const ended = [...this.#exits.ids()].filter((id) => !ids.has(id) && owned?.has(id) !== false);
    for (let i = 0; i < wanted.length; i += membersPerStep) {
      const part = wanted.slice(i, i + membersPerStep);
      this.#swap([], part);
      yield;
      if (this.#replaced !== replaced) return;
    }
    for (let i = 0; i < present.length; i += membersPerStep) {
      const gone = present
        .slice(i, i + membersPerStep)
        .filter(
          (each) =>
            !ids.has(each.id) &&
            owned?.has(each.id) !== false &&
            this.#members.get(each.id) === each,
        );
      this.#swap(gone, []);
      yield;
      if (this.#replaced !== replaced) return;
    }
    this.#swap([], [], ended);
  }

  #swap(gone: readonly Member[], wanted: readonly Entry[], ended: readonly string[] = []): void {
    const fresh: Proxy[] = [];
    const left: Proxy[] = gone.map(({ proxy }) => proxy);
    this.#circuits.during(() => {
      for (const member of gone) this.#context.leave(member);
      for (const id of ended) {
        const set = this.#exits.delete(id);
        if (set !== undefined) left.push(set.gateway);
      }
      for (const entry of wanted) {
        if (isGatewayEntry(entry)) {
          this.#setGateway(entry, left, fresh);
          continue;
        }
        const member = this.#members.get(entry.proxy.id);
        if (member !== undefined) {
          this.#context.renew(member, entry);
          continue;
        }
        const set = this.#exits.delete(entry.proxy.id);
        if (set !== undefined) left.push(set.gateway);
        this.#context.join(entry);
        fresh.push(entry.proxy);
      }
    });
    for (const proxy of left) this.#context.announce('proxy:removed', proxy);
    for (const proxy of fresh) this.#context.announce('proxy:added', proxy);
  }

  /** Its id may have been a member's so far. */
  #setGateway(entry: GatewayEntry, left: Proxy[], fresh: Proxy[]): void {
    const { id } = entry.proxy;
    const member = this.#members.get(id);
    if (member !== undefined) {
      this.#context.leave(member);
      left.push(member.proxy);
    }
    if (this.#exits.get(id) === undefined) fresh.push(entry.proxy);
    this.#exits.set(entry);
  }

  /** Members that are no exits. */
  ordinary(): Member[] {
    const all = [...this.#members.values()];
    return this.#exits.size === 0 ? all : all.filter(({ proxy }) => !(proxy instanceof Exit));
  }

  get #holdsNone(): boolean {
    return this.#members.size === 0 && this.#exits.size === 0;
  }

  /** Throws an `InvalidProxyError` for an id that an exit would have. */
  #checkIds(wanted: readonly Entry[], owned: ReadonlySet<string> | undefined): void {
    if (owned === undefined) {
      checkIds(wanted, [], []);
      return;
    }
    const stays = (id: string) => !owned.has(id);
    const members = this.ordinary().filter(({ id }) => stays(id));
    checkIds(wanted, members, [...this.#exits.ids()].filter(stays));
  }
}

function isGatewayEntry(entry: Entry): entry is GatewayEntry {
  return isGateway(entry.proxy);
}
