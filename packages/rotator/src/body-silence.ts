import { setImmediate } from 'node:timers';
import { maxTimerMs } from './engine.ts';

/**
 * Bounds the silence between two chunks of a body. A timer of its own, because undici's is coarse and
 * takes framing without content for progress.
 */
export class BodySilence {
  readonly #timer: NodeJS.Timeout;
  readonly #heldBack: () => boolean;
  readonly #onSilence: () => void;
  #chunks = 0;
  #over = false;

  /** `heldBack`: the reader wants no more for now, so that nothing can come. */
  constructor(timeoutMs: number, heldBack: () => boolean, onSilence: () => void) {
    this.#heldBack = heldBack;
    this.#onSilence = onSilence;
    this.#timer = setTimeout(() => this.#fire(), Math.min(timeoutMs, maxTimerMs));
  }

  /** A chunk came. */
  chunk(): void {
    this.#chunks++;
    this.#timer.refresh();
  }

  /** The reader wants more: the silence begins now. */
  restart(): void {
    if (!this.#over) this.#timer.refresh();
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
      if (this.#heldBack()) this.#timer.refresh();
      else this.#onSilence();
    });
  }
}
