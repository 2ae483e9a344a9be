import { anyString, check, matching, object, withMethods } from '@whirl/check';

/** Labels, or attributes, that every series of one `RetryMetrics` bears. */
export type SourceLabels = Readonly<Record<string, string>>;

const maxLabels = 16;
/** A leading `__` is reserved for Prometheus' own use. */
const labelNames = matching('letters, digits and _, no digit and no __ in front', (name) =>
  /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/.test(name),
);
const attributeValues = {
  wanted: 'a string, a number, true or false',
  isType: (value: unknown) => ['string', 'number', 'boolean'].includes(typeof value),
};

/** What is exported, by what is read of it. */
export const exported = withMethods('a RetryMetrics', 'totals', 'totalsByProxy', 'totalsByTarget');

/** Refuses labels that Prometheus would refuse, or that a series has already. Returns a copy. */
export function checkLabels(
  path: string,
  labels: unknown,
  taken: ReadonlySet<string>,
): SourceLabels {
  const entries = checkEntries(path, labels);
  const free = matching("a name that no series of whirl's own has", (name) => !taken.has(name));
  for (const [name, value] of entries) {
    check(`each name in ${path}`, name, labelNames);
    check(`each name in ${path}`, name, free);
    check(`${path}.${name}`, value, anyString);
  }
  return Object.fromEntries(entries) as SourceLabels;
}

/** Refuses attributes that are no strings, numbers or booleans. Returns a copy. */
export function checkAttributes(
  attributes: unknown,
): Readonly<Record<string, string | number | boolean>> {
  const entries = checkEntries('attributes', attributes);
  for (const [name, value] of entries) check(`attributes.${name}`, value, attributeValues);
  return Object.fromEntries(entries) as Record<string, string | number | boolean>;
}

/** The same string for the same labels, in whatever order they were given. */
export function labelKey(labels: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function checkEntries(path: string, given: unknown): [string, unknown][] {
  check(path, given, object);
  const entries = Object.entries(given as object);
  if (entries.length > maxLabels) {
    throw new RangeError(`${path} must be at most ${maxLabels}, got ${entries.length}`);
  }
  return entries;
}
