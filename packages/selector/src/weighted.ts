import type { Candidates, Index, Strategy } from './strategy.ts';
import { SumTree } from './sum-tree.ts';

class Weights implements Index {
  readonly #tree: SumTree;
  readonly #among: Candidates;

  constructor(among: Candidates) {
    this.#among = among;
    this.#tree = new SumTree(among.sparse);
  }

  entered(slot: number): void {
    this.#tree.set(slot, this.#among.weight(slot));
  }

  left(slot: number): void {
    this.#tree.delete(slot);
  }

  hidden(slot: number): void {
    this.#tree.set(slot, 0);
  }

  shown(slot: number): void {
    this.entered(slot);
  }

  next(): number {
    return this.#tree.find(this.#among.random());
  }
}

const create = (among: Candidates) => new Weights(among);

/** In proportion to weight; weight 0 never. O(log n). */
export function weighted(): Strategy {
  const strategy: Strategy = {
    name: 'weighted',
    pick: (among) => among.index(strategy, create).next(),
  };
  return strategy;
}
