import { createHmac, randomBytes } from 'node:crypto';

interface Guesses {
  /** What was sent wrongly, as hashes. */
  readonly hashes: Set<string>;
  /** When all of it is forgotten. */
  until: number;
}

export interface WrongPasswordsOptions {
  /** Different wrong passwords that one address may send within the window. An integer ≥ 1. */
  readonly limit: number;
  readonly windowMs: number;
  /** Milliseconds of a clock that does not step. */
  readonly now: () => number;
  /** Addresses that are remembered; beyond it the oldest is forgotten. Default 10,000. */
  readonly capacity?: number;
}

/**
 * Counts the wrong passwords of each address. The same wrong password counts once: a client that is set up
 * wrongly sends it with every request and guesses nothing. Passwords are kept as keyed hashes, for the window.
 */
export class WrongPasswords {
  readonly #options: WrongPasswordsOptions;
  readonly #key = randomBytes(32);
  /** In the order of their `until`. */
  readonly #byAddress = new Map<string, Guesses>();

  constructor(options: WrongPasswordsOptions) {
    this.#options = options;
  }

  /** The number of addresses remembered. */
  get size(): number {
    return this.#byAddress.size;
  }

  /** Notes a wrong password. Returns whether the address has sent too many: it gets 429 in the place of 407. */
  note(address: string, name: string, password: string): boolean {
    const { limit, windowMs, now, capacity = 10_000 } = this.#options;
    const at = now();
    for (const [oldest, { until }] of this.#byAddress) {
      if (until > at && this.#byAddress.size <= capacity) break;
      this.#byAddress.delete(oldest);
    }
    let guesses = this.#byAddress.get(address);
    if (guesses === undefined) {
      guesses = { hashes: new Set(), until: at + windowMs };
      this.#byAddress.set(address, guesses);
    }
    if (guesses.hashes.size > limit) return true;
    const text = `${name.length} ${name}${password}`;
    guesses.hashes.add(createHmac('sha256', this.#key).update(text).digest('base64'));
    return guesses.hashes.size > limit;
  }

  /** Milliseconds until the address starts from zero, 0 for one that is not known. */
  waitMs(address: string): number {
    const until = this.#byAddress.get(address)?.until;
    return until === undefined ? 0 : Math.max(0, until - this.#options.now());
  }
}
