/** Letters and digits: what every provider takes. */
const digits36 = 'abcdefghijklmnopqrstuvwxyz0123456789';
/** Providers ask for 8 characters exactly, or for 8 at least. */
const textLength = 8;
const textCount = 36 ** textLength;
/** Numbers of 8 digits: the longest that every provider takes. */
const firstNumber = 10_000_000;
const numberCount = 90_000_000;

/**
 * Every number below `count` once before one comes again: what is behind by a step that has no common divisor with
 * `count`. So no memory is needed of what was given, whatever `random` says.
 */
class Walk {
  readonly #count: number;
  readonly #step: number;
  #at: number;

  constructor(count: number, random: () => number) {
    this.#count = count;
    this.#at = Math.floor(random() * count);
    let step = Math.floor((0.25 + random() / 2) * count);
    while (commonDivisor(step, count) !== 1) step++;
    this.#step = step;
  }

  next(): number {
    this.#at = (this.#at + this.#step) % this.#count;
    return this.#at;
  }
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

/**
 * Names of sessions at providers. None is given twice by one source, before its 2.8 · 10^12 texts or 9 · 10^7 numbers
 * are used up. They are no secrets of a kind that would need a cryptographic source: they are of use only together with
 * the account's password.
 */
export class SessionTokens {
  readonly #random: () => number;
  #texts: Walk | undefined;
  #numbers: Walk | undefined;

  constructor(random: () => number) {
    this.#random = random;
  }

  next(kind: 'text' | 'number' | 'uuid'): string {
    if (kind === 'number') {
      this.#numbers ??= new Walk(numberCount, this.#random);
      return String(firstNumber + this.#numbers.next());
    }
    return kind === 'uuid' ? this.#uuid() : this.#text();
  }

  #nextOfTexts(): number {
    return (this.#texts ??= new Walk(textCount, this.#random)).next();
  }

  /** 8 letters and digits. */
  #text(): string {
    let left = this.#nextOfTexts();
    let text = '';
    for (let i = 0; i < textLength; i++) {
      text += digits36[left % 36];
      left = Math.floor(left / 36);
    }
    return text;
  }

  /** Version 4 (RFC 9562, section 5.4); its first 11 digits are never the same twice. */
  #uuid(): string {
    const own = this.#nextOfTexts().toString(16).padStart(11, '0');
    const rest = Array.from({ length: 19 }, () => Math.floor(this.#random() * 16).toString(16));
    const hex = own + rest.join('');
    const variant = (8 + Math.floor(this.#random() * 4)).toString(16);
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `4${hex.slice(12, 15)}`,
      variant + hex.slice(15, 18),
      hex.slice(18, 30),
    ].join('-');
  }
}
