/** The lines of a text, whatever ends them, one by one: an array of all takes long to make. */
export class Lines {
  readonly #text: string;
  #from = 0;
  /** The next \n and the next \r; Infinity where there is none. */
  #lf = -1;
  #cr = -1;
  /** Of the line that was returned last, from 1. */
  number = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next line; undefined after the last one. */
  next(): string | undefined {
    const text = this.#text;
    const from = this.#from;
    if (from > text.length) return undefined;
    if (this.#lf < from) this.#lf = this.#find('\n');
    if (this.#cr < from) this.#cr = this.#find('\r');
    const end = Math.min(this.#lf, this.#cr);
    this.#from = end + (end === this.#cr && end + 1 === this.#lf ? 2 : 1);
    this.number++;
    return text.slice(from, end);
  }

  #find(sign: string): number {
    const at = this.#text.indexOf(sign, this.#from);
    return at === -1 ? Infinity : at;
  }
}
