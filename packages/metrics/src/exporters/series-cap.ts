/**
 * Points that an OpenTelemetry SDK keeps for one instrument before it folds the rest into a series
 * without attributes: its default limit is 2,000, of which one is that series.
 */
export const maxPoints = 1999;

/** Bounds the series of one instrument: beyond `max` different keys only known ones are granted. */
export class SeriesCap {
  readonly #max: number;
  readonly #known = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Whether a series by this key exists or may be made. Keeps a place for `reserved` others. */
  grants(key: string, reserved: number): boolean {
    if (this.#known.has(key)) return true;
    if (this.#known.size + reserved >= this.#max) return false;
    this.#known.add(key);
    return true;
  }
}
