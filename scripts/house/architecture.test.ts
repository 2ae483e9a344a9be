import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { absolute, typescriptIn } from './files.ts';

const page = readFileSync(absolute('docs/architecture.md'), 'utf8');

it('every member that the page on the architecture names is one of the class', () => {
  const sources = typescriptIn('packages/rotator/src')
    .filter((path) => !path.endsWith('.test.ts'))
    .map((path) => readFileSync(absolute(path), 'utf8'));
  const members = [...page.matchAll(/`([A-Z]\w+)\.(\w+)`/g)];
  const missing = members.filter(([, name = '', member = '']) => {
    const source = sources.find((each) => new RegExp(`class ${name}\\b`).test(each));
    return source === undefined || !new RegExp(`^  [\\w ]*\\b${member}\\(`, 'm').test(source);
  });
  expect(members.length).toBeGreaterThan(4);
  expect(missing.map(([text]) => text)).toEqual([]);
});

it('every room of every package is on the page on the architecture', () => {
  const rooms = typescriptIn('packages')
    .map((path) => /\/src\/(.+)\/[^/]+$/.exec(path)?.[1])
    .filter((room) => room !== undefined && !/^(?:testing|simulation)$/.test(room));
  expect([...new Set(rooms)].filter((room) => !page.includes(`${room}/`))).toEqual([]);
});

it('every link of the page to a file is named as the file', () => {
  const links = [...page.matchAll(/\[`([^`]+)`\]\(([^)]+)\)/g)];
  expect(links.length).toBeGreaterThan(40);
  expect(
    links.filter(([, name = '', to = '']) => !to.endsWith(name)).map(([link]) => link),
  ).toEqual([]);
});
