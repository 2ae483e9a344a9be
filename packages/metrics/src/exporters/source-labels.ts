/** Labels, or attributes, that every series of one `RetryMetrics` bears. */
export type SourceLabels = Readonly<Record<string, string>>;

const maxLabels = 16;
/** The names that Prometheus accepts; a leading `__` is reserved for its own use. */
const labelName = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;

/** Refuses labels that Prometheus would refuse, or that a series has already. Returns a copy. */
export function checkLabels(labels: unknown, taken: ReadonlySet<string>): SourceLabels {
  const entries = checkEntries('labels', labels);
  for (const [name, value] of entries) {
    if (!labelName.test(name)) {
      throw new RangeError(`labels.${name} must be named as in Prometheus: [a-zA-Z_][a-zA-Z0-9_]*`);
    }
    if (taken.has(name)) {
      throw new RangeError(`labels.${name} is a label of whirl's own series; choose another name`);
    }
    if (typeof value !== 'string') {
      throw new TypeError(`labels.${name} must be a string, got ${typeof value}`);
    }
  }
  return Object.fromEntries(entries) as SourceLabels;
}

/** Refuses attributes that are no strings, numbers or booleans. Returns a copy. */
export function checkAttributes(
  attributes: unknown,
): Readonly<Record<string, string | number | boolean>> {
  const entries = checkEntries('attributes', attributes);
  for (const [name, value] of entries) {
    if (!['string', 'number', 'boolean'].includes(typeof value)) {
      throw new TypeError(
        `attributes.${name} must be a string, number or boolean, got ${typeof value}`,
      );
    }
  }
  return Object.fromEntries(entries) as Record<string, string | number | boolean>;
}

/** The same string for the same labels, in whatever order they were given. */
export function labelKey(labels: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function checkEntries(option: string, given: unknown): [string, unknown][] {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    const got = given === null ? 'null' : Array.isArray(given) ? 'an array' : typeof given;
    throw new TypeError(`${option} must be an object, got ${got}`);
  }
  const entries = Object.entries(given);
  if (entries.length > maxLabels) {
    throw new RangeError(`${option} must be at most ${maxLabels}, got ${entries.length}`);
  }
  return entries;
}
