const rememberedMs = 30_000;
const maxOrigins = 1000;
/** Failures kept for each origin: enough to hold two different proxies. */
const kept = 4;

/**
 * Which proxies lately failed to reach an origin (behaviour C5). A refused CONNECT or a reset in a
 * tunnel may be the proxy's fault or the target's: when two different proxies meet it within 30 s,
 * it is the target's.
 */
export class OriginFailures {
  readonly #byOrigin = new Map<string, { proxyId: string; at: number }[]>();

  /** Notes a failure. True when another proxy failed for this origin within the last 30 s. */
  blamesTarget(origin: string, proxyId: string, at: number): boolean {
    const others = (this.#byOrigin.get(origin) ?? []).filter(
      (each) => at - each.at <= rememberedMs && each.proxyId !== proxyId,
    );
    const blamed = others.length > 0;
    others.push({ proxyId, at });
    // Taken out first, so that the map stays in the order of the last failure.
    this.#byOrigin.delete(origin);
    this.#byOrigin.set(origin, others.slice(-kept));
    if (this.#byOrigin.size > maxOrigins) {
      for (const oldest of this.#byOrigin.keys()) {
        this.#byOrigin.delete(oldest);
        break;
      }
    }
    return blamed;
  }

  /** An answer from the origin proves it well. */
  clear(origin: string): void {
    if (this.#byOrigin.size > 0) this.#byOrigin.delete(origin);
  }
}
