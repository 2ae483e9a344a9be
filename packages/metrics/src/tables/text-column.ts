/**
 * Short texts in one array of bytes. A kept string would keep whatever it was cut from (an origin
 * its whole URL), so memory would follow the traffic; this does not. What is longer than `length`
 * characters is cut; a character beyond Latin-1 becomes `?`.
 */
export class TextColumn {
  readonly #length: number;
  readonly #bytes: Uint8Array;
  readonly #lengths: Uint8Array;

  /** `length` at most 255. */
  constructor(rows: number, length: number) {
    this.#length = length;
    this.#bytes = new Uint8Array(rows * length);
    this.#lengths = new Uint8Array(rows);
  }

  write(row: number, text: string): void {
    const bytes = this.#bytes;
    const length = Math.min(text.length, this.#length);
    const first = row * this.#length;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      bytes[first + i] = code < 256 ? code : 63;
    }
    this.#lengths[row] = length;
  }

  read(row: number): string {
    const first = row * this.#length;
    return String.fromCharCode(...this.#bytes.subarray(first, first + this.#lengths[row]!));
  }
}
