/** Candidates that are better not picked until an instant, whatever the target. */
export class Avoided {
  /** By slot, in epoch milliseconds. */
  readonly #until = new Map<number, number>();

  /** How many there are; some of them may be over. */
  get size(): number {
    return this.#until.size;
  }

  /** The later instant stands. */
  add(slot: number, until: number): void {
    if (until > (this.#until.get(slot) ?? -Infinity)) this.#until.set(slot, until);
  }

  forget(slot: number): void {
    this.#until.delete(slot);
  }

  has(slot: number, now: number): boolean {
    const until = this.#until.get(slot);
    if (until === undefined) return false;
    if (until > now) return true;
    this.#until.delete(slot);
    return false;
  }

  slots(): IterableIterator<number> {
    return this.#until.keys();
  }
}
