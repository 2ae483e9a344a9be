/** What an option must be: a finite number of at least so much, or of a type; '' is checked elsewhere. */
export type Rule = number | 'function' | 'object' | '';

/**
 * Refuses option names that are not in `rules`, as a misspelt one would be a silent default, and values
 * that do not obey them. Every `retry()` comes through here: `for in` and a plain lookup allocate nothing.
 */
export function checkOptions(options: object, rules: Readonly<Record<string, Rule>>): void {
  check('options', options, 'object');
  for (const name in options) {
    const rule = rules[name];
    if (rule === undefined) throw new TypeError(`unknown option "${name}"`);
    const value = (options as Record<string, unknown>)[name];
    if (value !== undefined) check(name, value, rule);
  }
}

/** Refuses a value that does not obey the rule, naming the option, the bound and the value, or what kind of value it is. */
export function check(name: string, value: unknown, rule: Rule): void {
  const type = value === null ? value : typeof value;
  if (typeof rule !== 'number') {
    if (rule && type !== rule) refuse(name, rule, type);
  } else if (type !== 'number') {
    refuse(name, `a number ≥ ${rule}`, type);
  } else if (!((value as number) >= rule && (value as number) < Infinity)) {
    refuse(name, `a number ≥ ${rule}`, value as number);
  }
}

/** Throws a RangeError that shows a number, which is out of bounds, or a TypeError that shows the type of anything else. */
export function refuse(name: string, wanted: string, got: number | string | null): never {
  throw new (typeof got === 'number' ? RangeError : TypeError)(
    `${name} must be ${wanted}, got ${got}`,
  );
}
