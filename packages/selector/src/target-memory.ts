/** Pairs of target and candidate remembered; beyond it those of the least recent target go first. */
const maxPairs = 20_000;
/** Failures in a row at one target that make a candidate be avoided there, ... */
const failuresToAvoid = 3;
/** ... for this long at first, doubled with each further failure, up to that. */
const avoidMs = 60_000;
const maxAvoidMs = 600_000;

interface Pair {
  /** Failures in a row at this target. */
  failures: number;
  /** How often it had succeeded anywhere when the first of them came. */
  successesBefore: number;
  /** When it failed or was banned last. Epoch milliseconds. */
  touchedAt: number;
  /** Avoided because of them. Epoch milliseconds. */
  avoidedUntil: number;
  /** Avoided because a rule said so. Epoch milliseconds. */
  bannedUntil: number;
}

/**
 * Which candidates fail at which targets. Only failures and bans are remembered, a success clears the
 * pair: so what works costs no memory. Candidates are known by id: one that leaves and comes back is
 * not forgiven by that.
 */
export class TargetMemory {
  readonly #targets = new Map<string, Map<string, Pair>>();
  #pairs = 0;

  /** Pairs held, at most 20,000. */
  get size(): number {
    return this.#pairs;
  }

  /** `successes`: of the candidate anywhere, so far. */
  failed(target: string, id: string, now: number, successes: number): void {
    const pair = this.#pair(target, id, now);
    if (pair.failures++ === 0) pair.successesBefore = successes;
    const beyond = pair.failures - failuresToAvoid;
    if (beyond >= 0) pair.avoidedUntil = now + Math.min(avoidMs * 2 ** beyond, maxAvoidMs);
  }

  /** It works there: forgotten, unless a rule has banned it for longer. */
  succeeded(target: string, id: string, now: number): void {
    const pairs = this.#targets.get(target);
    const pair = pairs?.get(id);
    if (pairs === undefined || pair === undefined) return;
    pair.failures = 0;
    pair.avoidedUntil = -Infinity;
    if (pair.bannedUntil <= now) this.#delete(target, pairs, id);
  }

  ban(target: string, id: string, untilMs: number, now: number): void {
    const pair = this.#pair(target, id, now);
    pair.bannedUntil = Math.max(pair.bannedUntil, untilMs);
  }

  /**
   * Whether the candidate is better avoided there. What was learned from failures counts only if it
   * has succeeded elsewhere since they began (one that fails everywhere is for its estimate and its
   * circuit to judge, which also let it back), and only while at most half of the `poolSize`
   * candidates have lately failed or been banned there: else the target is down for everybody.
   */
  avoids(
    target: string,
    id: string,
    { now, successes, poolSize }: { now: number; successes: number; poolSize: number },
  ): boolean {
    const pairs = this.#targets.get(target);
    const pair = pairs?.get(id);
    if (pairs === undefined || pair === undefined) return false;
    if (pair.bannedUntil > now) return true;
    if (pair.avoidedUntil <= now || successes === pair.successesBefore) return false;
    this.#forgetOld(target, pairs, now);
    return pairs.size <= poolSize / 2;
  }

  /** The candidates of which something is remembered for this target. */
  ids(target: string): IterableIterator<string> {
    return (this.#targets.get(target) ?? new Map<string, Pair>()).keys();
  }

  #pair(target: string, id: string, now: number): Pair {
    let pairs = this.#targets.get(target) ?? new Map<string, Pair>();
    this.#targets.delete(target);
    this.#targets.set(target, pairs);
    let pair = pairs.get(id);
    if (pair === undefined) {
      pair = {
        failures: 0,
        successesBefore: 0,
        touchedAt: now,
        avoidedUntil: -Infinity,
        bannedUntil: -Infinity,
      };
      pairs.set(id, pair);
      this.#pairs++;
      while (this.#pairs > maxPairs) this.#evict();
    } else {
      this.#touch(pairs, id, pair, now);
    }
    return pair;
  }

  #touch(pairs: Map<string, Pair>, id: string, pair: Pair, now: number): void {
    pair.touchedAt = now;
    pairs.delete(id);
    pairs.set(id, pair);
  }

  /**
   * Those that nothing was heard of for the longest time of avoidance: they are no sign of how the
   * target does, and some have left the pool. A ban that still holds stays. Each is met once in that
   * time.
   */
  #forgetOld(target: string, pairs: Map<string, Pair>, now: number): void {
    for (const [id, pair] of pairs) {
      if (now - pair.touchedAt < maxAvoidMs) return;
      if (pair.bannedUntil > now) this.#touch(pairs, id, pair, now);
      else this.#delete(target, pairs, id);
    }
  }

  #evict(): void {
    for (const [target, pairs] of this.#targets) {
      for (const id of pairs.keys()) {
        this.#delete(target, pairs, id);
        return;
      }
    }
  }

  #delete(target: string, pairs: Map<string, Pair>, id: string): void {
    if (!pairs.delete(id)) return;
    this.#pairs--;
    if (pairs.size === 0) this.#targets.delete(target);
  }
}
