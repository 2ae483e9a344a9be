import type { SessionMove } from '../strategy.ts';

/** A session that does not live where its hash says. */
interface Moved {
  id: string;
  usedAt: number;
  /** When it moved, or others were told or told so: what they say is older or newer than that. */
  at: number;
  /** When that was known here. */
  knownAt: number;
}

/** Sessions that had to move, in order of their last use, and those of them that others are to hear of. */
export class MovedSessions {
  readonly #byKey = new Map<number, Moved>();
  /** Where each was when others were told last: undefined, at home. */
  readonly #untold = new Map<number, string | undefined>();
  readonly #max: number;
  readonly #idleMs: number;

  constructor(max: number, idleMs: number) {
    this.#max = max;
    this.#idleMs = idleMs;
  }

  /** Where it has moved to, used now; undefined: it is at home. */
  use(key: number, now: number): Moved | undefined {
    const moved = this.#byKey.get(key);
    if (moved === undefined) return undefined;
    this.#byKey.delete(key);
    if (now - moved.usedAt >= this.#idleMs) {
      this.#untold.delete(key);
      return undefined;
    }
    moved.usedAt = now;
    this.#byKey.set(key, moved);
    // Others forget it after the idle time, unless it is told again.
    if (now - moved.knownAt >= this.#idleMs / 2 && !this.#untold.has(key))
      this.#untold.set(key, moved.id);
    return moved;
  }

  /** It moves now. */
  move(key: number, id: string, now: number): void {
    if (!this.#untold.has(key)) this.#untold.set(key, this.#byKey.get(key)?.id);
    this.#put(key, { id, usedAt: now, at: now, knownAt: now });
  }

  /** Another process has moved it. */
  heard(key: number, id: string, at: number, now: number): void {
    if ((this.#byKey.get(key)?.at ?? -Infinity) > at) return;
    this.#untold.delete(key);
    this.#put(key, { id, usedAt: now, at, knownAt: now });
  }

  /** What others are to hear of, up to a number: it is told once. */
  take(max: number, now: number): SessionMove[] {
    const moves: SessionMove[] = [];
    for (const [key, from] of this.#untold) {
      if (moves.length >= max) break;
      this.#untold.delete(key);
      const moved = this.#byKey.get(key) as Moved;
      moved.at = now;
      moved.knownAt = now;
      const before = from === moved.id ? undefined : from;
      moves.push({ session: key.toString(36), id: moved.id, from: before, keepMs: this.#idleMs });
    }
    return moves;
  }

  #put(key: number, moved: Moved): void {
    this.#byKey.delete(key);
    this.#byKey.set(key, moved);
    if (this.#byKey.size <= this.#max) return;
    for (const oldest of this.#byKey.keys()) {
      this.#byKey.delete(oldest);
      this.#untold.delete(oldest);
      break;
    }
  }
}
