import { setImmediate } from 'node:timers';
import type { LoopLag } from '../blame/loop-lag.ts';
import { maxTimerMs } from '../timer.ts';

/**
 * Bounds the silence between two chunks of a body. A timer of its own, because undici's is coarse and
 * takes framing without content for progress.
 */
export class BodySilence {
  readonly #timeoutMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #lag: LoopLag;
  readonly #heldBack: () => boolean;
  readonly #onSilence: (late: boolean) => void;
  /** Delay of the event loop before the silence began. */
  #lagBeforeMs: number;
  #chunks = 0;
  #over = false;

  /**
   * `heldBack`: the reader wants no more for now, so that nothing can come. `onSilence` hears whether
   * the event loop was late meanwhile.
   */
  constructor(
    timeoutMs: number,
    lag: LoopLag,
    heldBack: () => boolean,
    onSilence: (late: boolean) => void,
  ) {
    this.#timeoutMs = timeoutMs;
    this.#lag = lag;
    this.#lagBeforeMs = lag.totalMs;
    this.#heldBack = heldBack;
    this.#onSilence = onSilence;
    this.#timer = setTimeout(() => this.#fire(), Math.min(timeoutMs, maxTimerMs));
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
    clearTimeout(this.#timer);
  }

  /** A loop that was late may not have read what is there: the sockets get a turn. */
  #fire(): void {
    const chunks = this.#chunks;
    setImmediate(() => {
      if (this.#over || this.#chunks > chunks) return;
      if (this.#heldBack()) this.#begin();
      else this.#onSilence(this.#lag.wasLate(this.#lagBeforeMs, this.#timeoutMs));
    });
  }

  #begin(): void {
    this.#lagBeforeMs = this.#lag.totalMs;
    this.#timer.refresh();
  }
}
