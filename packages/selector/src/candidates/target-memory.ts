/** Pairs of target and candidate remembered; beyond it those of the least recent target go first. */
const maxPairs = 20_000;
/** Failures in a row at one target that make a candidate be avoided there, for so long after each. */
const failuresToAvoid = 3;
const avoidMs = 60_000;
/** The same for failures of the route, whose time doubles with each further one, up to that. */
const routeFailuresToAvoid = 2;
const maxAvoidMs = 120_000;
/** A circuit is tested at a target that avoids its candidate at most once in so long. */
const testEveryMs = 30_000;

interface Pair {
  readonly target: string;
  /** Failures of the candidate in a row at this target. */
  failures: number;
  /** How often it had succeeded anywhere when the first of them came. */
  successesBefore: number;
  /** Failures of the route in a row: the target, or the way to it, refuses this candidate. */
  routeFailures: number;
  /** When it failed or was banned last. Epoch milliseconds. */
  touchedAt: number;
  /** Avoided because of the candidate's failures. Epoch milliseconds. */
  avoidedUntil: number;
  /** Avoided because of the route's failures. Epoch milliseconds. */
  routeAvoidedUntil: number;
  /** Avoided because a rule said so. Epoch milliseconds. */
  bannedUntil: number;
  /** When its circuit was last tested here although it is avoided. Epoch milliseconds. */
  testedAt: number;
}

/** What decides, beside the memory itself, whether a candidate is avoided. */
export interface Circumstances {
  /** Epoch milliseconds. */
  readonly now: number;
  /** How often the candidate has succeeded anywhere. */
  readonly successes: number;
  /** Candidates in the selector. */
  readonly poolSize: number;
  /** Whether the pick would test the candidate's circuit. */
  readonly tests: boolean;
}

/**
 * Which candidates fail at which targets. Only failures and bans are remembered, a success clears the
 * pair: so what works costs no memory. Candidates are known by id: leaving and coming back clears nothing.
 */
export class TargetMemory {
  /** Pairs by target, then by id, those touched last at the end. */
  readonly #targets = new Map<string, Map<string, Pair>>();
  /** The same pairs by id. */
  readonly #candidates = new Map<string, Set<Pair>>();
  #pairs = 0;

  /** Pairs held, at most 20,000. */
  get size(): number {
    return this.#pairs;
  }

  /** The candidate failed at the target. `successes`: of the candidate anywhere, so far. */
  failed(target: string, id: string, now: number, successes: number): void {
    const pair = this.#pair(target, id, now);
    if (pair.failures++ === 0) pair.successesBefore = successes;
    // The time does not grow: a candidate that has recovered would be kept away for longer than 60 s.
    if (pair.failures >= failuresToAvoid) pair.avoidedUntil = now + avoidMs;
  }

  /** The route through the candidate to the target failed. */
  routeFailed(target: string, id: string, now: number): void {
    const pair = this.#pair(target, id, now);
    const beyond = ++pair.routeFailures - routeFailuresToAvoid;
    if (beyond >= 0) pair.routeAvoidedUntil = now + Math.min(avoidMs * 2 ** beyond, maxAvoidMs);
  }

  /**
   * It works there: forgotten, unless a rule has banned it for longer. Where the route had been avoided, the time
   * left on the candidate's other routes is halved: its exit has probably changed.
   */
  succeeded(target: string, id: string, now: number): void {
    const pairs = this.#targets.get(target);
    const pair = pairs?.get(id);
    if (pairs === undefined || pair === undefined) return;
    const wasAvoided = pair.routeFailures >= routeFailuresToAvoid;
    this.#forgive(pairs, id, pair, now);
    if (!wasAvoided) return;
    for (const other of this.#candidates.get(id) ?? []) {
      if (other.routeAvoidedUntil > now)
        other.routeAvoidedUntil -= (other.routeAvoidedUntil - now) / 2;
    }
  }

  /** Its circuit has closed: what was learned of it is forgotten at every target. Bans stand. */
  recovered(id: string, now: number): void {
    for (const pair of this.#candidates.get(id) ?? []) {
      const pairs = this.#targets.get(pair.target);
      if (pairs !== undefined) this.#forgive(pairs, id, pair, now);
    }
  }

  /** Another one has come under its id: nothing of it is left, bans included. */
  forget(id: string): void {
    for (const pair of [...(this.#candidates.get(id) ?? [])]) {
      const pairs = this.#targets.get(pair.target);
      if (pairs !== undefined) this.#delete(pairs, id, pair);
    }
  }

  ban(target: string, id: string, until: number, now: number): void {
    const pair = this.#pair(target, id, now);
    pair.bannedUntil = Math.max(pair.bannedUntil, until);
  }

  /** A pick tests the circuit of a candidate that may be avoided there. */
  tested(target: string, id: string, now: number): void {
    const pair = this.#targets.get(target)?.get(id);
    if (pair !== undefined) pair.testedAt = now;
  }

  /**
   * Whether the candidate is better avoided there. Bans hold without condition. What was learned does not keep a
   * circuit from being tested. Failures of the route hold by themselves, for they tell this candidate from the
   * others. Failures of the candidate count only if it has succeeded elsewhere since they began (one that
   * fails everywhere is for its estimate and its circuit to judge, which also let it back), and only while at
   * most half of the `poolSize` candidates have lately failed or been banned there: else the target is down.
   */
  avoids(target: string, id: string, { now, successes, poolSize, tests }: Circumstances): boolean {
    const pairs = this.#targets.get(target);
    const pair = pairs?.get(id);
    if (pairs === undefined || pair === undefined) return false;
    if (pair.bannedUntil > now) return true;
    if (tests && now - pair.testedAt >= testEveryMs) return false;
    if (pair.routeAvoidedUntil > now) return true;
    if (pair.avoidedUntil <= now || successes === pair.successesBefore) return false;
    this.#forgetOld(pairs, now);
    return pairs.size <= poolSize / 2;
  }

  /** How many candidates something is remembered of for this target. */
  count(target: string): number {
    return this.#targets.get(target)?.size ?? 0;
  }

  /** Those candidates. */
  ids(target: string): IterableIterator<string> {
    return (this.#targets.get(target) ?? new Map<string, Pair>()).keys();
  }

  /** The bans that hold. */
  *bans(now: number): IterableIterator<{ id: string; target: string; until: number }> {
    for (const [target, pairs] of this.#targets) {
      for (const [id, { bannedUntil: until }] of pairs) {
        if (until > now) yield { id, target, until };
      }
    }
  }

  #pair(target: string, id: string, now: number): Pair {
    let pairs = this.#targets.get(target) ?? new Map<string, Pair>();
    this.#targets.delete(target);
    this.#targets.set(target, pairs);
    let pair = pairs.get(id);
    if (pair === undefined) {
      pair = {
        target,
        failures: 0,
        successesBefore: 0,
        routeFailures: 0,
        touchedAt: now,
        avoidedUntil: -Infinity,
        routeAvoidedUntil: -Infinity,
        bannedUntil: -Infinity,
        testedAt: -Infinity,
      };
      pairs.set(id, pair);
      const own = this.#candidates.get(id);
      if (own === undefined) this.#candidates.set(id, new Set([pair]));
      else own.add(pair);
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

  /** Nothing learned of the pair is left; it stays only for a ban. */
  #forgive(pairs: Map<string, Pair>, id: string, pair: Pair, now: number): void {
    pair.failures = pair.routeFailures = 0;
    pair.avoidedUntil = pair.routeAvoidedUntil = -Infinity;
    if (pair.bannedUntil <= now) this.#delete(pairs, id, pair);
  }

  /**
   * Those that nothing was heard of for the longest time of avoidance: they are no sign of how the
   * target does, and some have left the pool. A ban that still holds stays. Each is met once in that
   * time.
   */
  #forgetOld(pairs: Map<string, Pair>, now: number): void {
    for (const [id, pair] of pairs) {
      if (now - pair.touchedAt < maxAvoidMs) return;
      if (pair.bannedUntil > now) this.#touch(pairs, id, pair, now);
      else this.#delete(pairs, id, pair);
    }
  }

  #evict(): void {
    for (const pairs of this.#targets.values()) {
      for (const [id, pair] of pairs) {
        this.#delete(pairs, id, pair);
        return;
      }
    }
  }

  #delete(pairs: Map<string, Pair>, id: string, pair: Pair): void {
    pairs.delete(id);
    this.#pairs--;
    if (pairs.size === 0) this.#targets.delete(pair.target);
    const own = this.#candidates.get(id);
    own?.delete(pair);
    if (own?.size === 0) this.#candidates.delete(id);
  }
}
