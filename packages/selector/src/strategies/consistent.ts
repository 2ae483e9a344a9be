import { checkOptions, integer, number, oneOf } from '@whirl/check';
import { around } from '../check/check-strategy.ts';
import type { CandidateView } from '../candidates/candidate-view.ts';
import type { Candidates, Index, Strategy } from '../strategy.ts';
import { MovedSessions } from './moved-sessions.ts';
import { Ring } from './ring.ts';
import { hashOf, keyOf, pointOf } from './session-hash.ts';

/** The options of `consistent()`. A bad one is refused with a TypeError or RangeError that names it. */
export interface ConsistentOptions {
  /**
   * Points of the ring at which a session looks for the nearest candidate. The more, the more evenly sessions are
   * spread: no candidate gets more than its share by much more than 1 ÷ `points`. The same in all processes. An
   * integer from 1 to 1,000, default 21.
   */
  readonly points?: number | undefined;
  /** Moved sessions remembered; beyond it the least recently used goes home. An integer ≥ 1, default 10,000. */
  readonly maxSessions?: number | undefined;
  /** A moved session unused for so many milliseconds goes home. ≥ 1, default 600,000. */
  readonly idleMs?: number | undefined;
  /** What a session gets while its candidate is full, as with `sticky()`. Default `'elsewhere'`. */
  readonly whenFull?: 'elsewhere' | 'queue' | undefined;
}

/** The candidates of a view on a ring: all that it may ever offer, and those that are available. */
class Rings implements Index {
  readonly all: Ring;
  readonly available: Ring;
  readonly #view: CandidateView;

  constructor(view: CandidateView) {
    const { table } = view.pool;
    const idOf = (slot: number) => table.id(slot);
    this.#view = view;
    this.all = new Ring(idOf);
    this.available = new Ring(idOf);
    for (let slot = 0; slot < table.slots; slot++) {
      if (table.holds(slot) && view.accepts(slot)) this.all.add(slot, this.#hash(slot));
    }
  }

  entered(slot: number): void {
    const hash = this.#hash(slot);
    this.all.add(slot, hash);
    this.available.add(slot, hash);
  }

  left(slot: number): void {
    this.available.delete(slot, this.#hash(slot));
  }

  removed(slot: number): void {
    this.all.delete(slot, this.#hash(slot));
  }

  /** What was said of it has changed, and it is still here: its place on the ring is that of its id. */
  changed(): void {}

  #hash(slot: number): number {
    return hashOf(this.#view.pool.table.id(slot), 0);
  }
}

const kinds = {
  points: integer(1, 1000),
  maxSessions: integer(1),
  idleMs: number(1),
  whenFull: oneOf('elsewhere', 'queue'),
};

/**
 * The same candidate for the same `sessionId` in every process that has the same candidates, without a word between
 * them: the one that is nearest on a ring of hashes. A candidate that joins takes over its share of the sessions and
 * one that is removed gives up its own; all others stay. A pick, and each such change, cost the same whatever the size.
 *
 * A session whose candidate cannot be used, because its circuit is open, it is banned, or the target avoids it, moves to
 * the nearest one that can, and stays there when its own is back. What has moved is remembered, and is all that other
 * processes have to be told: see `Selector.sessionMoves`. A retry that excludes its candidate moves nothing. An inner strategy
 * picks for requests without `sessionId`.
 */
export function consistent(inner: Strategy, options: ConsistentOptions = {}): Strategy {
  checkOptions('', options, kinds);
  const { points = 21, maxSessions = 10_000, idleMs = 600_000, whenFull } = options;
  const createMoved = () => new MovedSessions(maxSessions, idleMs);
  const createRings = (view: Candidates) => new Rings(view as CandidateView);
  const memory = {};
  const movedIn = (among: Candidates) => among.all.index(memory, createMoved);

  /** The nearest one that passes; −1 when none does. */
  function nearest(ring: Ring, key: number, passes: (slot: number) => boolean): number {
    let found = -1;
    let foundAway = Infinity;
    for (let i = 0; i < points; i++) {
      const point = pointOf(key, i);
      let place = ring.from(point);
      for (let seen = 0; seen < ring.size; seen++) {
        const away = (ring.hashAt(place) - point) >>> 0;
        if (away >= foundAway) break;
        const slot = ring.slotAt(place);
        if (passes(slot)) {
          found = slot;
          foundAway = away;
          break;
        }
        place = ring.after(place);
      }
      if (found < 0) return -1;
    }
    return found;
  }

  function another(among: CandidateView, { available }: Rings, key: number): number {
    const wanted = nearest(available, key, (slot) => among.has(slot) && !among.avoided(slot));
    return wanted >= 0 ? wanted : nearest(available, key, (slot) => among.has(slot));
  }

  const strategy: Strategy = {
    ...around('consistent', inner),
    pick(candidates, ask) {
      const { sessionId } = ask;
      if (sessionId === undefined) return inner.pick(candidates, ask);
      const among = candidates as CandidateView;
      const { table } = among.pool;
      const key = keyOf(sessionId);
      const sessions = movedIn(among);
      const rings = among.index(strategy, createRings);
      const moved = sessions.use(key, among.now);
      const place = moved === undefined ? -1 : table.slot(moved.id);
      const own = place >= 0 ? place : nearest(rings.all, key, (slot) => among.accepts(slot));
      if (own < 0) return -1;
      const isHere = among.has(own);
      if (isHere && !among.avoided(own)) return own;
      if (!isHere && whenFull === 'queue' && among.accepts(own) && among.full(own)) return -1;
      const other = another(among, rings, key);
      // Excluded from this pick, filtered out of it, or only full: the session keeps what it has.
      const keeps = !isHere && (among.available(own) || among.full(own) || !among.accepts(own));
      if (other < 0 || keeps) return other;
      if (isHere && among.avoided(other)) return own;
      sessions.move(key, table.id(other), among.now);
      return other;
    },
    sessionMoves: (among, max) => movedIn(among).take(max, among.now),
    moveSession(among, { session, id }, at) {
      const key = Number.parseInt(session, 36);
      if (key.toString(36) !== session) return;
      movedIn(among).heard(key, id, at, among.now);
    },
  };
  return strategy;
}
