import { checkOptions, number } from '@whirl/check';
import { around } from '../check/check-strategy.ts';
import { SlotHeap } from '../slots/slot-heap.ts';
import type { Candidates, Index, Strategy } from '../strategy.ts';
import { TieClock } from '../slots/tie-clock.ts';

/** The options of `costAware()`. A bad one is refused with a TypeError or RangeError that names it. */
export interface CostAwareOptions {
  /**
   * A candidate is acceptable while its estimated success is at least this share of the pool's mean.
   * 0 to 1, default 0.8. Relative, so that a poor pool has acceptable candidates too.
   */
  readonly minSuccessRatio?: number | undefined;
}

const kinds = { minSuccessRatio: number(0, 1) };

/** One that is not acceptable is judged again after so long: its evidence has faded by then. */
const judgedAgainMs = 30_000;
/** So many by one pick: after a long silence all are due at once. */
const judgedAtOnce = 8;

/** Acceptable candidates, the cheapest first. */
class Costs implements Index {
  readonly #among: Candidates;
  readonly #minRatio: number;
  readonly #acceptable: SlotHeap;
  /** The others, by the time at which they are judged again. */
  readonly #others: SlotHeap;
  /** How many candidates have the same cost. */
  readonly #counts = new Map<number, number>();
  readonly #has: (slot: number) => boolean;
  readonly #ties: TieClock;

  constructor(among: Candidates, minRatio: number) {
    this.#among = among;
    this.#minRatio = minRatio;
    this.#acceptable = new SlotHeap(among.sparse);
    this.#others = new SlotHeap(among.sparse);
    this.#has = (slot) => among.has(slot);
    this.#ties = new TieClock(() => among.random());
  }

  entered(slot: number): void {
    const cost = this.#among.cost(slot);
    this.#counts.set(cost, (this.#counts.get(cost) ?? 0) + 1);
    this.recorded(slot);
  }

  left(slot: number): void {
    const cost = this.#among.cost(slot);
    const count = this.#counts.get(cost) ?? 0;
    if (count > 1) this.#counts.set(cost, count - 1);
    else this.#counts.delete(cost);
    this.#acceptable.delete(slot);
    this.#others.delete(slot);
  }

  recorded(slot: number): void {
    const among = this.#among;
    if (among.success(slot) >= this.#minRatio * among.meanSuccess) {
      this.#others.delete(slot);
      if (!this.#acceptable.has(slot)) {
        this.#acceptable.set(slot, among.cost(slot), this.#ties.next());
      }
    } else {
      this.#acceptable.delete(slot);
      this.#others.set(slot, among.now + judgedAgainMs);
    }
  }

  /** False for −1, too. */
  isAcceptable(slot: number): boolean {
    return this.#acceptable.has(slot);
  }

  /** The cheapest acceptable one, −1 without any. */
  cheapest(): number {
    for (let i = 0; i < judgedAtOnce && this.#others.topKey <= this.#among.now; i++) {
      this.recorded(this.#others.top);
    }
    return this.#acceptable.find(this.#has);
  }

  /** It is picked: of those of the same cost the next pick is open again. */
  take(slot: number): number {
    this.#ties.take(this.#acceptable.second(slot));
    this.#acceptable.set(slot, this.#acceptable.key(slot), this.#ties.next());
    return slot;
  }

  /** How many candidates cost that. */
  count(cost: number): number {
    return this.#counts.get(cost) ?? 0;
  }
}

/**
 * The cheapest acceptable candidate; an inner strategy decides between those of the same cost, and
 * among all when none is acceptable. O(log n) beside the inner strategy.
 */
export function costAware(inner: Strategy, options: CostAwareOptions = {}): Strategy {
  checkOptions('', options, kinds);
  const { minSuccessRatio = 0.8 } = options;
  const create = (among: Candidates) => new Costs(among, minSuccessRatio);
  const strategy: Strategy = {
    ...around('costAware', inner),
    pick(among, ask) {
      const costs = among.index(strategy, create);
      const cheapest = costs.cheapest();
      if (cheapest < 0) return inner.pick(among, ask);
      const cost = among.cost(cheapest);
      if (costs.count(cost) === 1) return cheapest;
      const equals = among.where(`cost ${cost}`, (slot) => among.cost(slot) === cost);
      const slot = inner.pick(equals, ask);
      return costs.isAcceptable(slot) ? slot : costs.take(cheapest);
    },
  };
  return strategy;
}
