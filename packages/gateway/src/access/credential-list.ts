import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A name and its password, as a client sent them. */
export interface Credentials {
  readonly name: string;
  readonly password: string;
}

/**
 * Names with their passwords. A comparison takes the same time for a name that exists and one that does not,
 * and for passwords that are alike and such that are not: hashes are compared, with a salt of this process.
 */
export class CredentialList {
  readonly #salt = randomBytes(32).toString('hex');
  readonly #hashes = new Map<string, Buffer>();
  readonly #noPassword: Buffer;

  constructor(known: Iterable<Credentials>) {
    this.#noPassword = this.#hash(randomBytes(32).toString('hex'));
    for (const { name, password } of known) this.#hashes.set(name, this.#hash(password));
  }

  get size(): number {
    return this.#hashes.size;
  }

  matches({ name, password }: Credentials): boolean {
    const expected = this.#hashes.get(name);
    const same = timingSafeEqual(this.#hash(password), expected ?? this.#noPassword);
    return same && expected !== undefined;
  }

  #hash(password: string): Buffer {
    return hash('sha256', this.#salt + password, 'buffer');
  }
}

const basicForm = /^Basic +([A-Za-z0-9+/_-]+={0,2})$/i;

/**
 * Reads `Proxy-Authorization: Basic …` (RFC 7617). Undefined: it is none. The username may hold no colon, the
 * password may.
 */
export function readBasic(value: string): { username: string; password: string } | undefined {
  const encoded = basicForm.exec(value)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon === -1) return undefined;
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
