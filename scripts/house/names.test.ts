import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, it } from 'vitest';
import { absolute, typescriptIn } from './files.ts';

const sources = typescriptIn('packages').filter(
  (path) => path.includes('/src/') && !/\.(?:test|d)\.ts$/.test(path),
);
const exported = /^export (?:abstract |async )?(?:class|const|function\*?|interface|type) (\w+)/gm;
/** Exported classes, errors aside: those stand beside what throws them. */
const classes = /^export (?:abstract )?class (\w+)(?!.* extends \w*Error)/gm;

/** `HttpAgent` → `http-agent`. */
const kebab = (name: string) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();

it('a file that exports one class is named after it, or after another of its exports', () => {
  const wrong = sources.flatMap((path) => {
    const text = readFileSync(absolute(path), 'utf8');
    const [one, another] = text.matchAll(classes);
    if (one === undefined || another !== undefined) return [];
    const names = Array.from(text.matchAll(exported), ([, name = '']) => kebab(name));
    return names.includes(basename(path, '.ts')) ? [] : [`${path} exports ${one[1]}`];
  });
  expect(wrong).toEqual([]);
});
