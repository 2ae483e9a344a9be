import { LinkedList, type Linked } from '../linked-list.ts';
import { maxTimerMs } from '../timer.ts';

/** Lists that are kept for their next deadline although they are empty. */
const maxKept = 16;

/** The owner of a deadline. */
export interface Expiring {
  /** The deadline has passed. */
  expired(): void;
}

/** One deadline at a time of one owner. */
export class Deadline implements Linked<Deadline> {
  readonly owner: Expiring;
  /** The list of its length, while it runs. */
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
    list?.restart(this, performance.now());
  }

  stop(): void {
    this.list?.end(this);
  }
}

/** Running deadlines of one length, which pass in the order in which they began: one timer serves them all. */
class DeadlineList {
  readonly lengthMs: number;
  readonly #onEmpty: (list: DeadlineList) => void;
  readonly #running = new LinkedList<Deadline>();
  #timer: NodeJS.Timeout | undefined;
  #timerAt = 0;

  constructor(lengthMs: number, onEmpty: (list: DeadlineList) => void) {
    this.lengthMs = lengthMs;
    this.#onEmpty = onEmpty;
  }

  add(deadline: Deadline, now: number): void {
    deadline.at = now + this.lengthMs;
    deadline.list = this;
    this.#running.add(deadline);
    // As a timer of its own would, it keeps the process alive while it runs.
    if (this.#running.size === 1) this.#timer?.ref();
    if (this.#timer === undefined) this.#arm(now);
  }

  /** Begins it once more. */
  restart(deadline: Deadline, now: number): void {
    // One that began last keeps its place. The timer may be set for its old end: it is set again when it fires.
    if (this.#running.last === deadline) deadline.at = now + this.lengthMs;
    else {
      this.delete(deadline);
      this.add(deadline, now);
    }
  }

  delete(deadline: Deadline): void {
    this.#running.delete(deadline);
    deadline.list = undefined;
  }

  /** Takes it out for good. */
  end(deadline: Deadline): void {
    this.delete(deadline);
    if (this.#running.size > 0) return;
    this.#timer?.unref();
    this.#onEmpty(this);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** For the first of them. The timer may be set already, for one that has ended: it is set again when it fires. */
  #arm(now: number): void {
    this.#timerAt = this.#running.first?.at ?? now;
    const delayMs = Math.min(Math.ceil(this.#timerAt - now), maxTimerMs);
    this.#timer = setTimeout(() => this.#fire(), delayMs);
  }

  #fire(): void {
    // A timer may fire a little early, or by a clock that a test turns.
    const now = Math.max(performance.now(), this.#timerAt);
    try {
      for (let first = this.#running.first; first !== undefined && first.at <= now;) {
        this.delete(first);
        first.owner.expired();
        first = this.#running.first;
      }
    } finally {
      this.#timer = undefined;
      if (this.#running.size > 0) this.#arm(now);
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

  /** Lets it pass in `lengthMs`. One that runs begins once more. `now`: of the monotonic clock. */
  start(deadline: Deadline, lengthMs: number, now = performance.now()): void {
    const kept = Math.min(lengthMs, maxTimerMs);
    let { list } = deadline;
    if (list?.lengthMs === kept) {
      list.restart(deadline, now);
      return;
    }
    deadline.stop();
    list = this.#lists.get(kept);
    if (list === undefined) this.#lists.set(kept, (list = new DeadlineList(kept, this.#onEmpty)));
    list.add(deadline, now);
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
