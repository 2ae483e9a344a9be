// Builds what `npm start` runs: the page, and of the program and the packages it imports their ES modules alone. Types
// and CommonJS are for installed packages, and take ten times as long.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = join(root, 'apps/api');
const page = join(root, 'packages/server/dashboard');
const builtPage = join(root, 'packages/server/dist/dashboard/index.html');

const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));

/** The folders of a package and of the workspace's packages that it depends on. */
function closureOf(folder, found = new Set()) {
  if (found.has(folder)) return found;
  found.add(folder);
  for (const [name, version] of Object.entries(manifestOf(folder).dependencies ?? {})) {
    if (version.startsWith('workspace:')) closureOf(folderOf(name), found);
  }
  return found;
}

const folders = new Map(
  readdirSync(join(root, 'packages')).map((each) => {
    const folder = join(root, 'packages', each);
    return [manifestOf(folder).name, folder];
  }),
);
function folderOf(name) {
  const folder = folders.get(name);
  if (folder === undefined) throw new Error(`packages/ has no ${name}`);
  return folder;
}

/** Source and ES module of everything that a package exports. */
function entriesOf(folder) {
  const exported = Object.values(manifestOf(folder).exports ?? {}).flatMap((target) => {
    const source = target['@whirl/source'];
    const module = target.import?.default ?? target.default;
    return source === undefined ? [] : [[source, module]];
  });
  return exported.map(([source, module]) => ({
    in: join(folder, source),
    out: module.replace(/^\.\/dist\/|\.js$/g, ''),
  }));
}

/** Packages that are sources alone are bundled into those that use them: a production install does not link them. */
const bundled = Object.fromEntries(
  [...folders].flatMap(([name, folder]) => {
    const source = manifestOf(folder).exports?.['.'];
    return typeof source === 'string' ? [[name, join(folder, source)]] : [];
  }),
);

const buildModules = (folder, entryPoints) =>
  build({
    entryPoints,
    outdir: join(folder, 'dist'),
    bundle: true,
    splitting: true,
    packages: 'external',
    alias: bundled,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
  });

/** When something in a folder was changed last; removing a file changes its folder. */
function changedAt(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  const inside = readdirSync(path).filter((each) => each !== 'node_modules' && each !== 'test');
  return Math.max(stat.mtimeMs, ...inside.map((each) => changedAt(join(path, each))));
}

async function buildPage() {
  const builtAt = statSync(builtPage, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = ['src', 'index.html', 'vite.config.ts', 'package.json', 'public'];
  if (sources.every((each) => changedAt(join(page, each)) < builtAt)) return;
  const { build: buildPageOf } = await import('vite');
  // The built-in minifier leaves 2 % more and is a hundred times as fast.
  await buildPageOf({
    configFile: join(page, 'vite.config.ts'),
    logLevel: 'error',
    build: { minify: true },
  });
}

await Promise.all([
  buildPage(),
  buildModules(program, [join(program, 'src/server.ts')]),
  ...[...closureOf(program)]
    .filter((folder) => folder !== program)
    .map((folder) => buildModules(folder, entriesOf(folder))),
]);
