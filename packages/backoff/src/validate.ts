import type { Jitter } from './jitter.ts';

const jitters: readonly unknown[] = ['none', 'proportional', 'full', 'equal', 'decorrelated'];

/** Refuses option names that nothing reads: a misspelt one would be a silent default. */
export function known(options: object, names: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!names.includes(name)) {
      throw new TypeError(`unknown option "${name}"; there are: ${names.join(', ')}`);
    }
  }
}

/** A finite number of at least `min`; the error names the option, the bound and the value. */
export function number(name: string, value: unknown, min: number, max = Infinity): number {
  if (typeof value !== 'number') {
    throw new TypeError(`${name} must be a number, got ${typeof value}`);
  }
  if (!Number.isFinite(value) || value < min || value > max) {
    const bound = max === Infinity ? `a finite number ≥ ${min}` : `between ${min} and ${max}`;
    throw new RangeError(`${name} must be ${bound}, got ${value}`);
  }
  return value;
}

export function jitterOf(value: unknown): Jitter {
  const name =
    value === undefined || value === false ? 'none' : value === true ? 'proportional' : value;
  if (!jitters.includes(name)) {
    throw new TypeError(
      `jitter must be a boolean or one of ${jitters.join(', ')}, got ${String(value)}`,
    );
  }
  return name as Jitter;
}

export function chance(value: unknown): () => number {
  if (value === undefined) return Math.random;
  if (typeof value !== 'function') {
    throw new TypeError(`random must be a function, got ${typeof value}`);
  }
  return value as () => number;
}
