import { around } from './check-strategy.ts';
import type { Candidates, Strategy } from './strategy.ts';
import { checkCount, checkNames, checkNumber } from './validate.ts';

export interface StickyOptions {
  /** Sessions remembered; beyond it the least recently used is forgotten. Default 10,000, ≥ 1. */
  readonly maxSessions?: number | undefined;
  /** A session unused for so many milliseconds is forgotten. Default 600,000, ≥ 1. */
  readonly idleMs?: number | undefined;
}

interface Session {
  slot: number;
  id: string;
  usedAt: number;
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

/**
 * The same candidate for the same `sessionId` while it is available; an inner strategy picks it first,
 * and a new one when it is gone. A retry that excludes it goes elsewhere without moving the session.
 */
export function sticky(inner: Strategy, options: StickyOptions = {}): Strategy {
  checkNames('the options of sticky()', options, 'maxSessions idleMs');
  const { maxSessions = 10_000, idleMs = 600_000 } = options;
  checkCount('maxSessions', maxSessions);
  checkNumber('idleMs', idleMs, 1);
  const create = () => new Sessions(maxSessions, idleMs);
  const isHidden = (among: Candidates, { slot, id }: Session) =>
    !among.all.has(slot) && among.available(slot) && among.id(slot) === id;
  const strategy: Strategy = {
    ...around('sticky', inner),
    pick(among, ask) {
      const { sessionId } = ask;
      if (sessionId === undefined) return inner.pick(among, ask);
      const sessions = among.all.index(strategy, create);
      const session = sessions.use(sessionId, among.now);
      if (
        session !== undefined &&
        among.has(session.slot) &&
        among.id(session.slot) === session.id
      ) {
        return session.slot;
      }
      const slot = inner.pick(among, ask);
      if (slot < 0 || (session !== undefined && isHidden(among, session))) return slot;
      if (session === undefined) {
        sessions.add(sessionId, { slot, id: among.id(slot), usedAt: among.now });
      } else {
        session.slot = slot;
        session.id = among.id(slot);
      }
      return slot;
    },
  };
  return strategy;
}
