import type { Outcome } from '@whirl/events';

/** A request that has not ended, linked to its neighbours in the list. */
export interface RunningRequest {
  readonly id: string;
  readonly method: string;
  readonly origin: string;
  /** The number of the attempt begun last, 0 before the first. */
  readonly attempt: number;
  /** Of the attempt begun last. */
  readonly proxyId: string | undefined;
  /** Epoch ms at which the next attempt begins, while one is waited for. */
  readonly nextRetryAt: number | undefined;
  previous: RunningRequest | undefined;
  next: RunningRequest | undefined;
  /** Ends it from outside. */
  end(outcome: Extract<Outcome, 'aborted' | 'timeout' | 'failure'>, error: Error): void;
}

/**
 * The requests that have not ended, in the order of their start. Linked through themselves and not in a
 * Map: a Map that entries come to and leave all the time copies itself again and again, and what the
 * discarded copies still name survives the young generation. Measured: 6 KB a
 * request instead of 2, and 8 % of its CPU.
 */
export class InFlight {
  #first: RunningRequest | undefined;
  #last: RunningRequest | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(operation: RunningRequest): void {
    operation.previous = this.#last;
    if (this.#last === undefined) this.#first = operation;
    else this.#last.next = operation;
    this.#last = operation;
    this.#size++;
  }

  /** Only of one that was added, and once. */
  delete(operation: RunningRequest): void {
    const { previous, next } = operation;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    operation.previous = operation.next = undefined;
    this.#size--;
  }

  *[Symbol.iterator](): Generator<RunningRequest, void, undefined> {
    for (let each = this.#first, next; each !== undefined; each = next) {
      next = each.next;
      yield each;
    }
  }
}
