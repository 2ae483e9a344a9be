const beatMs = 50;
/** Shorter delays are usual in a busy process. */
const shortestMs = 50;

/**
 * How long the event loop was held up while attempts were under way. A deadline that passed meanwhile
 * says little about a proxy: its response may lie unread in a socket. One timer beats for all attempts
 * and ends with them; it keeps no process alive.
 */
export class LoopLag {
  #attempts = 0;
  #timer: NodeJS.Timeout | undefined;
  #beatAt = 0;
  #totalMs = 0;

  /** Milliseconds of delay so far: two readings tell what came between them. */
  get totalMs(): number {
    return this.totalAt(performance.now());
  }

  /** The same, at a time of the monotonic clock that was just read. */
  totalAt(now: number): number {
    return this.#totalMs + (this.#timer === undefined ? 0 : this.#pendingMs(now));
  }

  /** Whether over a fifth of that time was delay. `before`: the total when the time began. */
  wasLate(before: number, durationMs: number): boolean {
    return 5 * (this.totalMs - before) > durationMs;
  }

  begun(): void {
    this.#attempts++;
    if (this.#timer !== undefined) return;
    this.#beatAt = performance.now();
    this.#timer = setInterval(() => this.#beat(), beatMs);
    this.#timer.unref();
  }

  ended(): void {
    this.#attempts--;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #beat(): void {
    const at = performance.now();
    this.#totalMs += this.#pendingMs(at);
    this.#beatAt = at;
    if (this.#attempts === 0) this.close();
  }

  #pendingMs(at: number): number {
    const lateMs = at - this.#beatAt - beatMs;
    return lateMs >= shortestMs ? lateMs : 0;
  }
}
