import type { Hedging } from '../policy/hedging.ts';
import { maxTimerMs } from '../timer.ts';

/** The one attempt that may go out beside a slow one. */
export class Hedge {
  readonly #hedging: Hedging;
  readonly #send: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** `send`: called when the response has taken so long that a hedge is worth it. */
  constructor(hedging: Hedging, send: () => void) {
    this.#hedging = hedging;
    this.#send = send;
  }

  /** Starts to wait for the response. */
  start(): void {
    this.stop();
    const { delayMs } = this.#hedging;
    if (delayMs === undefined) return;
    this.#timer = setTimeout(this.#send, Math.min(delayMs, maxTimerMs));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
