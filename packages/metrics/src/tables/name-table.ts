/** The name under which whatever has no row of its own is counted, in row 0. */
export const other = 'other';

/** What keeps arrays with a row per name. */
export interface RowOwner {
  /** Make room for rows below `capacity`. */
  grow(capacity: number): void;
  /** Add this row to row 0 and clear it: its name gives it up. */
  fold(row: number): void;
}

const firstCapacity = 16;

/**
 * Gives names rows in an array, at most `maxNames`; then the name that was used least recently folds
 * into row 0, `other`. Finding, adding and folding are O(1).
 */
export class NameTable {
  readonly #maxNames: number;
  readonly #owner: RowOwner;
  readonly #rows = new Map<string, number>();
  readonly #names: (string | undefined)[] = [other];
  readonly #free: number[] = [];
  // A ring of rows through row 0: after it comes the most recent, before it the least recent.
  #next: Int32Array;
  #previous: Int32Array;
  #capacity: number;

  constructor(maxNames: number, owner: RowOwner) {
    this.#maxNames = maxNames;
    this.#owner = owner;
    this.#capacity = Math.min(firstCapacity, maxNames + 1);
    this.#next = new Int32Array(this.#capacity);
    this.#previous = new Int32Array(this.#capacity);
    owner.grow(this.#capacity);
  }

  /** Names with a row of their own. */
  get size(): number {
    return this.#rows.size;
  }

  /** One more than the highest row in use so far. */
  get rowCount(): number {
    return this.#names.length;
  }

  /** `undefined` for a row that is free now. */
  nameOf(row: number): string | undefined {
    return this.#names[row];
  }

  /** Every row with a name, `other` first. */
  *entries(): Generator<readonly [row: number, name: string]> {
    for (let row = 0; row < this.#names.length; row++) {
      const name = this.#names[row];
      if (name !== undefined) yield [row, name];
    }
  }

  /** The row of a name, without counting as a use; `undefined` when it has none. */
  find(name: string): number | undefined {
    return name === other ? 0 : this.#rows.get(name);
  }

  /** The row of a name, given one if need be; it is now the most recently used. */
  use(name: string): number {
    if (name === other) return 0;
    const found = this.#rows.get(name);
    if (found !== undefined) {
      if (this.#next[0] !== found) {
        this.#unlink(found);
        this.#link(found);
      }
      return found;
    }
    const row = this.#take();
    this.#names[row] = name;
    this.#rows.set(name, row);
    this.#link(row);
    return row;
  }

  /** Folds a row into `other`; the next new name takes it. */
  release(row: number): void {
    this.#owner.fold(row);
    this.#rows.delete(this.#names[row]!);
    this.#names[row] = undefined;
    this.#unlink(row);
    this.#free.push(row);
  }

  #take(): number {
    if (this.#rows.size >= this.#maxNames) this.release(this.#previous[0]!);
    const freed = this.#free.pop();
    if (freed !== undefined) return freed;
    const row = this.#names.length;
    if (row >= this.#capacity) {
      // Doubling past the last row would waste up to half of the memory.
      this.#capacity = Math.min(this.#capacity * 2, this.#maxNames + 1);
      this.#next = grown(this.#next, this.#capacity);
      this.#previous = grown(this.#previous, this.#capacity);
      this.#owner.grow(this.#capacity);
    }
    return row;
  }

  #link(row: number): void {
    const newest = this.#next[0]!;
    this.#next[row] = newest;
    this.#previous[row] = 0;
    this.#previous[newest] = row;
    this.#next[0] = row;
  }

  #unlink(row: number): void {
    const next = this.#next[row]!;
    const previous = this.#previous[row]!;
    this.#next[previous] = next;
    this.#previous[next] = previous;
  }
}

type Numbers = Int32Array | Uint8Array | Uint16Array | Uint32Array | Float32Array | Float64Array;

/** The same numbers in an array of `length`, the new ones 0. */
export function grown<T extends Numbers>(numbers: T, length: number): T {
  const larger = new (numbers.constructor as new (length: number) => T)(length);
  larger.set(numbers);
  return larger;
}
