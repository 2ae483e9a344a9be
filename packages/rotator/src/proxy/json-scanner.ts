import type { Steps } from '../steps.ts';

/** Thrown where a text stops being JSON. */
export class JsonSyntaxError extends Error {
  readonly line: number;

  constructor(line: number) {
    super(`line ${line} is not JSON`);
    this.line = line;
  }
}

/** Deeper JSON is not taken for a list. */
const maxDepth = 200;

/** Tokens that `skip` passes in one step. */
const tokensPerStep = 1000;

/** What is neither a string, an array nor an object. */
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/**
 * Walks through JSON without making its values, so that a text of megabytes can be read value by value. Every
 * method throws `JsonSyntaxError` where the text is not JSON; only the insides of strings are not looked at.
 */
export class JsonScanner {
  readonly #text: string;
  #line: number;
  /** Where it stands: an index of the text. */
  at: number;

  constructor(text: string, { at, line }: { at: number; line: number } = { at: 0, line: 1 }) {
    this.#text = text;
    this.at = at;
    this.#line = line;
  }

  /** The line on which it stands, from 1. */
  get line(): number {
    return this.#line;
  }

  /** Moves to the next character that is no space, and returns it; empty at the end. */
  peek(): string {
    const text = this.#text;
    for (; ; this.at++) {
      const c = text[this.at];
      if (c === '\n' || (c === '\r' && text[this.at + 1] !== '\n')) this.#line++;
      else if (c !== ' ' && c !== '\t' && c !== '\r') return c ?? '';
    }
  }

  /** Moves past a character that may be there. Returns whether it was. */
  take(c: string): boolean {
    if (this.peek() !== c) return false;
    this.at++;
    return true;
  }

  /** Moves past a character that must be there. */
  expect(c: string): void {
    if (!this.take(c)) this.fail();
  }

  /** Moves past a comma, after which more follows, or past `closing`. Returns whether more follows. */
  more(closing: ']' | '}'): boolean {
    if (this.take(',')) return true;
    this.expect(closing);
    return false;
  }

  /** Moves past a key and its colon. Returns the key as it is written, with its quotes. */
  key(): string {
    if (this.peek() !== '"') this.fail();
    const from = this.at;
    this.#string();
    const key = this.#text.slice(from, this.at);
    this.expect(':');
    return key;
  }

  /** Moves past a value. */
  *skip(): Steps<void> {
    const open: (']' | '}')[] = [];
    for (let tokens = 1; ; tokens++) {
      if (tokens % tokensPerStep === 0) yield;
      const c = this.peek();
      if (c === '[' || c === '{') {
        this.at++;
        const closing = c === '[' ? ']' : '}';
        if (!this.take(closing)) {
          open.push(closing);
          if (open.length > maxDepth) this.fail();
          if (closing === '}') this.key();
          continue;
        }
      } else if (c === '"') this.#string();
      else this.#scalar();
      while (open.length > 0 && !this.more(open.at(-1) as ']' | '}')) open.pop();
      const closing = open.at(-1);
      if (closing === undefined) return;
      if (closing === '}') this.key();
    }
  }

  fail(): never {
    throw new JsonSyntaxError(this.#line);
  }

  #string(): void {
    let end = this.#text.indexOf('"', this.at + 1);
    while (end !== -1 && this.#isEscaped(end)) end = this.#text.indexOf('"', end + 1);
    if (end === -1) this.fail();
    this.at = end + 1;
  }

  #isEscaped(at: number): boolean {
    let from = at;
    while (this.#text[from - 1] === '\\') from--;
    return (at - from) % 2 === 1;
  }

  #scalar(): void {
    scalar.lastIndex = this.at;
    if (!scalar.test(this.#text)) this.fail();
    this.at = scalar.lastIndex;
  }
}
