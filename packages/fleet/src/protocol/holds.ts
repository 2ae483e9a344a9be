import type { Hold } from '../store.ts';

/** The store may lose any key: what holds is said again as often as this. */
const againMs = 30_000;
/** So many of them in one sync. */
const maxAtOnce = 200;

/** What this process keeps in the store for newcomers: its open circuits, and bans. */
export class Holds {
  readonly #held = new Map<string, { until: number; saidAt: number; again: boolean }>();
  #releases: string[] = [];

  /** It holds until then; the later end stands. `again`: it is said every 30 s, not once. */
  set(field: string, until: number, again = true): void {
    const known = this.#held.get(field);
    if (known === undefined) this.#held.set(field, { until, saidAt: -Infinity, again });
    else if (until > known.until) {
      known.until = until;
      known.saidAt = -Infinity;
    }
  }

  /** It is over: here, and with `release` also in the store. */
  delete(field: string, release: boolean): void {
    this.#held.delete(field);
    if (release) this.#releases.push(field);
  }

  /** The store has lost everything. */
  lost(): void {
    for (const held of this.#held.values()) held.saidAt = -Infinity;
  }

  /** What is to be said now. */
  take(now: number): { holds: Hold[]; releases: string[] } {
    const holds: Hold[] = [];
    for (const [field, held] of this.#held) {
      if (held.until <= now && held.saidAt > -Infinity) {
        if (held.until < now - againMs) this.#held.delete(field);
        continue;
      }
      if (now - held.saidAt < (held.again ? againMs : Infinity)) continue;
      if (holds.length >= maxAtOnce) break;
      held.saidAt = now;
      holds.push({ field, remainingMs: Math.max(0, held.until - now) });
    }
    const releases = this.#releases.slice(0, maxAtOnce);
    this.#releases = this.#releases.slice(maxAtOnce);
    return { holds, releases };
  }

  /** It is not known whether these were said. */
  restore({ holds, releases }: { holds: readonly Hold[]; releases: readonly string[] }): void {
    for (const { field } of holds) {
      const held = this.#held.get(field);
      if (held !== undefined) held.saidAt = -Infinity;
    }
    this.#releases.unshift(...releases);
  }
}
