import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { absolute, typescriptIn } from './files.ts';

const specification = readFileSync(absolute('docs/behaviour.md'), 'utf8');

/** The identifiers that begin a title: `'K7 …'`, `"E5 E6 …"`. */
function identifiersIn(source: string): string[] {
  const found = source.matchAll(/['"`]((?:[A-Z]\d{1,2}[a-z]? )+)/g);
  return [...found].flatMap(([, identifiers = '']) => identifiers.trim().split(' '));
}

const tests = ['packages', 'apps', 'scripts/house']
  .flatMap(typescriptIn)
  .filter((path) => /\.test(-kit)?\.ts$/.test(path));
const shown = new Set(tests.flatMap((path) => identifiersIn(readFileSync(absolute(path), 'utf8'))));

const sections = specification.split(/^### /m).slice(1);
const identifierOf = (section: string) => section.slice(0, section.indexOf(' '));

it('the specification has no identifier twice', () => {
  const identifiers = sections.map(identifierOf);
  expect(identifiers.filter((one, index) => identifiers.indexOf(one) !== index)).toEqual([]);
});

it('every behaviour of the specification is shown by a test, or by the command it names', () => {
  const alone = sections.filter(
    (section) => !shown.has(identifierOf(section)) && !section.includes('`npm run '),
  );
  expect(alone.map(identifierOf)).toEqual([]);
});

it('every identifier in a test title stands in the specification', () => {
  const known = new Set(sections.map(identifierOf));
  expect([...shown].filter((identifier) => !known.has(identifier))).toEqual([]);
});
