// Runs the small suite of the built-in fetch on every Node line that the libraries support.
import { spawnSync } from 'node:child_process';

const lines = ['20.20.2', '22.23.3', '24.21.0', '26.10.0'];
const suite = [
  'packages/rotator/src/built-in-fetch.test.ts',
  'packages/rotator/src/dispatcher.test.ts',
];
const platform = `node-${process.platform}-${process.arch}`;
let failed = false;
for (const version of process.argv.length > 2 ? process.argv.slice(2) : lines) {
  console.log(`\n# Node ${version}`);
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...suite];
  const { status } = spawnSync(
    'npx',
    ['--yes', '--package', `${platform}@${version}`, 'node', ...vitest],
    { stdio: 'inherit' },
  );
  failed ||= status !== 0;
}
process.exit(failed ? 1 : 0);
