/** Milliseconds of work after which the event loop gets a turn. */
const sliceMs = 4;

/** Gives the event loop a turn now and then, so that a long walk does not hold up other requests. */
export class Turns {
  #sliceEndsAt = performance.now() + sliceMs;

  /** Whether the current slice of work is over; then `await next()`. */
  get isDue(): boolean {
    return performance.now() >= this.#sliceEndsAt;
  }

  async next(): Promise<void> {
    await new Promise((resolve) => void setImmediate(resolve));
    this.#sliceEndsAt = performance.now() + sliceMs;
  }
}
