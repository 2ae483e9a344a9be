import type { SharedPool } from '../shared-pool.ts';

/** No circuit closes sooner after another process has found its proxy to work. */
const leastDelayMs = 200;
/** For so long after that the first failure opens it again. */
const probationMs = 10_000;

interface Pending {
  readonly by: string;
  readonly at: number;
  readonly closeAt: number;
}

/**
 * Circuits that are to close because a test of another process passed: not all at once, or the proxy would be
 * overrun the moment it is back. Until then a failure that is reported takes it back.
 */
export class Recoveries {
  readonly #pool: SharedPool;
  readonly #spreadMs: number;
  readonly #pending = new Map<string, Pending>();
  /** Closed on the word of another, and until when that counts. */
  readonly #probation = new Map<
    string,
    { by: string; at: number; until: number; openMs: number }
  >();

  constructor(pool: SharedPool, spreadMs: number) {
    this.#pool = pool;
    this.#spreadMs = spreadMs;
  }

  has(id: string): boolean {
    return this.#pending.has(id);
  }

  /** A process has found at `at` that it works. */
  heard(id: string, by: string, at: number, now: number): void {
    if (this.#pending.has(id)) return;
    const least = Math.min(leastDelayMs, this.#spreadMs);
    const delayMs = least + (this.#spreadMs - least) * this.#pool.random();
    this.#pending.set(id, { by, at, closeAt: Math.max(now, at + delayMs) });
  }

  /**
   * Another process reports at `at` that it fails, after it was found to work: a circuit that is to close stays open,
   * and one that has closed on that word opens again for as long as is returned. Undefined: nothing is refuted.
   */
  refuted(id: string, by: string, at: number): number | undefined {
    const pending = this.#pending.get(id);
    if (pending !== undefined && pending.by !== by && at > pending.at) {
      this.#pending.delete(id);
      return 0;
    }
    const probation = this.#probation.get(id);
    if (probation === undefined || probation.by === by || at <= probation.at) return undefined;
    this.#probation.delete(id);
    return probation.openMs;
  }

  forget(id: string): void {
    this.#pending.delete(id);
    this.#probation.delete(id);
  }

  /** Closes those whose time has come; returns their ids. `openMs` is how long each would open again. */
  tick(now: number, openMs: (id: string) => number): string[] {
    const closed: string[] = [];
    for (const [id, { by, at, closeAt }] of this.#pending) {
      if (closeAt > now) continue;
      this.#pending.delete(id);
      const again = { by, at, until: now + probationMs, openMs: openMs(id) };
      if (!this.#pool.adopt(id, 'closed')) continue;
      this.#probation.set(id, again);
      closed.push(id);
    }
    for (const [id, { until }] of this.#probation) if (until <= now) this.#probation.delete(id);
    return closed;
  }

  /** An attempt ended. Milliseconds to open for: it fails here after all; undefined: nothing follows. */
  ended(id: string, success: boolean, now: number): number | undefined {
    const probation = this.#probation.get(id);
    if (probation === undefined) return undefined;
    this.#probation.delete(id);
    return success || now >= probation.until ? undefined : probation.openMs;
  }

  wakeAt(): number {
    let at = Infinity;
    for (const { closeAt } of this.#pending.values()) at = Math.min(at, closeAt);
    return at;
  }
}
