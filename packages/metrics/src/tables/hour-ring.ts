export const hourMs = 3_600_000;

/** The last moment that a `Date` can hold. */
const lastMs = 8.64e15;

/** What keeps something by hour, in slots that are used again and again. */
export interface Hourly {
  /** The current hour is over; its slot stays readable. */
  finishHour(slot: number): void;
  /** A new hour starts in this slot: what an old one left there is void. */
  startHour(slot: number): void;
}

/** Which slot holds which hour. Hours are counted from the epoch; time only moves forward. */
export class HourRing {
  readonly slots: number;
  readonly #now: () => number;
  /** The hour in which counting began. */
  readonly #firstHour: number;
  #hour: number;
  #slot: number;
  #nextHourAt: number;

  /** `now` returns epoch milliseconds. It is called when a fact seems to begin an hour. */
  constructor(slots: number, now: () => number) {
    this.slots = slots;
    this.#now = now;
    this.#firstHour = this.#hour = Math.floor(now() / hourMs);
    this.#slot = this.slotOf(this.#hour);
    this.#nextHourAt = (this.#hour + 1) * hourMs;
  }

  /** The current hour's slot. */
  get slot(): number {
    return this.#slot;
  }

  slotOf(hour: number): number {
    return ((hour % this.slots) + this.slots) % this.slots;
  }

  /**
   * Lets time come to `atMs`, but not beyond `now()`: a fact whose clock is ahead must not push out
   * the hours that are held. An earlier time changes nothing: what happened late counts in the
   * current hour, so that nothing is lost. Neither does what is no time, or beyond all dates.
   */
  advance(atMs: number, hourly: Hourly): void {
    if (!(atMs >= this.#nextHourAt)) return;
    const reached = Math.min(atMs, this.#now());
    if (!(reached >= this.#nextHourAt && reached <= lastMs)) return;
    hourly.finishHour(this.#slot);
    const last = Math.floor(reached / hourMs);
    for (let hour = Math.max(this.#hour, last - this.slots) + 1; hour <= last; hour++) {
      this.#hour = hour;
      this.#slot = this.slotOf(hour);
      hourly.startHour(this.#slot);
    }
    this.#nextHourAt = (last + 1) * hourMs;
  }

  /** The hours that have started among the last `count`, ascending; the last is the current one. */
  last(count: number): number[] {
    const first = Math.max(this.#firstHour, this.#hour - Math.min(count, this.slots) + 1);
    return Array.from({ length: this.#hour - first + 1 }, (_, i) => first + i);
  }
}
