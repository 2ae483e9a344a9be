const minuteMs = 60_000;

/** How often something may happen within any 60 s. */
export class Renewals {
  readonly #most: number;
  /** When the last of them were, the oldest at `#next`; made for the first one. */
  #times: number[] = [];
  #next = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether one more is allowed at `now`, in epoch milliseconds; then it counts. */
  take(now: number): boolean {
    if (this.#times.length < this.#most) {
      this.#times.push(now);
      return true;
    }
    if (now - (this.#times[this.#next] as number) < minuteMs) return false;
    this.#times[this.#next] = now;
    this.#next = (this.#next + 1) % this.#most;
    return true;
  }
}
