/**
 * Breaks ties at random inside a heap. Each entry has a moment, the earliest is taken and gets a new
 * one, exponentially distributed from there on: of n such clocks each is the next to ring with the
 * same chance, whatever happened before. So a random choice among any number of equals costs no more
 * than looking at the top.
 */
export class TieClock {
  readonly #random: () => number;
  #at = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** The moment of an entry that is new, or that was just taken. */
  next(): number {
    return this.#at - Math.log(1 - this.#random());
  }

  /** The entry of this moment is taken. */
  take(moment: number): void {
    this.#at = Math.max(this.#at, moment);
  }
}
