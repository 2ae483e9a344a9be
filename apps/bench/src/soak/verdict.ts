/** One thing that must hold, and what was measured of it. */
export interface Verdict {
  readonly what: string;
  readonly value: string;
  readonly holds: boolean;
}

export function verdict(what: string, value: string, holds: boolean): Verdict {
  return { what, value, holds };
}

/** All of them are the same. */
export function equal(what: string, ...values: readonly (number | string)[]): Verdict {
  const [first = ''] = values;
  const holds = values.every((each) => each === first);
  return verdict(what, holds ? String(first) : values.join(' ≠ '), holds);
}

/** None is less than the one before it. */
export function ascending(what: string, values: readonly number[]): Verdict {
  const holds = values.every((each, i) => i === 0 || each >= (values[i - 1] as number));
  return verdict(what, values.join(holds ? ' ≤ ' : ', '), holds);
}

/** Counts that are not 0, as words, so that they can be compared and read. */
export function inWords(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
