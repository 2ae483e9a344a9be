/**
 * What an option must be, and what it is if not given. Numbers have bounds, both inclusive; without
 * `max` it is the largest safe integer.
 */
export type Kind = readonly [
  type: 'a number' | 'a whole number' | 'a string' | 'a function' | 'an object',
  fallback?: unknown,
  min?: number,
  max?: number | undefined,
];

/** Milliseconds: at least 1. */
export const time: Kind = ['a number', undefined, 1];

/** A whole number of at least 1. */
export const count: Kind = ['a whole number', undefined, 1];

/** Refuses what is not of its kind: a RangeError for a number out of bounds, else a TypeError. */
export function check(name: string, value: unknown, [type, , min, max = 2 ** 53 - 1]: Kind): void {
  // The last word of each type is what `typeof` answers.
  const typed = type.endsWith(typeof value) && value !== null;
  const bounds = min === undefined ? '' : ` from ${min} to ${max}`;
  const number = value as number;
  if (
    typed &&
    (!bounds || (number >= min! && number <= max && !(type === 'a whole number' && number % 1)))
  ) {
    return;
  }
  // An object is not printed: it may hold a secret, or refuse to become a string.
  const got = Object(value) === value ? typeof value : String(value);
  throw new (typed ? RangeError : TypeError)(`${name} must be ${type}${bounds}, got ${got}`);
}

/**
 * Checks every option given, in the order of `kinds`, and answers a copy with the fallbacks filled
 * in. Refuses a name that nothing reads: it may be misspelt.
 */
export function resolve<Resolved extends object>(
  options: object,
  kinds: { readonly [Name in keyof Resolved]?: Kind },
): Resolved {
  check('options', options, ['an object']);
  const resolved = {} as Resolved;
  const known = Object.keys(kinds);
  for (const name in { ...kinds, ...options }) {
    const { [name]: value = kinds[name]?.[1] as never } = options as Resolved;
    if (value === undefined) continue;
    if (!known.includes(name)) throw new TypeError(`unknown option ${name}; known: ` + known);
    check(name, (resolved[name] = value), kinds[name]!);
  }
  return resolved;
}
