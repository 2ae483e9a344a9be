import type { CandidateData } from '../candidates/candidate-data.ts';
import { PricedSlots } from '../slots/priced-slots.ts';
import { SlotHeap } from '../slots/slot-heap.ts';
import { SlotBytes, SlotNumbers } from '../slots/slot-numbers.ts';
import { SlotSet } from '../slots/slot-set.ts';
import type { Index, SelectContext } from '../strategy.ts';
import type { CandidateView } from '../candidates/candidate-view.ts';

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
 * all candidates out of a poor pool. */
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
/** A warm one that lost so many looks in a row, and was not tried for `coldMs`, has to prove itself again. */
const lostLooks = 30;
/** An attempt in flight for so many times the expected latency counts as a failure already. */
const stalledRatio = 3;
/** Cost is blurred by up to this much: equals differ by chance in what was seen of them, and concurrent
 * picks shall not all see the same best. */
const noise = 0.3;
/** A newcomer takes the place of the costliest of so many warm ones. */
const competitors = 5;
const regionBonus = 1.1;
/** Entries out of date that one look at the waiting ones may mend. */
const maxMended = 8;

/** Where a candidate belongs. */
const nowhere = 0;
const warm = 1;
const untried = 2;
const trial = 3;
const cold = 4;
const places = 7;
/** Offered after a wait, without a failure since: what it failed at before may be forgiven. */
const looked = 8;
/** It was warm when it last became unavailable. */
const wasWarm = 16;

/** Candidates that wait for another look. */
interface Waiting {
  readonly place: typeof trial | typeof cold;
  /** From the last attempt on. Milliseconds. */
  readonly waitMs: number;
  /**
   * By the time of the next look. It follows when an entry comes up, which may be of one that has moved on, or early
   * for one that was tried since: moving entries with every outcome was most of what an outcome cost at 100,000
   * candidates.
   */
  readonly heap: SlotHeap;
}

/**
 * Candidates that have proved themselves, and all else. Almost every pick compares a few of the warm
 * ones; the rest are looked at in small, bounded shares of the traffic. So the cost of a pick and the
 * share of requests spent on learning do not depend on the number of candidates.
 */
export class WarmSet implements Index {
  readonly #among: CandidateView;
  readonly #pool: CandidateData;
  readonly #warm: PricedSlots;
  readonly #untried: SlotSet;
  /** Succeeded lately, not often enough to be warm. */
  readonly #trial: Waiting;
  /** The rest. */
  readonly #cold: Waiting;
  /** For each candidate: the one of the four that it belongs to, `looked` and `wasWarm`. */
  readonly #marks: SlotBytes;
  /** How many looks at a warm candidate in a row chose another. */
  readonly #lost: SlotBytes;
  /** The warm candidates that the pick being made looks at: their positions, then their slots. */
  readonly #seen = new Int32Array(looks);
  readonly #has: (slot: number) => boolean;

  constructor(among: CandidateView) {
    this.#among = among;
    this.#pool = among.pool;
    const positions = new SlotNumbers(among.sparse);
    this.#warm = new PricedSlots(positions);
    this.#untried = new SlotSet(positions);
    const waiting = () => new SlotHeap(among.sparse);
    this.#trial = { place: trial, waitMs: trialMs, heap: waiting() };
    this.#cold = { place: cold, waitMs: coldMs, heap: waiting() };
    this.#marks = new SlotBytes(among.sparse);
    this.#lost = new SlotBytes(among.sparse);
    this.#has = (slot) => among.has(slot);
  }

  entered(slot: number): void {
    const { estimates } = this.#pool;
    const run = estimates.run(slot);
    if ((this.#marks.get(slot) & wasWarm) !== 0 && !this.#isToCool(slot)) {
      this.#warmUp(slot, estimates.costMs(slot, this.#among.now));
    } else if (run > 0) {
      this.#consider(slot);
    } else if (run < 0) {
      this.#wait(slot, this.#cold, estimates.lastTriedAt(slot));
    } else {
      this.#place(slot, untried);
      this.#untried.add(slot);
      this.informed(slot);
    }
  }

  left(slot: number): void {
    const marks = this.#marks.get(slot);
    this.#place(slot, nowhere);
    this.#trial.heap.delete(slot);
    this.#cold.heap.delete(slot);
    this.#marks.set(slot, (marks & looked) | ((marks & places) === warm ? wasWarm : 0));
  }

  removed(slot: number): void {
    this.#marks.set(slot, nowhere);
    this.#lost.set(slot, 0);
  }

  /** A region is looked at by each pick; nothing else of it counts here. */
  changed(): void {}

  /** An untried one that others know to be good has proved itself to them; one that they know to be bad waits. */
  informed(slot: number): void {
    const { estimates, now } = this.#pool;
    if ((this.#marks.get(slot) & places) !== untried) return;
    const told = estimates.told(slot, now);
    if (told === undefined) return;
    if (told >= goodShare) this.#compete(slot);
    else this.#wait(slot, this.#cold);
  }

  recorded(slot: number): void {
    const { estimates } = this.#pool;
    const run = estimates.run(slot);
    const marks = this.#marks.get(slot);
    const isWarm = (marks & places) === warm;
    if (run < 0) {
      this.#marks.set(slot, marks & ~looked);
      if (!isWarm || this.#isToCool(slot)) this.#wait(slot, this.#cold);
    } else if (!isWarm) {
      if (run === recovery) estimates.discount(slot, rememberedShare);
      this.#consider(slot);
    }
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
    if (this.#trial.heap.topKey <= among.now && among.random() < trialShare) {
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
  #due({ heap, place, waitMs }: Waiting): number {
    const { now } = this.#among;
    for (let mended = 0; mended < maxMended; mended++) {
      const slot = heap.find(this.#has);
      if (slot < 0 || heap.key(slot) > now) return -1;
      const dueAt = this.#pool.estimates.lastTriedAt(slot) + waitMs;
      const marks = this.#marks.get(slot);
      if ((marks & places) !== place) {
        heap.delete(slot);
      } else if (dueAt > now) {
        heap.set(slot, dueAt);
      } else {
        heap.set(slot, now + coldMs);
        this.#marks.set(slot, marks | looked);
        return slot;
      }
    }
    return -1;
  }

  #wanted(): number {
    return warmBase + warmShare * this.#among.size;
  }

  #isGood(slot: number): boolean {
    const { estimates, now } = this.#pool;
    return estimates.success(slot, now) >= goodShare * estimates.mean();
  }

  /** Whether a warm one has failed too often in a row. */
  #isToCool(slot: number): boolean {
    const run = this.#pool.estimates.run(slot);
    return run <= -demotion || (run <= -demotionOfPoor && !this.#isGood(slot));
  }

  #warmUp(slot: number, costMs: number): void {
    this.#place(slot, warm);
    this.#warm.add(slot, costMs);
    this.#lost.set(slot, 0);
  }

  /** To the waiting ones. An entry that is there already is early, unless it was offered to a pick. */
  #wait(slot: number, { heap, place, waitMs }: Waiting, triedAt = this.#pool.now): void {
    this.#place(slot, place);
    const dueAt = triedAt + waitMs;
    if (!heap.has(slot) || heap.key(slot) > dueAt) heap.set(slot, dueAt);
  }

  /** Takes it out of the set that it is in. */
  #place(slot: number, to: number): void {
    const marks = this.#marks.get(slot);
    if ((marks & places) === warm) this.#warm.delete(slot);
    else this.#untried.delete(slot);
    this.#marks.set(slot, (marks & ~places) | to);
  }

  /** One outside has succeeded: it becomes warm, or gets another look, or has to wait. */
  #consider(slot: number): void {
    const { estimates } = this.#pool;
    if (!this.#isGood(slot) || estimates.run(slot) < proof) {
      this.#wait(slot, this.#trial);
      return;
    }
    const marks = this.#marks.get(slot);
    if ((marks & looked) !== 0) {
      estimates.forgive(slot);
      this.#marks.set(slot, marks & ~looked);
    }
    this.#compete(slot);
  }

  /** It becomes warm while such are wanted, or else in the place of one that costs more. */
  #compete(slot: number): void {
    const costMs = this.#pool.estimates.costMs(slot, this.#pool.now);
    if (this.#warm.size < this.#wanted()) {
      this.#warmUp(slot, costMs);
      return;
    }
    const position = this.#costliest(costMs);
    if (position < 0) {
      this.#wait(slot, this.#cold);
      return;
    }
    const worst = this.#warm.at(position);
    this.#place(slot, warm);
    this.#warm.replace(position, slot, costMs);
    this.#marks.set(worst, this.#marks.get(worst) & ~places);
    this.#wait(worst, this.#cold);
  }

  /** The position of the costliest of a few warm ones, as last seen; −1 when none costs more than that. */
  #costliest(costMs: number): number {
    let costliest = -1;
    let mostMs = costMs;
    for (let i = 0; i < competitors; i++) {
      const position = Math.floor(this.#among.random() * this.#warm.size);
      const otherMs = this.#warm.price(position);
      if (otherMs > mostMs) {
        costliest = position;
        mostMs = otherMs;
      }
    }
    return costliest;
  }

  #leastCost(ask: SelectContext): number {
    let best = -1;
    let leastMs = Infinity;
    const seen = this.#look();
    for (let i = 0; i < seen; i++) {
      const position = this.#seen[i] as number;
      const slot = this.#warm.at(position);
      const idleMs = this.#idleCostMs(slot);
      this.#warm.setPrice(position, idleMs);
      this.#seen[i] = slot;
      const costMs = this.#costMs(slot, idleMs, ask);
      if (costMs < leastMs) {
        leastMs = costMs;
        best = slot;
      }
    }
    // With few warm ones a look at any keeps the load from resting on them alone.
    const others = seen === 0 ? looks + 1 : this.#warm.size < looks ? 1 : 0;
    for (let i = 0; i < others; i++) {
      const slot = this.#among.any();
      const costMs = this.#costMs(slot, this.#idleCostMs(slot), ask);
      if (costMs < leastMs) {
        leastMs = costMs;
        best = slot;
      }
    }
    if (this.#warm.size < this.#wanted()) this.#judge(seen, best);
    return best;
  }

  /** Notes the positions of the warm ones to look at, each once; returns how many. */
  #look(): number {
    const { size } = this.#warm;
    let count = 0;
    if (size <= looks) {
      for (let position = 0; position < size; position++) count = this.#note(position, count);
      return count;
    }
    for (let draw = 0; draw < 4 * looks && count < looks; draw++) {
      count = this.#note(Math.floor(this.#among.random() * size), count);
    }
    return count;
  }

  /** Notes a position unless it was noted or may not be picked; returns how many there are. */
  #note(position: number, count: number): number {
    const seen = this.#seen;
    for (let i = 0; i < count; i++) if (seen[i] === position) return count;
    if (!this.#among.has(this.#warm.at(position))) return count;
    seen[count] = position;
    return count + 1;
  }

  /**
   * Warm ones that are never chosen would be known by old evidence for as long as it takes to fade. In a full warm set
   * newcomers replace them.
   */
  #judge(seen: number, best: number): void {
    const { estimates, availability, now } = this.#pool;
    for (let i = 0; i < seen; i++) {
      const slot = this.#seen[i] as number;
      const lost = slot === best ? 0 : Math.min(this.#lost.get(slot) + 1, lostLooks);
      this.#lost.set(slot, lost);
      if (lost < lostLooks || availability.inFlight(slot) > 0) continue;
      const triedAt = estimates.lastTriedAt(slot);
      if (now - triedAt >= coldMs) this.#wait(slot, this.#cold, triedAt);
    }
  }

  /** Expected milliseconds to a success of one that is idle. */
  #idleCostMs(slot: number): number {
    const { estimates, availability, now } = this.#pool;
    const stalled =
      availability.inFlight(slot) > 0 &&
      now - availability.busySince(slot) > stalledRatio * estimates.successMs(slot, now);
    return estimates.costMs(slot, now, stalled ? 1 : 0);
  }

  /** The same behind the attempts in flight, blurred, a matching region preferred. */
  #costMs(slot: number, idleMs: number, ask: SelectContext): number {
    const costMs =
      idleMs * (this.#pool.availability.inFlight(slot) + 1) * (1 + noise * this.#among.random());
    const near = ask.region !== undefined && this.#among.region(slot) === ask.region;
    return near ? costMs / regionBonus : costMs;
  }
}
