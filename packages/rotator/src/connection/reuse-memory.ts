/** Losses further apart than this have nothing to do with each other. */
const fadeMs = 60_000;
const restMs = 60_000;
const maxRestMs = 600_000;
const maxEntries = 1000;

interface Losses {
  inRow: number;
  at: number;
  restUntil: number;
}

/**
 * Remembers where connections die when they are used a second time, so that a request that must not
 * be sent twice is not lost there again. The second loss within a minute stops reuse for a minute,
 * and each further one for twice as long, up to ten minutes. A minute without a loss is forgiven.
 * It holds at most 1,000 routes; the one that lost longest ago is forgotten first.
 */
export class ReuseMemory {
  readonly #now: () => number;
  readonly #losses = new Map<string, Losses>();

  /** `now`: milliseconds that never step back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * A connection that was opened at `openedAt` died when it was reused. Connections that were open
   * side by side died of one cause and count once.
   */
  lost(key: string, openedAt: number): void {
    const now = this.#now();
    const known = this.#losses.get(key);
    if (known !== undefined && openedAt < known.at) return;
    const again = known !== undefined && now - Math.max(known.at, known.restUntil) <= fadeMs;
    const inRow = again ? known.inRow + 1 : 1;
    const rest = inRow < 2 ? 0 : Math.min(restMs * 2 ** Math.min(inRow - 2, 10), maxRestMs);
    this.#losses.delete(key);
    this.#losses.set(key, { inRow, at: now, restUntil: now + rest });
    for (const oldest of this.#losses.keys()) {
      if (this.#losses.size <= maxEntries) break;
      this.#losses.delete(oldest);
    }
  }

  /** Whether a connection of this route may serve a second request now. */
  allows(key: string): boolean {
    if (this.#losses.size === 0) return true;
    const known = this.#losses.get(key);
    if (known === undefined) return true;
    const now = this.#now();
    if (now - Math.max(known.at, known.restUntil) > fadeMs) this.#losses.delete(key);
    return known.restUntil <= now;
  }
}
