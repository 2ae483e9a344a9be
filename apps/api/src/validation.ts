import type { z } from 'zod';

/** What is wrong, by the dotted name of the field; `''` stands for the whole. */
export function fieldsOf(issues: readonly z.core.$ZodIssue[]): Record<string, string> {
  const fields: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const issue of issues) {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) fields[[...path, key].join('.')] = 'unknown field';
    } else {
      fields[path.join('.')] ??= issue.message;
    }
  }
  return fields;
}
