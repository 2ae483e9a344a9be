import type { z } from 'zod';

/** Whether a key may be shown. A key of a broken list may be a whole proxy with its password; a word is none. */
function isWord(key: string): boolean {
  return /^[a-z_-]{1,40}$/i.test(key);
}

/** What is wrong, by the dotted name of the field; `''` stands for the whole. */
export function fieldsOf(issues: readonly z.core.$ZodIssue[]): Record<string, string> {
  const fields: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const issue of issues) {
    const path = issue.path.map((key, i) =>
      issue.path[i - 1] === 'proxy_headers' && !isWord(String(key)) ? '(not shown)' : String(key),
    );
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        if (isWord(key)) fields[[...path, key].join('.')] = 'unknown field';
        else fields[path.join('.')] ??= 'an unknown field, whose name is not shown';
      }
    } else {
      fields[path.join('.')] ??= issue.message;
    }
  }
  return fields;
}
