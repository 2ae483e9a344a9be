/** Outcomes of so long ago count no more. */
const windowMs = 3000;
/** Fewer proxies than this say nothing about one's own network. */
const leastTried = 5;

/** A proxy that has not worked here for so long says nothing by failing. */
const knownMs = 600_000;

/**
 * Whether most proxies that used to work fail for this process at once. Then its own network is the likelier reason, and what it would
 * report is of no use to others.
 */
export class SelfCheck {
  readonly #ratio: number;
  readonly #last = new Map<string, { bad: boolean; at: number }>();
  /** When each proxy worked here last; none whose circuit has opened since. */
  readonly #workedAt = new Map<string, number>();
  #suspect = false;
  #failing = 0;

  constructor(ratio: number) {
    this.#ratio = ratio;
  }

  get isSuspect(): boolean {
    return this.#suspect;
  }

  /** Proxies whose last attempt got no response, and all that were tried, at the last check. */
  get failing(): number {
    return this.#failing;
  }

  get tried(): number {
    return this.#last.size;
  }

  /** An attempt ended. `bad`: nothing came back. */
  ended(id: string, bad: boolean, at: number): void {
    this.#last.delete(id);
    if (!bad) this.#workedAt.set(id, at);
    else if (at - (this.#workedAt.get(id) ?? -Infinity) > knownMs) return;
    this.#last.set(id, { bad, at });
  }

  /** Its circuit has opened: that it fails from now on is no news. */
  opened(id: string): void {
    this.#workedAt.delete(id);
  }

  forget(id: string): void {
    this.#workedAt.delete(id);
    this.#last.delete(id);
  }

  /** True when the verdict has changed. */
  check(now: number): boolean {
    let failing = 0;
    for (const [id, { bad, at }] of this.#last) {
      if (now - at > windowMs) this.#last.delete(id);
      else if (bad) failing++;
    }
    this.#failing = failing;
    const tried = this.#last.size;
    const most = failing > this.#ratio * tried;
    const suspect = this.#suspect
      ? // Silence proves nothing: it ends with a success, while not most of the others fail.
        tried === 0 || most
      : tried >= leastTried && most;
    if (suspect === this.#suspect) return false;
    this.#suspect = suspect;
    return true;
  }
}
