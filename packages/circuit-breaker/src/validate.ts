/**
 * What an option must be: of the type of its default, which is 0 where there is no number and null
 * where there is no object. Numbers have bounds, both inclusive.
 */
export type Kind = readonly [
  fallback: unknown,
  isWhole?: boolean,
  min?: number,
  max?: number | undefined,
];

/** Refuses what is not of its kind: a RangeError for a number out of bounds, else a TypeError. */
export function check(
  name: string,
  value: unknown,
  [fallback, isWhole, min = 1, max = 2 ** 53 - 1]: Kind,
): void {
  const type = typeof fallback;
  const isTyped = typeof value === type && value !== null;
  if (isTyped && (type !== 'number' || ((value as number) >= min && (value as number) <= max))) {
    if (!(isWhole && (value as number) % 1)) return;
  }
  const wanted = isWhole ? 'an integer' : (fallback === null ? 'an ' : 'a ') + type;
  throw isTyped
    ? new RangeError(`${name} must be ${wanted} from ${min} to ${max}, got ${value as number}`)
    : // Only what kind it is: it may hold a secret, or refuse to become a string.
      new TypeError(
        `${name} must be ${wanted}, got ${value == null ? value : (typeof value === 'object' ? 'an ' : 'a ') + typeof value}`,
      );
}

/** The kind of each option. */
export type Kinds<Resolved> = { readonly [Name in keyof Resolved]?: Kind };

/**
 * Checks every option given, in the order of `kinds`, and returns a copy with the fallbacks filled
 * in. Refuses a name that nothing reads: it may be misspelt.
 */
export function resolve<Resolved extends object>(
  options: object = {},
  kinds: Kinds<Resolved>,
): Resolved {
  check('options', options, [null]);
  const known = Object.keys(kinds);
  const resolved = {} as Resolved;
  for (const name in { ...kinds, ...options }) {
    if (!known.includes(name)) throw new TypeError(`unknown option "${name}"; known are ` + known);
    const kind = kinds[name as keyof Resolved]!;
    const value = (options as Resolved)[name as keyof Resolved];
    if (value !== undefined) check(name, value, kind);
    resolved[name as keyof Resolved] = value ?? (kind[0] as never) ?? undefined;
  }
  return resolved;
}
