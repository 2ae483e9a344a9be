/** Begins an attempt at one address; gives a function that ends it. It calls back once, never synchronously. */
type Begin<T> = (address: string, done: (error: Error | null, value?: T) => void) => () => void;

/**
 * Tries addresses one after another, with attempts that overlap (RFC 8305, section 5): the next one
 * begins `delayMs` after the last, or as soon as one has failed. No attempt is given up before another
 * one has succeeded, so a slow address costs no more than the time that the caller allows for all. The
 * first success wins. When all have failed, the last error is the error.
 */
export class AddressRace<T> {
  readonly #addresses: readonly string[];
  readonly #delayMs: number;
  readonly #begin: Begin<T>;
  readonly #done: (error: Error | null, value?: T) => void;
  readonly #running = new Map<string, () => void>();
  #next = 0;
  #timer: NodeJS.Timeout | undefined;
  #over = false;

  constructor(
    addresses: readonly string[],
    delayMs: number,
    begin: Begin<T>,
    done: (error: Error | null, value?: T) => void,
  ) {
    this.#addresses = addresses;
    this.#delayMs = delayMs;
    this.#begin = begin;
    this.#done = done;
    this.#tryNext();
  }

  /** Ends all attempts without a callback. */
  cancel(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    for (const end of this.#running.values()) end();
    this.#running.clear();
  }

  #tryNext(): void {
    const address = this.#addresses[this.#next++];
    if (address === undefined) return;
    const end = this.#begin(address, (error, value) => this.#ended(address, error, value));
    this.#running.set(address, end);
    clearTimeout(this.#timer);
    if (this.#next < this.#addresses.length) {
      this.#timer = setTimeout(() => this.#tryNext(), this.#delayMs);
    }
  }

  #ended(address: string, error: Error | null, value: T | undefined): void {
    if (this.#over) return;
    this.#running.delete(address);
    if (error === null) {
      this.cancel();
      this.#done(null, value);
    } else if (this.#next < this.#addresses.length) this.#tryNext();
    else if (this.#running.size === 0) {
      this.cancel();
      this.#done(error);
    }
  }
}

/**
 * The order in which to try addresses: as the resolver sorted them, but with the families by turns,
 * so that one broken family costs one delay (RFC 8305, section 4). Each address once.
 */
export function byTurns(
  found: readonly { readonly address: string; readonly family: number }[],
): string[] {
  const first = found[0]?.family;
  const own = found.filter(({ family }) => family === first);
  const other = found.filter(({ family }) => family !== first);
  const order = own.flatMap((each, i) => [each, ...other.slice(i, i + 1)]);
  const all = [...order, ...other.slice(own.length)];
  return [...new Set(all.map(({ address }) => address))];
}
