import { object, type Kind } from './kinds.ts';
import { shown } from './shown.ts';
import { unknownOption } from './unknown-option.ts';

/**
 * Refuses a value that is not of its kind, naming its path, what would be right and the value: a wrong type with
 * a TypeError, one out of bounds with a RangeError.
 */
export function check(path: string, value: unknown, kind: Kind): void {
  const isTyped = kind.isType(value);
  if (isTyped && kind.isWithin?.(value as never) !== false) return;
  throw new (isTyped ? RangeError : TypeError)(
    `${path} must be ${kind.wanted}, got ${shown(value)}`,
  );
}

/** Refuses, with a TypeError, a name in `options` that is not known. `path` is that of `options`, `''` at the top. */
export function checkNames(path: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new TypeError(unknownOption(path, name, known));
  }
}

/**
 * Refuses what is no object, names that `kinds` does not have, and values that are not of their kind; undefined is
 * an option not given. `path` is that of `options`, `''` at the top.
 */
export function checkOptions(
  path: string,
  options: unknown,
  kinds: Readonly<Record<string, Kind>>,
): void {
  check(path === '' ? 'options' : path, options, object);
  checkNames(path, options as object, Object.keys(kinds));
  for (const [name, value] of Object.entries(options as object)) {
    if (value !== undefined) check(path === '' ? name : `${path}.${name}`, value, kinds[name]!);
  }
}

/** Refuses, with a TypeError, the first value of `options` that is no number, but for these names. */
export function checkNumbers(path: string, options: object, but: readonly string[]): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || typeof value === 'number' || but.includes(name)) continue;
    throw new TypeError(`${path}.${name} must be a number, got ${shown(value)}`);
  }
}
