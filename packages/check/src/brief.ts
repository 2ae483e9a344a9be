/** What a value must be, its type or a test of it, its default, and its bounds, if it has any. */
export type BriefKind = readonly [
  wanted: string,
  type: string | ((value: never) => boolean),
  fallback?: unknown,
  isWithin?: ((value: never) => boolean) | undefined,
];

/**
 * Does what `checkOptions()` does, in the same words, where bytes are dear; returns the options with the defaults filled
 * in. It looks for no nearest name, and of a string it says that it is one.
 */
export function resolveBriefly(
  path: string,
  options: unknown,
  kinds: Readonly<Record<string, BriefKind>>,
): Record<string, unknown> {
  checkBriefly(path || 'options', options, ['an object', 'object']);
  const names = Object.keys(kinds);
  const prefix = path && `${path}.`;
  for (const name in options as object) {
    if (!names.includes(name)) {
      throw new TypeError(`unknown option "${prefix + name}"; known are ${names.join(', ')}`);
    }
  }
  return Object.fromEntries(
    names.map((name) => {
      const { [name]: value = kinds[name]![2] } = options as Record<string, unknown>;
      checkBriefly(prefix + name, value, kinds[name]!);
      return [name, value];
    }),
  );
}

/** Does what `check()` does, in the same words, where bytes are dear. */
export function checkBriefly(
  path: string,
  value: unknown,
  [wanted, wantedType, , isWithin]: BriefKind,
): void {
  const type = Array.isArray(value) ? 'array' : typeof value;
  const isTyped =
    typeof wantedType === 'string'
      ? type === wantedType && value !== null
      : wantedType(value as never);
  if (isTyped && isWithin?.(value as never) !== false) return;
  const got =
    value === null || /^[bnu]/.test(type) ? value : `a${/^[ao]/.test(type) ? 'n' : ''} ${type}`;
  throw new (isTyped ? RangeError : TypeError)(`${path} must be ${wanted}, got ${got as string}`);
}
