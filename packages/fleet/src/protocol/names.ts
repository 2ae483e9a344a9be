import { createHmac } from 'node:crypto';
import type { SharedPool } from '../shared-pool.ts';

/** An id that is not found is not looked for again sooner than this: pools change. */
const againMs = 5000;

/** Ids as the store knows them: as they are, or hashed, for a pool whose ids hold user names. */
export class Names {
  readonly #pool: SharedPool;
  readonly #key: string | undefined;
  readonly #hashes = new Map<string, string>();
  readonly #ids = new Map<string, string>();
  #builtAt = -Infinity;

  /** `key`: undefined where ids are told as they are. */
  constructor(pool: SharedPool, key: string | undefined) {
    this.#pool = pool;
    this.#key = key;
  }

  out(id: string): string {
    if (this.#key === undefined) return id;
    let hash = this.#hashes.get(id);
    if (hash === undefined) {
      hash = createHmac('sha256', this.#key).update(id).digest('base64url').slice(0, 22);
      this.#hashes.set(id, hash);
      this.#ids.set(hash, id);
    }
    return hash;
  }

  /** The pool's id, its own string; undefined when it has no such proxy. */
  in(name: string): string | undefined {
    if (this.#key === undefined) return this.#pool.id(name);
    const known = this.#ids.get(name);
    if (known !== undefined) return this.#pool.id(known);
    const now = this.#pool.now();
    if (now - this.#builtAt < againMs) return undefined;
    this.#builtAt = now;
    for (const id of this.#pool.ids()) this.out(id);
    return this.#ids.get(name);
  }

  forget(id: string): void {
    const hash = this.#hashes.get(id);
    if (hash === undefined) return;
    this.#hashes.delete(id);
    this.#ids.delete(hash);
  }
}
