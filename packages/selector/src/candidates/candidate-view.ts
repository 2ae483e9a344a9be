import type { CandidateData } from './candidate-data.ts';
import { SlotNumbers } from '../slots/slot-numbers.ts';
import { SlotSet } from '../slots/slot-set.ts';
import type { Candidates, Index } from '../strategy.ts';

/** A view with less than this share of the pool addresses its members by maps. */
const sparseShare = 1 / 8;

const enter = (view: CandidateView, slot: number) => view.enter(slot);
const leave = (view: CandidateView, slot: number) => view.leave(slot);
const recorded = (view: CandidateView, slot: number) => {
  if (view.has(slot)) view.recorded(slot);
};
const informed = (view: CandidateView, slot: number) => {
  if (view.has(slot)) view.informed(slot);
};

/** Where the views of a pool are kept. */
export interface ViewRegistry {
  /** All available candidates. */
  readonly root: CandidateView;
  /** The number of the pick that is being made. */
  readonly pickNumber: number;
  /** A view takes part in the pick that is being made. */
  touch(view: CandidateView): void;
  /** Keeps a new view up to date from now on. */
  keep(view: CandidateView): void;
  drop(view: CandidateView): void;
  /** Withholds a candidate from the pick that is being made, if it could be picked at all. */
  hide(slot: number): void;
  /** Offers it again before the pick ends. */
  show(slot: number): void;
}

/** Available candidates that pass a filter, as a dense set that follows every change. */
export class CandidateView implements Candidates {
  /** The number of the pick that used it last. */
  usedAt = 0;
  /** Whether structures over it should expect few of many slots. */
  readonly sparse: boolean;
  readonly pool: CandidateData & ViewRegistry;
  readonly #parent: CandidateView | undefined;
  readonly #accepts: ((slot: number) => boolean) | undefined;
  readonly #available: SlotSet;
  readonly #regions = new Map<string, CandidateView>();
  readonly #tags = new Map<string, CandidateView>();
  readonly #tests = new Map<string, CandidateView>();
  readonly #owners = new Map<object, Index>();
  readonly #indices: Index[] = [];
  /** Members that the pick being made must not see. */
  readonly #hidden: number[] = [];

  constructor(
    pool: CandidateData & ViewRegistry,
    parent: CandidateView | undefined,
    accepts?: (slot: number) => boolean,
  ) {
    this.pool = pool;
    this.#parent = parent;
    this.#accepts = accepts;
    const members = parent?.members().filter((slot) => accepts?.(slot) !== false) ?? [];
    this.sparse = parent !== undefined && members.length < pool.table.size * sparseShare;
    this.#available = new SlotSet(new SlotNumbers(this.sparse));
    for (const slot of members) this.#available.add(slot);
  }

  get size(): number {
    return this.#available.size;
  }

  get now(): number {
    return this.pool.now;
  }

  get all(): CandidateView {
    return this.pool.root;
  }

  at(position: number): number {
    return this.#available.at(position);
  }

  any(): number {
    return this.#available.at(Math.floor(this.pool.random() * this.#available.size));
  }

  has(slot: number): boolean {
    return this.#available.has(slot);
  }

  /** Whether a candidate passes its filters, be it available or not. */
  accepts(slot: number): boolean {
    return this.#parent?.accepts(slot) !== false && this.#accepts?.(slot) !== false;
  }

  available(slot: number): boolean {
    const { root } = this.pool;
    return root.#available.has(slot) || root.#hidden.includes(slot);
  }

  full(slot: number): boolean {
    const { availability, now } = this.pool;
    return this.pool.table.holds(slot) && availability.isOnlyFull(slot, now);
  }

  avoided(slot: number): boolean {
    return this.pool.avoided(slot);
  }

  failuresInARow(slot: number): number {
    return this.pool.outcomes.failuresInARow(slot);
  }

  get meanSuccess(): number {
    return this.pool.estimates.mean();
  }

  random(): number {
    return this.pool.random();
  }

  id(slot: number): string {
    return this.pool.table.id(slot);
  }

  region(slot: number): string | undefined {
    return this.pool.table.region(slot);
  }

  tags(slot: number): readonly string[] {
    return this.pool.table.tags(slot);
  }

  weight(slot: number): number {
    return this.pool.table.weight(slot);
  }

  cost(slot: number): number {
    return this.pool.table.cost(slot);
  }

  inFlight(slot: number): number {
    return this.pool.availability.inFlight(slot);
  }

  lastPick(slot: number): number {
    return this.pool.availability.lastPick(slot);
  }

  successRate(slot: number): number {
    return this.pool.outcomes.successRate(slot);
  }

  samples(slot: number): number {
    return this.pool.outcomes.samples(slot);
  }

  avgLatencyMs(slot: number): number | undefined {
    return this.pool.avgLatencyMs(slot);
  }

  success(slot: number): number {
    return this.pool.estimates.success(slot, this.pool.now);
  }

  costMs(slot: number): number {
    return this.pool.estimates.costMs(slot, this.pool.now);
  }

  inRegion(region: string): CandidateView {
    return (
      this.#known(this.#regions, region) ??
      this.#child(this.#regions, region, (slot) => this.pool.table.region(slot) === region)
    );
  }

  withTags(tags: readonly string[]): CandidateView {
    let view: CandidateView = this;
    for (const tag of tags) view = view.#withTag(tag);
    return view;
  }

  where(key: string, accepts: (slot: number) => boolean): CandidateView {
    return this.#known(this.#tests, key) ?? this.#child(this.#tests, key, accepts);
  }

  index<Kind extends object>(owner: object, create: (among: Candidates) => Kind): Kind {
    let index: Index | undefined = this.#owners.get(owner);
    if (index === undefined) {
      index = create(this);
      this.#owners.set(owner, index);
      this.#indices.push(index);
      for (const slot of this.#byLastPick()) index.entered?.(slot);
      for (const slot of this.#hidden) index.hidden?.(slot);
    }
    return index as unknown as Kind;
  }

  /** Forgets what strategies other than the one in use keep here. */
  dropIndices(): void {
    this.#owners.clear();
    this.#indices.length = 0;
  }

  enter(slot: number): void {
    if (this.#accepts?.(slot) === false || !this.#available.add(slot)) return;
    for (const index of this.#indices) index.entered?.(slot);
    this.#passDown(slot, enter);
  }

  leave(slot: number): void {
    if (!this.#available.delete(slot)) return;
    for (const index of this.#indices) index.left?.(slot);
    this.#passDown(slot, leave);
  }

  /** What was said of a candidate is about to change: indices that do not follow let go of it. */
  changing(slot: number): void {
    if (!this.has(slot)) return;
    for (const index of this.#indices) if (index.changed === undefined) index.left?.(slot);
  }

  /** It has changed: it stays, or leaves, or comes. The view's parent knows already. */
  changed(slot: number): void {
    const parent = this.#parent;
    if (parent === undefined || (parent.has(slot) && this.#accepts?.(slot) !== false)) {
      if (!this.has(slot)) {
        if (parent === undefined) return;
        this.#available.add(slot);
        for (const index of this.#indices) index.entered?.(slot);
      } else {
        for (const index of this.#indices) {
          if (index.changed === undefined) index.entered?.(slot);
          else index.changed(slot);
        }
      }
    } else if (this.#available.delete(slot)) {
      for (const index of this.#indices) if (index.changed !== undefined) index.left?.(slot);
    }
  }

  /** An outcome of a member was recorded. */
  recorded(slot: number): void {
    for (const index of this.#indices) index.recorded?.(slot);
    this.#passDown(slot, recorded);
  }

  /** Others have told what a member is like. */
  informed(slot: number): void {
    for (const index of this.#indices) index.informed?.(slot);
    this.#passDown(slot, informed);
  }

  /** Withholds a member from the pick that is being made. */
  hide(slot: number): void {
    if (!this.#available.delete(slot)) return;
    this.#hidden.push(slot);
    for (const index of this.#indices) index.hidden?.(slot);
  }

  /** Offers a hidden member again. */
  show(slot: number): void {
    const at = this.#hidden.indexOf(slot);
    if (at < 0) return;
    this.#hidden.splice(at, 1);
    this.#restore(slot);
  }

  /** Offers all hidden members again. */
  showAll(): void {
    for (const slot of this.#hidden) this.#restore(slot);
    this.#hidden.length = 0;
  }

  /** Those available, hidden ones included. */
  members(): number[] {
    const members = Array.from({ length: this.size }, (_, i) => this.at(i));
    return members.concat(this.#hidden);
  }

  /**
   * The members that were never picked, from any one of them on, then the others, the least recently picked first. So a
   * new filter goes on where the pool stands, and processes that start together do not all begin with the same one.
   */
  #byLastPick(): number[] {
    const { availability } = this.pool;
    const members = this.members();
    const fresh = members.filter((slot) => availability.lastPick(slot) === 0);
    // Rounded, so that a `random` stuck at either end gives the order in which they were added.
    const draw = fresh.length > 1 ? Math.round(this.pool.random() * fresh.length) : 0;
    const start = draw % Math.max(fresh.length, 1);
    const picked = members
      .filter((slot) => availability.lastPick(slot) > 0)
      .sort((a, b) => availability.lastPick(a) - availability.lastPick(b));
    return [...fresh.slice(start), ...fresh.slice(0, start), ...picked];
  }

  /** A candidate was removed from the selector. */
  removed(slot: number): void {
    for (const index of this.#indices) index.removed?.(slot);
  }

  /** Leaves the pool's books, with everything derived from it. */
  forget(): void {
    for (const children of [this.#regions, this.#tags, this.#tests]) {
      for (const child of [...children.values()]) child.forget();
    }
    if (this.#parent !== undefined) this.#parent.#remove(this);
    this.pool.drop(this);
  }

  #remove(child: CandidateView): void {
    for (const children of [this.#regions, this.#tags, this.#tests]) {
      for (const [key, each] of children) if (each === child) children.delete(key);
    }
  }

  /** Tells the views below that may hold the slot, whatever the number of the others. */
  #passDown(slot: number, tell: (view: CandidateView, slot: number) => void): void {
    const { table } = this.pool;
    if (this.#regions.size > 0 && table.hasRegion(slot)) {
      const near = this.#regions.get(this.region(slot) ?? '');
      if (near !== undefined) tell(near, slot);
    }
    if (this.#tags.size > 0 && table.hasTags(slot)) {
      for (const tag of this.tags(slot)) {
        const tagged = this.#tags.get(tag);
        if (tagged !== undefined) tell(tagged, slot);
      }
    }
    if (this.#tests.size > 0) for (const each of this.#tests.values()) tell(each, slot);
  }

  #withTag(tag: string): CandidateView {
    return (
      this.#known(this.#tags, tag) ??
      this.#child(this.#tags, tag, (slot) => this.pool.table.tags(slot).includes(tag))
    );
  }

  #known(children: Map<string, CandidateView>, key: string): CandidateView | undefined {
    const view = children.get(key);
    if (view !== undefined) this.pool.touch(view);
    return view;
  }

  #child(
    children: Map<string, CandidateView>,
    key: string,
    accepts: (slot: number) => boolean,
  ): CandidateView {
    const view = new CandidateView(this.pool, this, accepts);
    children.set(key, view);
    this.pool.touch(view);
    this.pool.keep(view);
    return view;
  }

  #restore(slot: number): void {
    this.#available.add(slot);
    for (const index of this.#indices) index.shown?.(slot);
  }
}
