/** Refuses anything but an object whose keys are all among `known`. */
export function checkNames(options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`options must be an object, got ${String(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new TypeError(`unknown option ${name}; known are ${known.join(', ')}`);
    }
  }
}

/** Refuses anything but a whole number from `min` to `max`. */
export function checkWhole(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') {
    throw new TypeError(`${name} must be a number, got ${String(value)}`);
  }
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new RangeError(`${name} must be a whole number from ${min} to ${max}, got ${value}`);
  }
  return value;
}

/** Refuses anything but a function. */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') {
    throw new TypeError(`${name} must be a function, got ${typeof value}`);
  }
}

/** Refuses anything but true or false. */
export function checkBoolean(name: string, value: unknown): void {
  if (typeof value !== 'boolean') {
    throw new TypeError(`${name} must be true or false, got ${String(value)}`);
  }
}

/** Refuses what cannot be listened to. */
export function checkBus(bus: unknown): void {
  if (typeof (bus as { on?: unknown } | null | undefined)?.on !== 'function') {
    throw new TypeError(`bus must be a bus, got ${bus === null ? 'null' : typeof bus}`);
  }
}
