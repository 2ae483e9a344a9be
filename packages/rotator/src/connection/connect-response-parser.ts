/** More interim (1xx) responses than this before one final response are an error of their sender. */
export const maxInterimResponses = 32;

const lineFeed = 10;
const carriageReturn = 13;

export interface ConnectResponse {
  readonly statusCode: number;
  /** Its status line and fields, as they came. */
  readonly head: string;
  /** What followed the head: the first bytes of the tunnel. */
  readonly rest: Buffer;
}

/**
 * Reads the response to CONNECT, in whatever pieces it comes. It looks at each byte once, so that its
 * work grows with the length of the head and not with the number of the pieces.
 */
export class ConnectResponseParser {
  readonly #maxBytes: number;
  #head = Buffer.allocUnsafe(512);
  #length = 0;
  /** Bytes of the line under way, a carriage return at its start not counted. */
  #line = 0;
  #interim = 0;

  /** A head of more than `maxBytes` is refused. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The final response once its head is complete. Throws when it is too large or not HTTP/1. */
  push(chunk: Buffer): ConnectResponse | undefined {
    for (let at = 0; at < chunk.length;) {
      const end = this.#endOfHead(chunk, at);
      this.#append(chunk.subarray(at, end === -1 ? chunk.length : end));
      if (end === -1) return undefined;
      at = end;
      const text = this.#head.toString('latin1', 0, this.#length);
      this.#length = this.#line = 0;
      const status = /^HTTP\/1\.[01] ([1-5]\d\d)(?:[ \r\n]|$)/.exec(text)?.[1];
      if (status === undefined) throw new Error('its response to CONNECT has no status line');
      const statusCode = Number(status);
      if (statusCode >= 200) {
        return { statusCode, head: text.trimEnd(), rest: chunk.subarray(at) };
      }
      if (++this.#interim > maxInterimResponses) {
        throw new Error(`it sent more than ${maxInterimResponses} interim responses to CONNECT`);
      }
    }
    return undefined;
  }

  /**
   * Where the empty line ends that ends a head, or −1. A bare line feed is no line end in HTTP, but a
   * recipient may take it for one (RFC 9112, section 2.2).
   */
  #endOfHead(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at];
      if (byte === lineFeed) {
        if (this.#line === 0 && this.#length + at > from) return at + 1;
        this.#line = 0;
      } else if (byte !== carriageReturn || this.#line > 0) this.#line++;
    }
    return -1;
  }

  #append(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (length > this.#maxBytes) {
      throw new Error(`its response to CONNECT has a head of more than ${this.#maxBytes} bytes`);
    }
    if (length > this.#head.length) {
      const grown = Buffer.allocUnsafe(
        Math.min(Math.max(length, 2 * this.#head.length), this.#maxBytes),
      );
      this.#head.copy(grown, 0, 0, this.#length);
      this.#head = grown;
    }
    bytes.copy(this.#head, this.#length);
    this.#length = length;
    const start = this.#head.toString('latin1', 0, Math.min(length, 7));
    if (!'HTTP/1.'.startsWith(start)) throw new Error('its response to CONNECT is not HTTP');
  }
}
