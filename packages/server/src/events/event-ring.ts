/** The last so many events, by their number. */
export class EventRing<Event> {
  /** The number of the newest event; the first one has 1. */
  last = 0;
  readonly capacity: number;
  readonly #events: Event[] = [];

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  push(event: Event): number {
    this.last++;
    this.#events[this.last % this.capacity] = event;
    return this.last;
  }

  /**
   * What came after an event, oldest first; undefined when some of it is forgotten, or when there
   * has been no such event.
   */
  after(number: number): { readonly number: number; readonly event: Event }[] | undefined {
    const forgotten = Math.max(0, this.last - this.capacity);
    if (!Number.isInteger(number) || number < forgotten || number > this.last) return undefined;
    return Array.from({ length: this.last - number }, (_, i) => ({
      number: number + 1 + i,
      event: this.#events[(number + 1 + i) % this.capacity] as Event,
    }));
  }
}
