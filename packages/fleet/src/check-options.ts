export function checkNames(what: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(
      `${what} must be given an object, got ${options === null ? 'null' : typeof options}`,
    );
  }
  for (const name in options) {
    if (!known.includes(name)) {
      throw new TypeError(`${what} has no option ${name}; known are ${known.join(', ')}`);
    }
  }
}

export function checkMethod(name: string, value: unknown, method: string): void {
  const found = (value as Record<string, unknown> | null | undefined)?.[method];
  if (typeof found !== 'function') {
    throw new TypeError(
      `${name} must be an object with ${method}(), got ${value === null ? 'null' : typeof value}`,
    );
  }
}

export function checkFlag(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new TypeError(`${name} must be true or false, got ${typeof value}`);
}

export function checkNumber(
  name: string,
  value: unknown,
  bounds: readonly [number, number, number],
): number {
  const [min, max, fallback] = bounds;
  if (value === undefined) return fallback;
  if (typeof value !== 'number')
    throw new TypeError(`${name} must be a number, got ${typeof value}`);
  if (value >= min && value <= max) return value;
  throw new RangeError(`${name} must be from ${min} to ${max}, got ${value}`);
}

/** Names are parts of keys: braces would move them to another slot. */
export function checkName(name: string, value: unknown, fallback: string): string {
  if (value === undefined && fallback !== '') return fallback;
  if (typeof value !== 'string')
    throw new TypeError(`${name} must be a string, got ${typeof value}`);
  if (value === '' || value.length > 200 || /[{}\s]/.test(value)) {
    throw new RangeError(
      `${name} must be 1 to 200 characters without spaces and braces, got ${JSON.stringify(value)}`,
    );
  }
  return value;
}

export function checkPath(name: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new TypeError(
    `${name} must be a path, got ${value === '' ? 'an empty string' : typeof value}`,
  );
}
