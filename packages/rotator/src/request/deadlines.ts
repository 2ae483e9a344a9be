import { maxTimerMs } from '../timer.ts';

/** Lists that are kept for their next deadline although they are empty. */
const maxKept = 16;

/** What waits for a deadline. */
export interface Expiring {
  /** The time is over. */
  expired(): void;
}

/** One deadline at a time of one owner. */
export class Deadline {
  readonly owner: Expiring;
  /** Its place in the list of its length; set while it runs. */
  list: DeadlineList | undefined;
  previous: Deadline | undefined;
  next: Deadline | undefined;
  /** Milliseconds of the monotonic clock. */
  at = 0;

  constructor(owner: Expiring) {
    this.owner = owner;
  }

  /** Begins once more, with the same length, if it runs. */
  restart(): void {
    const { list } = this;
    if (list === undefined) return;
    list.delete(this);
    list.add(this);
  }

  stop(): void {
    this.list?.end(this);
  }
}

/** Running deadlines of one length, which pass in the order in which they began: one timer serves them all. */
class DeadlineList {
  readonly lengthMs: number;
  readonly #onEmpty: (list: DeadlineList) => void;
  #first: Deadline | undefined;
  #last: Deadline | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = 0;

  constructor(lengthMs: number, onEmpty: (list: DeadlineList) => void) {
    this.lengthMs = lengthMs;
    this.#onEmpty = onEmpty;
  }

  add(deadline: Deadline): void {
    const now = performance.now();
    deadline.at = now + this.lengthMs;
    deadline.list = this;
    const last = this.#last;
    deadline.previous = last;
    this.#last = deadline;
    if (last !== undefined) last.next = deadline;
    else {
      this.#first = deadline;
      // As a timer of its own would, it keeps the process alive while it runs.
      this.#timer?.ref();
    }
    if (this.#timer === undefined) this.#arm(now);
  }

  delete(deadline: Deadline): void {
    const { previous, next } = deadline;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    deadline.previous = deadline.next = deadline.list = undefined;
  }

  /** Takes it out for good. */
  end(deadline: Deadline): void {
    this.delete(deadline);
    if (this.#first !== undefined) return;
    this.#timer?.unref();
    this.#onEmpty(this);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** For the first of them. The timer may be set already, for one that has ended: it is set again when it fires. */
  #arm(now: number): void {
    this.#timerAt = this.#first?.at ?? now;
    const delayMs = Math.min(Math.ceil(this.#timerAt - now), maxTimerMs);
    this.#timer = setTimeout(() => this.#fire(), delayMs);
  }

  #fire(): void {
    // A timer may fire a little early, or by a clock that a test turns.
    const now = Math.max(performance.now(), this.#timerAt);
    try {
      for (let first = this.#first; first !== undefined && first.at <= now; first = this.#first) {
        this.delete(first);
        first.owner.expired();
      }
    } finally {
      this.#timer = undefined;
      if (this.#first !== undefined) this.#arm(now);
      else this.#onEmpty(this);
    }
  }
}

/**
 * The deadlines of many attempts at once. Most are stopped long before their time, and a timer for each would
 * cost more than all else that an attempt does with it.
 */
export class Deadlines {
  readonly #lists = new Map<number, DeadlineList>();
  readonly #onEmpty = (list: DeadlineList): void => {
    if (this.#lists.size > maxKept) this.#drop(list);
  };

  /** Lengths that have a timer. */
  get size(): number {
    return this.#lists.size;
  }

  /** Lets it pass in `lengthMs` from now. One that runs is stopped first. */
  start(deadline: Deadline, lengthMs: number): void {
    deadline.stop();
    const kept = Math.min(lengthMs, maxTimerMs);
    let list = this.#lists.get(kept);
    if (list === undefined) this.#lists.set(kept, (list = new DeadlineList(kept, this.#onEmpty)));
    list.add(deadline);
  }

  /** Nothing runs any more: the timers end. */
  close(): void {
    for (const list of this.#lists.values()) this.#drop(list);
  }

  #drop(list: DeadlineList): void {
    list.close();
    if (this.#lists.get(list.lengthMs) === list) this.#lists.delete(list.lengthMs);
  }
}
