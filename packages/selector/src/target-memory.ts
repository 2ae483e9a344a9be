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
  /** When the first of them was. Epoch milliseconds. */
  failingSince: number;
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

  failed(target: string, id: string, now: number): void {
    const pair = this.#pair(target, id);
    if (pair.failures++ === 0) pair.failingSince = now;
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

  ban(target: string, id: string, untilMs: number): void {
    const pair = this.#pair(target, id);
    pair.bannedUntil = Math.max(pair.bannedUntil, untilMs);
  }

  /**
   * Whether the candidate is better avoided there. What was learned from failures counts only if it
   * has succeeded elsewhere since they began (one that fails everywhere is for its estimate and its
   * circuit to judge, which also let it back), and only while it concerns at most half of the
   * `poolSize` candidates: else the target is down for everybody.
   */
  avoids(
    target: string,
    id: string,
    { now, lastSuccessAt, poolSize }: { now: number; lastSuccessAt: number; poolSize: number },
  ): boolean {
    const pairs = this.#targets.get(target);
    const pair = pairs?.get(id);
    if (pairs === undefined || pair === undefined) return false;
    if (pair.bannedUntil > now) return true;
    const elsewhere = lastSuccessAt >= pair.failingSince;
    return pair.avoidedUntil > now && elsewhere && pairs.size <= poolSize / 2;
  }

  /** The candidates of which something is remembered for this target. */
  ids(target: string): IterableIterator<string> {
    return (this.#targets.get(target) ?? new Map<string, Pair>()).keys();
  }

  #pair(target: string, id: string): Pair {
    let pairs = this.#targets.get(target) ?? new Map<string, Pair>();
    this.#targets.delete(target);
    this.#targets.set(target, pairs);
    let pair = pairs.get(id);
    if (pair === undefined) {
      pair = { failures: 0, failingSince: 0, avoidedUntil: -Infinity, bannedUntil: -Infinity };
      pairs.set(id, pair);
      this.#pairs++;
      while (this.#pairs > maxPairs) this.#evict();
    } else {
      pairs.delete(id);
      pairs.set(id, pair);
    }
    return pair;
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
