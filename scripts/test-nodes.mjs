// Runs the suites on every Node line that is supported, from the npm packages of Node: the libraries on
// all of them, the apps from 20.19 on. `test:nodes 26.10.0` runs one line, and what follows a `--` goes
// to vitest.
import { spawnSync } from 'node:child_process';

const lines = ['20.18.1', '20.20.2', '22.23.3', '24.21.0', '26.10.0'];
const librariesOnly = new Set(['20.18.1']);
const platform = `node-${process.platform}-${process.arch}`;

const args = process.argv.slice(2);
const split = args.includes('--') ? args.indexOf('--') : args.length;
const wanted = args.slice(0, split);
const failed = [];
for (const version of wanted.length > 0 ? wanted : lines) {
  console.log(`\n# Node ${version}`);
  const filters = args.slice(split + 1);
  if (librariesOnly.has(version)) filters.push('--exclude', 'apps/**');
  const { status } = spawnSync(
    'npx',
    [
      ...['--yes', '--package', `${platform}@${version}`],
      ...['node', 'node_modules/vitest/vitest.mjs', 'run', '--reporter=dot', ...filters],
    ],
    { stdio: 'inherit' },
  );
  if (status !== 0) failed.push(version);
}
if (failed.length > 0) {
  console.error(`\nfailed on Node ${failed.join(', ')}`);
  process.exitCode = 1;
}
