import { SlotNumbers } from '../slots/slot-numbers.ts';
import { SlotSet } from '../slots/slot-set.ts';
import type { Candidates, Index, Strategy } from '../strategy.ts';

/** A draw is refused with a chance below one half: so many refusals mean that `random` repeats itself. */
const maxDraws = 64;

/** Candidates whose weight is more than half of `bound` and at most `bound`. */
interface WeightClass {
  readonly exponent: number;
  readonly bound: number;
  readonly slots: SlotSet;
}

/**
 * Draws in proportion to weight, in constant time: candidates stand in classes by the power of two
 * that their weight does not exceed. A class is drawn in proportion to its size times that power, then any of its
 * members, which is taken with probability weight ÷ power, more than a half; else all is drawn again.
 * Weight 0 is a class whose share is 0. Nothing is summed up but small counts, so no rounding builds up. A tree of sums was measured too: its
 * path from root to leaf misses the cache a dozen times at 100,000 candidates.
 */
class Weights implements Index {
  readonly #among: Candidates;
  readonly #classes: WeightClass[] = [];
  /** Of all classes: a candidate is in one of them. */
  readonly #positions: SlotNumbers;

  constructor(among: Candidates) {
    this.#among = among;
    this.#positions = new SlotNumbers(among.sparse);
  }

  entered(slot: number): void {
    this.#classOf(this.#among.weight(slot)).slots.add(slot);
  }

  left(slot: number): void {
    this.#classOf(this.#among.weight(slot)).slots.delete(slot);
  }

  hidden(slot: number): void {
    this.left(slot);
  }

  shown(slot: number): void {
    this.entered(slot);
  }

  next(): number {
    const among = this.#among;
    let total = 0;
    for (const { bound, slots } of this.#classes) total += bound * slots.size;
    if (total === 0) return -1;
    let refused = -1;
    for (let draw = 0; draw < maxDraws; draw++) {
      let left = among.random() * total;
      for (const { bound, slots } of this.#classes) {
        const share = bound * slots.size;
        if (left >= share) {
          left -= share;
          continue;
        }
        const slot = slots.at(Math.floor(left / bound));
        if (among.random() * bound < among.weight(slot)) return slot;
        refused = slot;
        break;
      }
    }
    return refused;
  }

  #classOf(weight: number): WeightClass {
    const exponent = Math.ceil(Math.log2(weight));
    for (const each of this.#classes) if (each.exponent === exponent) return each;
    const made = { exponent, bound: 2 ** exponent, slots: new SlotSet(this.#positions) };
    this.#classes.push(made);
    return made;
  }
}

const create = (among: Candidates) => new Weights(among);

/** In proportion to weight; weight 0 never. O(1). */
export function weighted(): Strategy {
  const strategy: Strategy = {
    name: 'weighted',
    pick: (among) => among.index(strategy, create).next(),
  };
  return strategy;
}
