/** Ids in one request: their parameters must fit a line of 4 kB, which every reverse proxy passes on. */
const maxIds = 100;
const maxLength = 3500;

/** Proxies whose figures have changed since they were read. */
export class DirtyIds {
  readonly #ids = new Set<string>();

  get size(): number {
    return this.#ids.size;
  }

  add(id: string): void {
    this.#ids.add(id);
  }

  delete(id: string): void {
    this.#ids.delete(id);
  }

  clear(): void {
    this.#ids.clear();
  }

  /** As many as one request can name, those in view first, then the ones that have waited longest. */
  take(inView: Iterable<string>): readonly string[] {
    const taken: string[] = [];
    let length = 0;
    const offer = (id: string): boolean => {
      const cost = encodeURIComponent(id).length + 4;
      if (taken.length === maxIds || length + cost > maxLength) return false;
      this.#ids.delete(id);
      taken.push(id);
      length += cost;
      return true;
    };
    for (const id of inView) {
      if (this.#ids.has(id) && !offer(id)) return taken;
    }
    for (const id of this.#ids) if (!offer(id)) return taken;
    return taken;
  }
}
