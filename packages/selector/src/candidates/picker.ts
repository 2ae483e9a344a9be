import type { Avoided } from './avoided.ts';
import type { CandidatePool } from './candidate-pool.ts';
import type { SelectContext, Strategy } from '../strategy.ts';
import type { TargetMemory } from './target-memory.ts';

/** Picks that may be refused one by one. */
const maxRefusals = 16;
/** After them all that would be refused are put aside, if they are at most so many; else the last one is taken. */
const maxPutAside = 256;

/** Asks the strategy for a slot that nothing is held against, within one pick of the pool. */
export class Picker {
  /** The one in use. */
  strategy: Strategy;
  readonly #pool: CandidatePool;
  readonly #targets: TargetMemory;
  readonly #avoided: Avoided;
  /** Of the pick that is being made, if something is remembered of it. */
  #target: string | undefined;
  /** Whether the pick that is being made may still find one that nothing is held against. */
  #choosy = false;

  constructor(pool: CandidatePool, targets: TargetMemory, avoided: Avoided, strategy: Strategy) {
    this.#pool = pool;
    this.#targets = targets;
    this.#avoided = avoided;
    this.strategy = strategy;
    pool.avoided = (slot) => this.#avoids(slot);
  }

  /** Withholds those, as far as they are available. */
  exclude(exclude: ReadonlySet<string> | readonly string[]): void {
    for (const id of exclude) {
      const slot = this.#pool.table.slot(id);
      if (slot >= 0) this.#pool.hide(slot);
    }
  }

  /** Asks the strategy until nothing is held against its choice. */
  pick(ask: SelectContext): number {
    const { target } = ask;
    const remembered = target !== undefined && this.#targets.count(target) > 0;
    if (!remembered && this.#avoided.size === 0) return this.#ask(ask);
    this.#target = remembered ? target : undefined;
    this.#choosy = true;
    try {
      const slot = this.#choose(ask);
      const { availability, table, now } = this.#pool;
      if (remembered && slot >= 0 && availability.tests(slot)) {
        this.#targets.tested(target, table.id(slot), now);
      }
      return slot;
    } finally {
      this.#target = undefined;
      this.#choosy = false;
    }
  }

  #choose(ask: SelectContext): number {
    const { hidden } = this.#pool;
    const excluded = hidden.length;
    let slot = this.#ask(ask);
    for (let i = 0; i < maxRefusals && slot >= 0 && this.#avoids(slot); i++) {
      this.#pool.hide(slot);
      slot = this.#ask(ask);
    }
    if (slot >= 0 && this.#avoids(slot) && this.#heldAgainst() <= maxPutAside) {
      this.#putAside();
      slot = this.#ask(ask);
    }
    if (slot >= 0 || hidden.length === excluded) return slot;
    // No other is left: one that is avoided is better than none.
    this.#choosy = false;
    while (hidden.length > excluded) this.#pool.show(hidden[excluded] as number);
    return this.#ask(ask);
  }

  /** Candidates that something may be held against. */
  #heldAgainst(): number {
    return (
      this.#avoided.size + (this.#target === undefined ? 0 : this.#targets.count(this.#target))
    );
  }

  /** Withholds all of them from this pick. */
  #putAside(): void {
    for (const slot of this.#avoided.slots()) if (this.#avoids(slot)) this.#pool.hide(slot);
    if (this.#target === undefined) return;
    for (const id of this.#targets.ids(this.#target)) {
      const slot = this.#pool.table.slot(id);
      if (slot >= 0 && this.#avoids(slot)) this.#pool.hide(slot);
    }
  }

  #avoids(slot: number): boolean {
    if (!this.#choosy) return false;
    if (this.#avoided.has(slot, this.#pool.now)) return true;
    const target = this.#target;
    if (target === undefined) return false;
    const { table, now, outcomes, availability } = this.#pool;
    return this.#targets.avoids(target, table.id(slot), {
      now,
      successes: outcomes.successes(slot),
      poolSize: table.size,
      tests: availability.tests(slot),
    });
  }

  #ask(ask: SelectContext): number {
    const { root, table } = this.#pool;
    const { tags, region, strictRegion, prefer } = ask;
    let among = tags === undefined || tags.length === 0 ? root : root.withTags(tags);
    if (strictRegion === true && region !== undefined) among = among.inRegion(region);
    if (prefer !== undefined) {
      const preferred = table.slot(prefer);
      if (preferred >= 0 && among.has(preferred) && !this.#avoids(preferred)) return preferred;
    }
    const slot = this.strategy.pick(among, ask);
    if (slot < 0 || among.has(slot)) return slot;
    throw new RangeError(
      `strategy "${this.strategy.name}" picked ${slot}, which is not among the candidates`,
    );
  }

  /** All are excluded: the least recently used that the strategy would take at all. */
  reuse(ask: SelectContext): number {
    const pool = this.#pool;
    const { availability } = pool;
    const excluded = pool.hidden.toSorted(
      (a, b) => availability.lastPick(a) - availability.lastPick(b),
    );
    for (const each of excluded) {
      pool.show(each);
      const slot = this.#ask(ask);
      if (slot >= 0) return slot;
      pool.hide(each);
    }
    return -1;
  }
}
