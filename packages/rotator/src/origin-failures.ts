const rememberedMs = 30_000;
const maxOrigins = 1000;
/** Failures kept for each origin: enough to hold two different proxies. */
const kept = 4;
/** Beyond what attempts under way could still answer for: a few failures in a row are chance. */
const chanceInARow = 3;

interface Trouble {
  readonly recent: readonly { readonly proxyId: string; readonly at: number }[];
  /** Failures since its last answer. */
  readonly inARow: number;
}

/**
 * Which proxies lately failed to reach an origin (behaviour C5). A refused CONNECT or a reset in a
 * tunnel may be the proxy's fault or the target's: when two different proxies meet it within 30 s,
 * it is the target's.
 */
export class OriginFailures {
  readonly #byOrigin = new Map<string, Trouble>();
  #underWay = 0;

  /** An attempt begins, to whatever origin. */
  begun(): void {
    this.#underWay++;
  }

  /** An attempt has ended. */
  ended(): void {
    this.#underWay--;
  }

  /** Notes a failure. True when another proxy failed for this origin within the last 30 s. */
  blamesTarget(origin: string, proxyId: string, at: number): boolean {
    const before = this.#byOrigin.get(origin);
    const recent = (before?.recent ?? []).filter((each) => at - each.at <= rememberedMs);
    const others = recent.filter((each) => each.proxyId !== proxyId);
    const blamed = others.length > 0;
    const inARow = recent.length > 0 ? (before?.inARow ?? 0) + 1 : 1;
    others.push({ proxyId, at });
    // Taken out first, so that the map stays in the order of the last failure.
    this.#byOrigin.delete(origin);
    this.#byOrigin.set(origin, { recent: others.slice(-kept), inARow });
    if (this.#byOrigin.size > maxOrigins) {
      for (const oldest of this.#byOrigin.keys()) {
        this.#byOrigin.delete(oldest);
        break;
      }
    }
    return blamed;
  }

  /**
   * Whether the failures since its last answer outnumber the attempts under way. Until they do, proxies
   * that fail often, and sooner than good ones answer, look the same as a target that is down. Asked by an
   * attempt that is still under way itself.
   */
  isDown(origin: string): boolean {
    return (this.#byOrigin.get(origin)?.inARow ?? 0) >= this.#underWay + chanceInARow;
  }

  /** An answer from the origin proves it well. */
  clear(origin: string): void {
    if (this.#byOrigin.size > 0) this.#byOrigin.delete(origin);
  }
}
