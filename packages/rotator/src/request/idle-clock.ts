import { maxTimerMs } from '../timer.ts';

/** Calls back when nothing has happened for a while. Its timer does not keep the process alive. */
export class IdleClock {
  readonly #onIdle: () => void;
  #timer: NodeJS.Timeout | undefined;
  #timeoutMs = 0;

  constructor(onIdle: () => void) {
    this.#onIdle = onIdle;
  }

  get timeoutMs(): number {
    return this.#timeoutMs;
  }

  /** 0: never. */
  set(timeoutMs: number): void {
    this.stop();
    this.#timeoutMs = timeoutMs;
    if (!(timeoutMs > 0)) return;
    this.#timer = setTimeout(this.#onIdle, Math.min(timeoutMs, maxTimerMs));
    this.#timer.unref();
  }

  active(): void {
    this.#timer?.refresh();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
