import { Refusal } from './refusal.ts';

/** A head with more bytes than this is refused with 431. */
export const maxHeadBytes = 16_384;

const lineFeed = 10;
const carriageReturn = 13;
const empty = Buffer.alloc(0);

/** A complete head, and the bytes behind it. */
export interface WholeHead {
  /** Request line and fields, each byte a character, without the empty line at the end. */
  readonly text: string;
  readonly rest: Buffer;
}

/**
 * Collects the head of a request, in whatever pieces it comes, and refuses bytes that no head may hold:
 * a line feed without its carriage return, a carriage return without its line feed, a control
 * character. Each byte is looked at once.
 */
export class HeadReader {
  readonly #maxBytes: number;
  readonly #chunks: Buffer[] = [];
  #length = 0;
  /** Characters of the line under way. */
  #line = 0;
  #afterReturn = false;

  constructor(maxBytes = maxHeadBytes) {
    this.#maxBytes = maxBytes;
  }

  /** Whether a byte of a head has come. */
  get begun(): boolean {
    return this.#length > 0;
  }

  /** The head, once it is complete. Throws a `Refusal`. */
  push(chunk: Buffer): WholeHead | undefined {
    const end = this.#endIn(chunk);
    const length = end === -1 ? chunk.length : end;
    if (this.#length + length > this.#maxBytes) {
      throw new Refusal(431, `the head of a request may have at most ${this.#maxBytes} bytes`);
    }
    this.#chunks.push(length === chunk.length ? chunk : chunk.subarray(0, length));
    this.#length += length;
    if (end === -1) return undefined;
    const [first = empty] = this.#chunks;
    const head = this.#chunks.length === 1 ? first : Buffer.concat(this.#chunks, this.#length);
    return { text: head.toString('latin1', 0, this.#length - 4), rest: chunk.subarray(end) };
  }

  /** Where the empty line ends, or −1. */
  #endIn(chunk: Buffer): number {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (this.#afterReturn) {
        if (byte !== lineFeed) {
          throw new Refusal(400, 'a carriage return stands without its line feed');
        }
        this.#afterReturn = false;
        if (this.#line === 0) {
          if (this.#length + at < 3) throw new Refusal(400, 'the request line is empty');
          return at + 1;
        }
        this.#line = 0;
      } else if (byte === carriageReturn) this.#afterReturn = true;
      else if (byte === lineFeed) {
        throw new Refusal(400, 'a line feed stands without its carriage return');
      } else if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f) {
        throw new Refusal(400, `the head holds the control character ${byte}`);
      } else this.#line++;
    }
    return -1;
  }
}
