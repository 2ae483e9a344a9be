import { createHmac, randomBytes } from 'node:crypto';

export interface WrongTokensOptions {
  readonly capacity?: number | undefined;
  /** Milliseconds of a clock that does not step. */
  readonly now?: (() => number) | undefined;
}

/**
 * Tells a new guess from a wrong token that is sent again, as a page does that asks several things
 * at once with what was typed. Keeps no token: a hash under a key of this process, for a while.
 */
export class WrongTokens {
  readonly #windowMs: number;
  readonly #capacity: number;
  readonly #now: () => number;
  readonly #key = randomBytes(32);
  /** When each is forgotten, oldest first. */
  readonly #seen = new Map<string, number>();

  /** `capacity` (default 10,000): how many are remembered; beyond it the oldest is a new guess again. */
  constructor(
    windowMs: number,
    { capacity = 10_000, now = () => performance.now() }: WrongTokensOptions = {},
  ) {
    this.#windowMs = windowMs;
    this.#capacity = capacity;
    this.#now = now;
  }

  get size(): number {
    return this.#seen.size;
  }

  /** Whether this address sends this for the first time within the window. Remembers it. */
  isNew(address: string, token: string): boolean {
    const now = this.#now();
    const hash = createHmac('sha256', this.#key).update(`${address}\n${token}`).digest('base64');
    if ((this.#seen.get(hash) ?? 0) > now) return false;
    for (const [oldest, until] of this.#seen) {
      if (until > now && this.#seen.size < this.#capacity) break;
      this.#seen.delete(oldest);
    }
    this.#seen.set(hash, now + this.#windowMs);
    return true;
  }
}
