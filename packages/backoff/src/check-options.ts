/**
 * What an option must be: a finite number of at least so much, or of a type. Undefined when it is
 * checked elsewhere.
 */
export type Rule = number | 'function' | 'object' | 'boolean' | undefined;

/**
 * Refuses option names that are not in `rules`, as a misspelt one would be a silent default, and values
 * that do not obey them. Loops with `for in`, which allocates nothing: every `retry()` comes through here.
 */
export function checkOptions(options: object, rules: Readonly<Record<string, Rule>>): void {
  check('options', options, 'object');
  for (const name in options) {
    checkName('an option', name, rules);
    const value = (options as Record<string, unknown>)[name];
    if (value !== undefined) check(name, value, rules[name]);
  }
}

/** Refuses a value that does not obey the rule, naming the option, the bound and the value. */
export function check(name: string, value: unknown, rule: Rule): void {
  if (typeof rule === 'number') {
    if (!(Number.isFinite(value) && (value as number) >= rule)) {
      refuse(name, `>= ${rule}`, value);
    }
  } else if (rule && (typeof value !== rule || value === null)) {
    refuse(name, rule, String(value && typeof value));
  }
}

/** Refuses what is not the name of anything in `table`. */
export function checkName(name: string, value: unknown, table: object): void {
  if (!Object.hasOwn(table, String(value))) {
    refuse(name, `one of ${String(Object.keys(table))}`, String(value));
  }
}

/** Throws a RangeError for a number, which is out of bounds then, and a TypeError for anything else. */
export function refuse(name: string, wanted: string, value: unknown): never {
  const Fault = typeof value === 'number' ? RangeError : TypeError;
  throw new Fault(`${name} must be ${wanted}, got ${String(value)}`);
}
