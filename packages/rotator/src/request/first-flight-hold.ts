import type { FirstFlight } from './connect-options.ts';

/** The most bytes of a first flight that are kept. */
const maxHeldBytes = 65_536;
const nothing = Buffer.alloc(0);

/** What the caller of a tunnel wrote before the first byte came back, to be sent again through another proxy. */
export class FirstFlightHold {
  readonly #rule: FirstFlight | undefined;
  /** What is kept is its beginning; behind that is room for more. */
  #kept: Buffer = nothing;
  #length = 0;
  /** Some of it is not kept any more. */
  #lost = false;
  #sentBytes = 0;

  /** `rule`: undefined keeps nothing that was sent. */
  constructor(rule: FirstFlight | undefined) {
    this.#rule = rule;
  }

  /** Nothing was written. */
  get empty(): boolean {
    return this.#length === 0;
  }

  /** Whether these bytes can be kept beside the others. */
  fits(chunk: Buffer): boolean {
    return this.#length + chunk.length <= maxHeldBytes;
  }

  add(chunk: Buffer): void {
    const before = this.#length;
    this.#length += chunk.length;
    if (this.#length > maxHeldBytes) this.clear();
    if (this.#lost) return;
    // Most flights are one chunk, which is kept as it is.
    if (before === 0) this.#kept = chunk;
    else {
      if (this.#length > this.#kept.length) this.#grow(before);
      chunk.copy(this.#kept, before);
    }
  }

  /** Doubles the room, so that a flight in single bytes is not copied at each of them. */
  #grow(length: number): void {
    const size = Math.min(Math.max(this.#length, 2 * length), maxHeldBytes);
    const grown = Buffer.allocUnsafe(size);
    this.#kept.copy(grown, 0, 0, length);
    this.#kept = grown;
  }

  /** Everything that was written. Only of a flight that is repeatable, or was not sent. */
  get bytes(): Buffer {
    if (this.#lost) return nothing;
    return this.#length === this.#kept.length ? this.#kept : this.#kept.subarray(0, this.#length);
  }

  /** Returns all of it, which is sent now. */
  send(): Buffer {
    const { bytes } = this;
    this.passed();
    return bytes;
  }

  /** All that was added is on its way. */
  passed(): void {
    this.#sentBytes = this.#length;
    if (this.#rule === undefined) this.clear();
  }

  /** How many bytes of it were sent, those that were sent again counted once. */
  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Some of it was sent. */
  get sent(): boolean {
    return this.#sentBytes > 0;
  }

  /** Whether it may be sent, again or for the first time. */
  get repeatable(): boolean {
    if (this.empty || !this.sent) return true;
    return !this.#lost && this.#rule?.repeatable(this.bytes) === true;
  }

  /** Whether what was written may be sent again, even if it was not sent so far. */
  get harmless(): boolean {
    return this.empty || (!this.#lost && this.#rule?.repeatable(this.bytes) === true);
  }

  /** Whether these can be the first bytes of a response to it. */
  plausible(first: Buffer): boolean {
    if (!this.empty && this.#lost) return true;
    return this.#rule?.plausible?.(this.bytes, first) !== false;
  }

  /** Keeps nothing more. */
  clear(): void {
    this.#kept = nothing;
    this.#lost = true;
  }
}
