import { array, object, type Kind } from './kinds.ts';
import { shown } from './shown.ts';
import { unknownOption } from './unknown-option.ts';

/**
 * Refuses a value that is not of its kind, naming its path, what would be right and the value: a wrong type with
 * a TypeError, one out of bounds with a RangeError.
 */
export function check(path: string, value: unknown, kind: Kind): void {
  const isTyped = kind.isType(value);
  if (isTyped && kind.isWithin?.(value as never) !== false) return;
  const got = kind.isSecret && typeof value === 'string' ? 'a string' : shown(value);
  throw new (isTyped ? RangeError : TypeError)(`${path} must be ${kind.wanted}, got ${got}`);
}

/** Refuses, with a TypeError, a name in `options` that is not known. `path` is that of `options`, `''` at the top. */
export function checkNames(path: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new TypeError(unknownOption(path, name, known));
  }
}

/**
 * Refuses what is no object, names that `kinds` does not have, and values that are not of their kind; undefined is
 * an option not given, which those named in `required` have to be. `path` is that of `options`, `''` at the top.
 */
export function checkOptions(
  path: string,
  options: unknown,
  kinds: Readonly<Record<string, Kind>>,
  required: readonly string[] = [],
): void {
  check(path === '' ? 'options' : path, options, object);
  const given = options as Record<string, unknown>;
  checkNames(path, given, Object.keys(kinds));
  for (const [name, kind] of Object.entries(kinds)) {
    if (given[name] === undefined && !required.includes(name)) continue;
    check(path === '' ? name : `${path}.${name}`, given[name], kind);
  }
}

/** Refuses what is no array, and each entry that is not of its kind, with its place: `auth[1]`. */
export function checkEach(path: string, values: unknown, kind: Kind, of = 'an array'): void {
  check(path, values, { ...array, wanted: of });
  (values as unknown[]).forEach((value, i) => check(`${path}[${i}]`, value, kind));
}
