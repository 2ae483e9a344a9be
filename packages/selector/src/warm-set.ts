import type { Pool } from './pool.ts';
import { SlotHeap } from './slot-heap.ts';
import { SlotSet } from './slot-set.ts';
import type { Index, SelectContext } from './strategy.ts';
import type { View } from './view.ts';

/** The warm set holds 50 and 4 % of the candidates. */
const warmBase = 50;
const warmShare = 0.04;
/** Successes in a row that let a candidate in. The second look is taken 1 s after the first. */
const proof = 2;
const trialMs = 1000;
/** Share of the picks that second looks may take. */
const trialShare = 0.1;
/** Failures in a row that put a warm one out, and one that is no longer good; a timeout counts as two. */
const demotion = 3;
const demotionOfPoor = 2;
/** A candidate is good from this share of the pool's mean success on. An absolute bound would shut
 * everybody out of a poor pool. */
const goodShare = 0.95;
/** One that failed is looked at again after so long, ... */
const coldMs = 30_000;
/** ... within this share of the picks while warm ones are wanted, and this one while they are not. */
const coldShare = 0.015;
const coldShareWhenFull = 0.004;
/** Share of the picks for untried candidates: at least the first, up to the second when none is warm. */
const untriedShare = 0.01;
const untriedShareWhenEmpty = 0.08;
/** Successes in a row after which a candidate that had failed counts as changed, and what then remains
 * of its past. */
const recovery = 3;
const rememberedShare = 0.25;
const looks = 3;
/** An attempt in flight for so many times the expected latency counts as a failure already. */
const stalledRatio = 3;
/** Cost is blurred by up to this much: equals differ by chance in what was seen of them, and concurrent
 * picks shall not all see the same best. */
const noise = 0.3;
/** A newcomer takes the place of the costliest of so many warm ones. */
const competitors = 5;
const regionBonus = 1.1;

/**
 * Candidates that have proved themselves, and all else. Almost every pick compares a few of the warm
 * ones; the rest are looked at in small, bounded shares of the traffic. So the cost of a pick and the
 * share of requests spent on learning do not depend on the number of candidates.
 */
export class WarmSet implements Index {
  readonly #among: View;
  readonly #pool: Pool;
  readonly #warm: SlotSet;
  readonly #untried: SlotSet;
  /** Succeeded lately, not often enough to be warm; by the time of their next look. */
  readonly #trial: SlotHeap;
  /** The rest, by the time from which on they are worth another look. */
  readonly #cold: SlotHeap;
  readonly #has: (slot: number) => boolean;

  constructor(among: View) {
    this.#among = among;
    this.#pool = among.pool;
    this.#warm = new SlotSet(among.sparse);
    this.#untried = new SlotSet(among.sparse);
    this.#trial = new SlotHeap(among.sparse);
    this.#cold = new SlotHeap(among.sparse);
    this.#has = (slot) => among.has(slot);
  }

  entered(slot: number): void {
    const { estimates } = this.#pool;
    const triedAt = estimates.lastTriedAt(slot);
    if (triedAt === -Infinity) this.#untried.add(slot);
    else if (estimates.run(slot) > 0) this.#consider(slot);
    else this.#cold.set(slot, triedAt + coldMs);
  }

  left(slot: number): void {
    this.#warm.delete(slot);
    this.#untried.delete(slot);
    this.#trial.delete(slot);
    this.#cold.delete(slot);
  }

  recorded(slot: number): void {
    const { estimates } = this.#pool;
    const run = estimates.run(slot);
    if (this.#warm.has(slot)) {
      if (run <= -demotion || (run <= -demotionOfPoor && !this.#isGood(slot))) this.#cool(slot);
    } else if (run > 0) {
      if (run === recovery) estimates.discount(slot, rememberedShare);
      this.#consider(slot);
    } else this.#cool(slot);
  }

  /** A slot, −1 when there is no candidate. */
  pick(ask: SelectContext): number {
    if (this.#among.size === 0) return -1;
    if (this.#warm.size > 0) {
      const explored = this.#explore();
      if (explored >= 0) return explored;
    }
    return this.#leastCost(ask);
  }

  /** A candidate from outside, in its share of the picks; else −1. */
  #explore(): number {
    const among = this.#among;
    if (this.#trial.topKey <= among.now && among.random() < trialShare) {
      const slot = this.#due(this.#trial);
      if (slot >= 0) return slot;
    }
    const wanted = this.#wanted();
    const draw = among.random();
    const toCold = this.#warm.size < wanted ? coldShare : coldShareWhenFull;
    if (draw < toCold) return this.#due(this.#cold);
    const missing = 1 - this.#warm.size / wanted;
    if (draw < toCold + Math.max(untriedShare, untriedShareWhenEmpty * missing)) {
      const slot = this.#untried.at(Math.floor(among.random() * this.#untried.size));
      if (among.has(slot)) return slot;
    }
    return -1;
  }

  /** The one that has waited longest, if it is due; it is not offered again before its verdict. */
  #due(waiting: SlotHeap): number {
    const { now } = this.#among;
    if (waiting.topKey > now) return -1;
    const slot = waiting.find(this.#has);
    if (slot < 0 || waiting.key(slot) > now) return -1;
    waiting.set(slot, now + coldMs);
    return slot;
  }

  #wanted(): number {
    return warmBase + warmShare * this.#among.size;
  }

  #isGood(slot: number): boolean {
    const { estimates, now } = this.#pool;
    return estimates.success(slot, now) >= goodShare * estimates.mean();
  }

  #cool(slot: number): void {
    this.left(slot);
    this.#cold.set(slot, this.#pool.now + coldMs);
  }

  /** One outside has succeeded: it becomes warm, or gets another look, or has to wait. */
  #consider(slot: number): void {
    const { estimates, now } = this.#pool;
    if (!this.#isGood(slot) || estimates.run(slot) < proof) {
      this.left(slot);
      this.#trial.set(slot, now + trialMs);
      return;
    }
    if (this.#warm.size >= this.#wanted()) {
      const worst = this.#costliest(estimates.costMs(slot, now));
      this.#cool(worst < 0 ? slot : worst);
      if (worst < 0) return;
    }
    this.left(slot);
    this.#warm.add(slot);
  }

  /** The costliest of a few warm ones, −1 when none costs more than that. */
  #costliest(costMs: number): number {
    const { estimates, now } = this.#pool;
    let costliest = -1;
    let mostMs = costMs;
    for (let i = 0; i < competitors; i++) {
      const other = this.#warm.at(Math.floor(this.#among.random() * this.#warm.size));
      const otherMs = estimates.costMs(other, now);
      if (otherMs > mostMs) {
        costliest = other;
        mostMs = otherMs;
      }
    }
    return costliest;
  }

  #leastCost(ask: SelectContext): number {
    let best = -1;
    let leastMs = Infinity;
    // With few warm ones a look at any keeps the load from resting on them alone.
    const total = this.#warm.size < looks ? looks + 1 : looks;
    for (let look = 0; look < total; look++) {
      const slot = look < looks ? this.#anyWarm() : this.#among.any();
      const costMs = this.#costMs(slot, ask);
      if (costMs < leastMs) {
        leastMs = costMs;
        best = slot;
      }
    }
    return best;
  }

  /** A warm one that may be picked; any candidate when a few draws find none. */
  #anyWarm(): number {
    for (let draw = 0; draw < 2 * looks && this.#warm.size > 0; draw++) {
      const slot = this.#warm.at(Math.floor(this.#among.random() * this.#warm.size));
      if (this.#among.has(slot)) return slot;
    }
    return this.#among.any();
  }

  /** Expected milliseconds to a success behind the attempts in flight. */
  #costMs(slot: number, ask: SelectContext): number {
    const { estimates, availability, now } = this.#pool;
    const inFlight = availability.inFlight(slot);
    const stalled =
      inFlight > 0 &&
      now - availability.busySince(slot) > stalledRatio * estimates.successMs(slot, now);
    const costMs =
      estimates.costMs(slot, now, stalled ? 1 : 0) *
      (inFlight + 1) *
      (1 + noise * this.#among.random());
    const near = ask.region !== undefined && this.#among.region(slot) === ask.region;
    return near ? costMs / regionBonus : costMs;
  }
}
