import { existsSync, readFileSync } from 'node:fs';
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

it('every file and folder that CONTRIBUTING names of a package, or of an app, is there', () => {
  const items = readFileSync(absolute('CONTRIBUTING.md'), 'utf8')
    .split(/^- \*\*`/m)
    .slice(1);
  const named = items.flatMap((item) => {
    const folder = (item.split('`')[0] as string).replace('@whirl/', 'packages/');
    const paths = (item.split('\n\n')[0] as string).matchAll(/`([\w/-]+(?:\/|\.ts))`/g);
    return Array.from(paths, ([, path = '']) => ({ folder, path }));
  });
  const missing = named.filter(({ folder, path }) =>
    ['', 'src/'].every((place) => !existsSync(absolute(`${folder}/${place}${path}`))),
  );
  expect(named.length).toBeGreaterThan(35);
  expect(missing).toEqual([]);
});

it('every link of the page to a file is named as the file', () => {
  const links = [...page.matchAll(/\[`([^`]+)`\]\(([^)]+)\)/g)];
  expect(links.length).toBeGreaterThan(40);
  expect(
    links.filter(([, name = '', to = '']) => !to.endsWith(name)).map(([link]) => link),
  ).toEqual([]);
});
