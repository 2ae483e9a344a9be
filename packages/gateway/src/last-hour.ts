const minuteMs = 60_000;
const minutes = 60;

/** How often something happened within the last 60 minutes, the current one included. */
export class LastHour {
  readonly #now: () => number;
  readonly #counts = new Float64Array(minutes);
  #minute: number;

  /** `now` returns milliseconds by a clock that does not step back. */
  constructor(now: () => number) {
    this.#now = now;
    this.#minute = Math.floor(now() / minuteMs);
  }

  add(count: number): void {
    this.#advance();
    this.#counts[this.#minute % minutes]! += count;
  }

  get sum(): number {
    this.#advance();
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  #advance(): void {
    const reached = Math.floor(this.#now() / minuteMs);
    const from = Math.max(this.#minute, reached - minutes) + 1;
    for (let minute = from; minute <= reached; minute++) this.#counts[minute % minutes] = 0;
    this.#minute = Math.max(this.#minute, reached);
  }
}
