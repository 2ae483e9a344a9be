/** Refuses anything but an object whose keys are all in `known` (names parted by spaces). */
export function checkNames(what: string, options: unknown, known: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`${what} must be an object, got ${shown(options)}`);
  }
  const names = known.split(' ');
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw new TypeError(`${what} has no option ${name}; known are ${names.join(', ')}`);
    }
  }
}

/** Refuses anything but a finite number from `min` to `max`. */
export function checkNumber(name: string, value: unknown, min: number, max = Infinity): number {
  if (typeof value !== 'number')
    throw new TypeError(`${name} must be a number, got ${shown(value)}`);
  if (!(value >= min && value <= max && value < Infinity)) {
    const bound = max < Infinity ? `between ${min} and ${max}` : `finite and at least ${min}`;
    throw new RangeError(`${name} must be ${bound}, got ${value}`);
  }
  return value;
}

/** What `Date` can hold. */
const maxInstant = 8.64e15;
/** A clock beyond the first shows this century; a number below the second is no instant of it, but a duration. */
const thisCentury = 946_684_800_000;
const noInstant = 100_000_000_000;

/** Refuses anything but an instant in epoch milliseconds; a duration is refused where the clock tells them apart. */
export function checkInstant(name: string, value: unknown, now: number): number {
  const instant = checkNumber(name, value, 0, maxInstant);
  if (now >= thisCentury && instant < noInstant) {
    throw new RangeError(
      `${name} must be an instant in epoch milliseconds, got ${instant}, which looks like a duration`,
    );
  }
  return instant;
}

/** Refuses anything but a whole number from 1 to `max`. */
export function checkCount(name: string, value: unknown, max = Number.MAX_SAFE_INTEGER): number {
  const count = checkNumber(name, value, 1, max);
  if (!Number.isSafeInteger(count)) {
    throw new RangeError(`${name} must be a whole number, got ${count}`);
  }
  return count;
}

/** Refuses anything but a text of at least one character. */
export function checkText(name: string, value: unknown): string {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a text, got ${shown(value)}`);
  if (value === '') throw new RangeError(`${name} must not be empty`);
  return value;
}

/** Refuses anything but an array of texts. */
export function checkArrayOfTexts(name: string, values: unknown): void {
  if (!Array.isArray(values)) {
    throw new TypeError(`${name} must be an array of texts, got ${shown(values)}`);
  }
  for (const each of values) checkText(`each of ${name}`, each);
}

export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') {
    throw new TypeError(`${name} must be a function, got ${shown(value)}`);
  }
}

/** Longer strings, and those with a character of addresses, may hold a password. */
const harmless = /^[^:@]{0,64}$/;

/** A value as messages show it: of an object only that it is one, a string only where it can be no address. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return harmless.test(value) ? JSON.stringify(value) : 'a string';
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
