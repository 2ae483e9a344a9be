import { checkOptions, integer, number, oneOf } from '@whirl/check';
import { around } from '../check/check-strategy.ts';
import type { Candidates, SelectContext, Strategy } from '../strategy.ts';
import type { CandidateView } from '../candidates/candidate-view.ts';

/** Failures in a row of its candidate after which a session moves. */
const failuresToMove = 2;

/** The options of `sticky()`. A bad one is refused with a TypeError or RangeError that names it. */
export interface StickyOptions {
  /** Sessions remembered; beyond it the least recently used is forgotten. An integer ≥ 1, default 10,000. */
  readonly maxSessions?: number | undefined;
  /** A session unused for so many milliseconds is forgotten. ≥ 1, default 600,000. */
  readonly idleMs?: number | undefined;
  /**
   * What a session gets while its candidate has `maxConcurrent` attempts in flight: `'elsewhere'` picks another
   * for this request, `'queue'` picks none, so that the caller can wait. The session keeps its candidate either way.
   * Default `'elsewhere'`.
   */
  readonly whenFull?: 'elsewhere' | 'queue' | undefined;
}

const kinds = {
  maxSessions: integer(1),
  idleMs: number(1),
  whenFull: oneOf('elsewhere', 'queue'),
};

interface Session {
  slot: number;
  id: string;
  usedAt: number;
  /** Successes and failures in a row of the candidate when the session got it. */
  successes: number;
  failures: number;
  /** The number of the pick in which it got it. */
  assignedIn: number;
  /** The slot that it left in that pick because its target avoids it, else −1. */
  left: number;
}

/** Sessions in order of their last use. */
class Sessions {
  readonly #byId = new Map<string, Session>();
  readonly #max: number;
  readonly #idleMs: number;

  constructor(max: number, idleMs: number) {
    this.#max = max;
    this.#idleMs = idleMs;
  }

  /** The session, used now; undefined when there is none or it has expired. */
  use(sessionId: string, now: number): Session | undefined {
    for (const [id, { usedAt }] of this.#byId) {
      if (now - usedAt < this.#idleMs) break;
      this.#byId.delete(id);
    }
    const session = this.#byId.get(sessionId);
    if (session === undefined) return undefined;
    session.usedAt = now;
    this.#byId.delete(sessionId);
    this.#byId.set(sessionId, session);
    return session;
  }

  add(sessionId: string, session: Session): void {
    this.#byId.set(sessionId, session);
    if (this.#byId.size <= this.#max) return;
    for (const oldest of this.#byId.keys()) {
      this.#byId.delete(oldest);
      break;
    }
  }
}

/** Gives the session that candidate, unless it is −1. */
function assign(session: Session, slot: number, { pool }: CandidateView, left = -1): number {
  if (slot < 0) return slot;
  session.slot = slot;
  session.id = pool.table.id(slot);
  session.successes = pool.outcomes.successes(slot);
  session.failures = pool.outcomes.failuresInARow(slot);
  session.assignedIn = pool.pickNumber;
  session.left = left;
  return slot;
}

/** Whether its candidate has failed twice in a row since the session got it. */
function hasFailed(
  { slot, successes, failures }: Session,
  { pool: { outcomes } }: CandidateView,
): boolean {
  const before = outcomes.successes(slot) === successes ? failures : 0;
  return outcomes.failuresInARow(slot) - before >= failuresToMove;
}

/** Another candidate than the session's, or its own where there is no other. */
function another(
  session: Session,
  inner: Strategy,
  among: CandidateView,
  ask: SelectContext,
): number {
  const { slot } = session;
  among.pool.hide(slot);
  const other = inner.pick(among, ask);
  among.pool.show(slot);
  return other < 0 ? slot : assign(session, other, among);
}

/**
 * The same candidate for the same `sessionId` while it is available; an inner strategy picks it first,
 * and a new one when it is gone, when the target of the pick avoids it, or after two failures in a row that it
 * or its route is to blame for. A retry that excludes it goes elsewhere without moving the session.
 */
export function sticky(inner: Strategy, options: StickyOptions = {}): Strategy {
  checkOptions('', options, kinds);
  const { maxSessions = 10_000, idleMs = 600_000, whenFull } = options;
  const create = () => new Sessions(maxSessions, idleMs);
  const passes = (among: Candidates, slot: number, { tags = [] }: SelectContext) =>
    tags.every((tag) => among.tags(slot).includes(tag));

  function keep(session: Session, among: CandidateView, ask: SelectContext): number {
    const { slot, left } = session;
    if (session.assignedIn === among.pool.pickNumber) {
      // The selector refused what the session was given in this pick, or all that is left is avoided.
      const back = among.has(left) && !among.avoided(left);
      return assign(session, back ? left : inner.pick(among, ask), among, left);
    }
    if (among.has(slot)) {
      if (hasFailed(session, among)) return another(session, inner, among, ask);
      if (!among.avoided(slot)) return slot;
      return assign(session, inner.pick(among, ask), among, slot);
    }
    if (among.available(slot) && !among.all.has(slot)) return inner.pick(among, ask);
    if (among.full(slot) && passes(among, slot, ask)) {
      return whenFull === 'queue' ? -1 : inner.pick(among, ask);
    }
    return assign(session, inner.pick(among, ask), among);
  }

  const strategy: Strategy = {
    ...around('sticky', inner),
    pick(candidates, ask) {
      const { sessionId } = ask;
      if (sessionId === undefined) return inner.pick(candidates, ask);
      const among = candidates as CandidateView;
      const sessions = among.all.index(strategy, create);
      const session = sessions.use(sessionId, among.now);
      if (session !== undefined && among.pool.table.isAt(session.slot, session.id)) {
        return keep(session, among, ask);
      }
      const slot = inner.pick(among, ask);
      if (slot < 0) return slot;
      const made = { usedAt: among.now } as Session;
      sessions.add(sessionId, made);
      return assign(made, slot, among);
    },
  };
  return strategy;
}
