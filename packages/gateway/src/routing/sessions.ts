interface Session {
  proxyId: string;
  /** When it is forgotten. */
  until: number;
}

export interface SessionsOptions {
  /** A session without a lifetime of its own is forgotten when it was not used for so long. */
  readonly idleMs: number;
  /** Milliseconds of a clock that does not step. */
  readonly now: () => number;
  /** Sessions that are remembered; beyond it the least recently used is forgotten. Default 100,000. */
  readonly capacity?: number;
}

/** Which proxy each session has. A session belongs to a name: two names with one value share nothing. */
export class Sessions {
  readonly #options: SessionsOptions;
  /** In the order of their last use. */
  readonly #byKey = new Map<string, Session>();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** The number of sessions that are remembered. */
  get size(): number {
    return this.#byKey.size;
  }

  /** One text for a name and its session, whatever characters they hold. */
  static key(name: string, session: string): string {
    return `${name.length} ${name}${session}`;
  }

  /** The proxy of a session, undefined where it has none or its time is over. */
  proxyOf(key: string): string | undefined {
    const session = this.#byKey.get(key);
    if (session === undefined) return undefined;
    if (session.until > this.#options.now()) return session.proxyId;
    this.#byKey.delete(key);
    return undefined;
  }

  /**
   * The session was served by this proxy, and stays with it. `ttlMs`: how long after it got its first proxy it is
   * drawn again, however often it is used; undefined: after the time without use.
   */
  keep(key: string, proxyId: string, ttlMs: number | undefined): void {
    const { idleMs, now, capacity = 100_000 } = this.#options;
    const at = now();
    const known = this.#byKey.get(key);
    const goesOn = known !== undefined && known.until > at && ttlMs !== undefined;
    this.#byKey.delete(key);
    this.#byKey.set(key, {
      proxyId,
      until: goesOn ? Math.min(known.until, at + ttlMs) : at + (ttlMs ?? idleMs),
    });
    if (this.#byKey.size <= capacity) return;
    for (const oldest of this.#byKey.keys()) {
      this.#byKey.delete(oldest);
      break;
    }
  }
}
