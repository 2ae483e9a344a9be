/** How many connections each client has. */
export class ClientCounts {
  readonly #max: number;
  readonly #byKey = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** The number of clients that have a connection. */
  get size(): number {
    return this.#byKey.size;
  }

  /** Counts one more; false, and nothing counted, where the client has its fill. */
  enter(key: string): boolean {
    const count = this.#byKey.get(key) ?? 0;
    if (count >= this.#max) return false;
    this.#byKey.set(key, count + 1);
    return true;
  }

  leave(key: string): void {
    const count = (this.#byKey.get(key) ?? 0) - 1;
    if (count > 0) this.#byKey.set(key, count);
    else this.#byKey.delete(key);
  }
}
