/** What stands in a list, linked to its neighbours there. */
export interface Linked<T> {
  previous: T | undefined;
  next: T | undefined;
}

/**
 * Items in the order in which they came, linked through themselves and not in a Map: a Map that entries come
 * to and leave all the time copies itself again and again, and what the discarded copies still name survives
 * the young generation. Measured with requests: 6 KB for each instead of 2, and 8 % of its CPU.
 */
export class LinkedList<T extends Linked<T>> {
  #first: T | undefined;
  #last: T | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): T | undefined {
    return this.#first;
  }

  get last(): T | undefined {
    return this.#last;
  }

  /** Only of one that stands in no list. */
  add(item: T): void {
    const last = this.#last;
    item.previous = last;
    if (last === undefined) this.#first = item;
    else last.next = item;
    this.#last = item;
    this.#size++;
  }

  /** Only of one that was added, and once. */
  delete(item: T): void {
    const { previous, next } = item;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    item.previous = item.next = undefined;
    this.#size--;
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    for (let each = this.#first, next; each !== undefined; each = next) {
      next = each.next;
      yield each;
    }
  }
}
