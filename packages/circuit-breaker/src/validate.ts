/** Refuses anything but an object whose keys are all in `known` (names parted by spaces). */
export function checkNames(options: unknown, known: string): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`options must be an object, got ${String(options)}`);
  }
  const names = known.split(' ');
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw new TypeError(`unknown option ${name}; known are ${names.join(', ')}`);
    }
  }
}

/** Refuses anything but a finite number of at least `min` and at most `max`. */
export function checkNumber(name: string, value: unknown, min: number, max = Infinity): number {
  if (typeof value !== 'number') {
    throw new TypeError(`${name} must be a number, got ${String(value)}`);
  }
  if (!(value >= min && value <= max && value < Infinity)) {
    const bound = max < Infinity ? `between ${min} and ${max}` : `finite and at least ${min}`;
    throw new RangeError(`${name} must be ${bound}, got ${value}`);
  }
  return value;
}

/** Refuses anything but a whole number of at least 1. */
export function checkCount(name: string, value: unknown): number {
  const count = checkNumber(name, value, 1);
  if (!Number.isSafeInteger(count)) {
    throw new RangeError(`${name} must be a whole number of at least 1, got ${count}`);
  }
  return count;
}

/** Refuses anything but a `type`. */
export function checkType(name: string, value: unknown, type: 'function' | 'string'): void {
  if (typeof value !== type) {
    throw new TypeError(`${name} must be a ${type}, got ${String(value)}`);
  }
}
