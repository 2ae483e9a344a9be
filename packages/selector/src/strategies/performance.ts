import { few, searchedEveryMs } from '../candidates/latency-history.ts';
import type { CandidateData } from '../candidates/candidate-data.ts';
import { SlotHeap } from '../slots/slot-heap.ts';
import type { Candidates, Index, Strategy } from '../strategy.ts';
import { TieClock } from '../slots/tie-clock.ts';
import type { CandidateView } from '../candidates/candidate-view.ts';

const successShare = 0.7;
const latencyShare = 0.3;
const regionBonus = 1.1;

/** 0.7 · success rate + 0.3 · (1 − average latency ÷ the pool's largest). */
function scoreOf(pool: CandidateData, slot: number, largestMs: number): number {
  const averageMs = pool.keepLatencies().average(slot);
  const normalised = largestMs > 0 ? averageMs / largestMs : 0;
  return successShare * pool.outcomes.successRate(slot) + latencyShare * (1 - normalised);
}

/** Candidates by score, the highest first. */
class Scores implements Index {
  readonly #pool: CandidateData;
  /** By negative score; equals by their tie clock. */
  readonly #heap: SlotHeap;
  readonly #has: (slot: number) => boolean;
  readonly #ties: TieClock;
  #largestMs: number;
  #normalisedAt: number;

  constructor(among: CandidateView) {
    this.#pool = among.pool;
    this.#heap = new SlotHeap(among.sparse);
    this.#has = (slot) => among.has(slot);
    this.#ties = new TieClock(() => among.random());
    this.#largestMs = this.#pool.keepLatencies().largestMs(this.#pool.now);
    this.#normalisedAt = this.#pool.now;
  }

  entered(slot: number): void {
    this.#heap.set(slot, -scoreOf(this.#pool, slot, this.#largestMs), this.#ties.next());
  }

  left(slot: number): void {
    this.#heap.delete(slot);
  }

  /** No part of the score. */
  changed(): void {}

  recorded(slot: number): void {
    this.#heap.set(slot, -scoreOf(this.#pool, slot, this.#largestMs), this.#heap.second(slot));
  }

  /** The slot with the highest score, −1 without any. */
  best(): number {
    this.#normalise();
    return this.#heap.find(this.#has);
  }

  score(slot: number): number {
    return -this.#heap.key(slot);
  }

  /** It is picked: among equals the next pick is open again. */
  take(slot: number): number {
    this.#ties.take(this.#heap.second(slot));
    this.#heap.set(slot, this.#heap.key(slot), this.#ties.next());
    return slot;
  }

  /** Every score depends on the largest latency: O(n), so at most once a second in a large pool. */
  #normalise(): void {
    const { now } = this.#pool;
    const largestMs = this.#pool.keepLatencies().largestMs(now);
    if (largestMs === this.#largestMs) return;
    if (this.#heap.size > few && Math.abs(now - this.#normalisedAt) < searchedEveryMs) return;
    this.#largestMs = largestMs;
    this.#normalisedAt = now;
    this.#heap.rekey((slot) => -scoreOf(this.#pool, slot, largestMs));
  }
}

const create = (among: Candidates) => new Scores(among as CandidateView);

/**
 * The highest score: 0.7 · success rate (of the last 100 outcomes; 0.5 without any) + 0.3 · (1 −
 * normalised latency: the average over the last 100 successes ÷ the largest such average in the pool;
 * 0 without any). So an unused candidate scores 0.65. A matching region multiplies by 1.1. Ties at
 * random. O(log n). Keeps 400 bytes of latencies per candidate.
 */
export function performance(): Strategy {
  const strategy: Strategy = {
    name: 'performance',
    attach: (among) => void (among as CandidateView).pool.keepLatencies(),
    pick(among, { region }) {
      const scores = among.index(strategy, create);
      const best = scores.best();
      if (region === undefined || best < 0) return best < 0 ? -1 : scores.take(best);
      const near = among.inRegion(region).index(strategy, create);
      const nearest = near.best();
      // Compared before the bonus is capped, or every match above 1 ÷ 1.1 would tie.
      return nearest >= 0 && near.score(nearest) * regionBonus >= scores.score(best)
        ? near.take(nearest)
        : scores.take(best);
    },
    score(among, slot, { region }) {
      const { pool } = among as CandidateView;
      const score = scoreOf(pool, slot, pool.keepLatencies().largestMs(pool.now));
      const near = region !== undefined && among.region(slot) === region;
      return Math.min(1, near ? score * regionBonus : score);
    },
  };
  return strategy;
}
