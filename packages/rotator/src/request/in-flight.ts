import type { Operation } from './operation.ts';

/**
 * The requests that have not ended, in the order of their start. Linked through themselves and not in a
 * Map: a Map that entries come to and leave all the time copies itself again and again, and what the
 * discarded copies still name survives the young generation. Measured: 6 KB a
 * request instead of 2, and 8 % of its CPU.
 */
export class OperationList {
  #first: Operation | undefined;
  #last: Operation | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(operation: Operation): void {
    operation.previous = this.#last;
    if (this.#last === undefined) this.#first = operation;
    else this.#last.next = operation;
    this.#last = operation;
    this.#size++;
  }

  /** Only of one that was added, and once. */
  delete(operation: Operation): void {
    const { previous, next } = operation;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    operation.previous = operation.next = undefined;
    this.#size--;
  }

  *[Symbol.iterator](): Generator<Operation, void, undefined> {
    for (let each = this.#first, next; each !== undefined; each = next) {
      next = each.next;
      yield each;
    }
  }
}
