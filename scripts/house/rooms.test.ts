import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { absolute, typescriptIn } from './files.ts';

/**
 * The folders of a package's sources, the highest first; `.` is the package's face. A file imports from its own
 * folder and from lower floors, and every folder stands on one.
 */
const floors: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'packages/rotator/src': [
    ['.'],
    ['request'],
    ['pool', 'connection'],
    ['policy'],
    ['blame'],
    ['message', 'events'],
    ['proxy'],
  ],
  'packages/selector/src': [['.'], ['strategies'], ['candidates'], ['slots'], ['check']],
  'packages/metrics/src': [['exporters'], ['.'], ['tables'], ['latency']],
  'packages/gateway/src': [
    ['.'],
    ['connection'],
    ['tunnel', 'forward'],
    ['flight', 'socks', 'routing', 'access'],
    ['head'],
  ],
  'packages/fleet/src': [['testing'], ['.'], ['protocol', 'redis', 'file']],
  'packages/server/src': [
    ['testing'],
    ['.'],
    ['routes'],
    ['config', 'events'],
    ['proxies'],
    ['listing'],
    ['wire', 'http'],
  ],
  'packages/cli/src': [
    ['.'],
    ['bench'],
    ['check', 'completion', 'get', 'serve'],
    ['check/results', 'pool'],
    ['terminal'],
  ],
  'packages/testkit/src': [['.'], ['simulation']],
};

/** The packages whose sources have folders. */
const packagesWithRooms = readdirSync(absolute('packages'))
  .map((name) => `packages/${name}/src`)
  .filter((root) => typescriptIn(root).some((path) => dirname(path) !== root));

/** Files of the face that import none of its others: every floor may use them. */
function foundationsOf(imports: ReadonlyMap<string, readonly string[]>): Set<string> {
  const foundations = new Set<string>();
  const isFace = (path: string) => !path.includes('/');
  for (let before = -1; before < foundations.size;) {
    before = foundations.size;
    for (const [path, targets] of imports) {
      if (isFace(path) && targets.every((target) => foundations.has(target))) foundations.add(path);
    }
  }
  return foundations;
}

/** `import … from './x.ts'`, `import './x.ts'`, `import('./x.ts')`, and the same of `export`. */
const importing = /(?:from|import) ?\(?'(\.[^']+)'/g;

/** The files of a package, each with those of the package that it imports, types included. */
function importsIn(root: string): Map<string, string[]> {
  const sources = typescriptIn(root).filter((path) => !/\.test(-kit)?\.ts$/.test(path));
  return new Map(
    sources.map((path) => {
      const found = readFileSync(absolute(path), 'utf8').matchAll(importing);
      const targets = [...found].map(([, target = '']) => join(dirname(path), target));
      return [relative(root, path), targets.map((target) => relative(root, target))];
    }),
  );
}

it('every package whose sources have folders has an order of them', () => {
  expect(Object.keys(floors).toSorted()).toEqual(packagesWithRooms.toSorted());
});

describe.each(Object.entries(floors))('the rooms of %s', (root, order) => {
  const imports = importsIn(root);
  const foundations = foundationsOf(imports);
  const floorOf = (path: string) => order.findIndex((floor) => floor.includes(dirname(path)));

  it('stand on a floor each', () => {
    expect([...imports.keys()].filter((path) => floorOf(path) === -1)).toEqual([]);
  });

  it('import from lower floors only', () => {
    const wrong = [...imports].flatMap(([path, targets]) =>
      targets
        .filter((target) => !foundations.has(target) && dirname(target) !== dirname(path))
        .filter((target) => floorOf(target) <= floorOf(path))
        .map((target) => `${path} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });
});
