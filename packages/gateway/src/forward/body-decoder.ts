import { Refusal } from '../head/refusal.ts';
import { parseFields, type Framing } from '../head/request-head.ts';

/** The longest line of a chunk's size, with its extensions. */
const maxSizeLine = 4096;
/** The most bytes of all trailer fields. */
const maxTrailerBytes = 16_384;
/** `chunk-size` with extensions in visible characters (RFC 9112, section 7.1). */
const sizeLine = /^([0-9a-fA-F]{1,12})[ \t]*(?:;[\t\x20-\x7e\x80-\xff]*)?$/;

/**
 * Takes the framing of a request's body away, strictly: a chunk that does not end where its size says, or a line
 * that ends in a bare line feed, is refused.
 */
export class BodyDecoder {
  readonly #onData: (bytes: Buffer) => void;
  #state: 'data' | 'size' | 'end of chunk' | 'trailers' | 'done';
  readonly #chunked: boolean;
  /** Bytes of the body, or of the chunk, that are still to come. */
  #left: number;
  #line = '';
  #trailers: string[] = [''];
  #trailerBytes = 0;

  constructor(framing: Framing, onData: (bytes: Buffer) => void) {
    this.#onData = onData;
    this.#chunked = framing.kind === 'chunked';
    this.#left = framing.kind === 'length' ? framing.bytes : 0;
    this.#state = framing.kind === 'none' ? 'done' : this.#chunked ? 'size' : 'data';
  }

  get done(): boolean {
    return this.#state === 'done';
  }

  /** Takes bytes. Returns those behind the body, once it is complete. Throws a `Refusal`. */
  push(chunk: Buffer): Buffer | undefined {
    let at = 0;
    while (at < chunk.length && this.#state !== 'done') {
      if (this.#state === 'data') {
        const end = Math.min(chunk.length, at + this.#left);
        this.#left -= end - at;
        if (end > at) this.#onData(chunk.subarray(at, end));
        at = end;
        if (this.#left === 0) this.#state = this.#chunked ? 'end of chunk' : 'done';
      } else at = this.#readLine(chunk, at);
    }
    return this.#state === 'done' ? chunk.subarray(at) : undefined;
  }

  /** Collects a line, and acts on it once it is whole. Returns where the next one begins. */
  #readLine(chunk: Buffer, from: number): number {
    const end = chunk.indexOf(10, from);
    this.#line += chunk.toString('latin1', from, end === -1 ? chunk.length : end + 1);
    const limit = this.#state === 'trailers' ? maxTrailerBytes : maxSizeLine;
    if (this.#line.length > limit) throw new Refusal(400, 'a line of the chunked body is too long');
    if (end === -1) return chunk.length;
    const line = this.#line;
    this.#line = '';
    if (!line.endsWith('\r\n') || line.indexOf('\r') !== line.length - 2) {
      throw new Refusal(400, 'a line of the chunked body does not end in CRLF');
    }
    this.#take(line.slice(0, -2));
    return end + 1;
  }

  #take(line: string): void {
    if (this.#state === 'size') {
      const size = sizeLine.exec(line)?.[1];
      if (size === undefined) throw new Refusal(400, 'the size of a chunk is not hexadecimal');
      this.#left = Number.parseInt(size, 16);
      this.#state = this.#left === 0 ? 'trailers' : 'data';
    } else if (this.#state === 'end of chunk') {
      if (line !== '') throw new Refusal(400, 'a chunk does not end where its size says');
      this.#state = 'size';
    } else if (line === '') {
      parseFields(this.#trailers);
      this.#state = 'done';
    } else {
      this.#trailers.push(line);
      this.#trailerBytes += line.length + 2;
      if (this.#trailerBytes > maxTrailerBytes) throw new Refusal(400, 'the trailers are too long');
    }
  }
}
