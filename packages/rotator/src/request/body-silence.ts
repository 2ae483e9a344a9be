import { setImmediate } from 'node:timers';
import type { LoopLag } from '../blame/loop-lag.ts';
import type { Deadline, Deadlines, Expiring } from './deadlines.ts';

/** The reader of a body, which is told of a silence. */
export interface BodyListener {
  /** It wants no more for now, so that nothing can come. */
  readonly paused: boolean;
  /** `late`: the event loop was late meanwhile. */
  silent(late: boolean): void;
}

/**
 * Bounds the silence between two chunks of a body, with the deadline that its head had until it came. undici's own
 * timer is coarse and takes framing without content for progress.
 */
export class BodySilence implements Expiring {
  readonly #timeoutMs: number;
  readonly #deadlines: Deadlines;
  readonly #deadline: Deadline;
  readonly #lag: LoopLag;
  readonly #listener: BodyListener;
  /** Delay of the event loop before the silence began. */
  #lagBeforeMs = 0;
  #chunks = 0;
  #over = false;

  /** `deadline`: its owner tells of its passing here, from `now` on, which is of the monotonic clock. */
  constructor(
    deadline: Deadline,
    timeoutMs: number,
    { deadlines, lag }: { readonly deadlines: Deadlines; readonly lag: LoopLag },
    listener: BodyListener,
    now: number,
  ) {
    this.#deadline = deadline;
    this.#timeoutMs = timeoutMs;
    this.#lag = lag;
    this.#listener = listener;
    this.#deadlines = deadlines;
    this.#begin(now);
  }

  /** A chunk came. */
  chunk(): void {
    this.#chunks++;
    this.#begin();
  }

  /** The reader wants more: the silence begins now. */
  restart(): void {
    if (!this.#over) this.#begin();
  }

  stop(): void {
    this.#over = true;
    this.#deadline.stop();
  }

  /** A loop that was late may not have read what is there: the sockets get a turn. */
  expired(): void {
    const chunks = this.#chunks;
    setImmediate(() => {
      if (this.#over || this.#chunks > chunks) return;
      if (this.#listener.paused) this.#begin();
      else this.#listener.silent(this.#lag.wasLate(this.#lagBeforeMs, this.#timeoutMs));
    });
  }

  #begin(now = performance.now()): void {
    this.#lagBeforeMs = this.#lag.totalAt(now);
    this.#deadlines.start(this.#deadline, this.#timeoutMs, now);
  }
}
