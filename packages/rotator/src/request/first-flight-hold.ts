import type { FirstFlight } from './connect-options.ts';

/** The most bytes of a first flight that are kept. */
const maxHeldBytes = 65_536;

/** What the caller of a tunnel wrote before the first byte came back, to be sent again through another proxy. */
export class FirstFlightHold {
  readonly #rule: FirstFlight | undefined;
  #chunks: Buffer[] = [];
  #length = 0;
  /** Some of it is not kept any more. */
  #lost = false;
  /** Some of it was sent. */
  sent = false;

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
    this.#length += chunk.length;
    if (this.#length > maxHeldBytes) this.clear();
    if (!this.#lost) this.#chunks.push(chunk);
  }

  /** Everything that was written. Only of a flight that is repeatable, or was not sent. */
  get bytes(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  /** Returns all of it, which is sent now. */
  send(): Buffer {
    const { bytes } = this;
    this.sent = true;
    if (this.#rule === undefined) this.clear();
    return bytes;
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
    this.#chunks = [];
    this.#lost = true;
  }
}
