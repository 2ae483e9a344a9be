// Runs what needs a redis-server: the contract of stores with each client, and faults with real processes.
// Arguments are passed to vitest.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

if (spawnSync('redis-server', ['--version']).status !== 0) {
  console.error(
    'test:fleet needs a redis-server of version 6.2 or later: apt-get install redis-server, or brew install redis.',
  );
  process.exit(1);
}
const vitest = ['exec', 'vitest', 'run', '--config', 'packages/fleet/vitest.server.config.ts'];
const { status } = spawnSync(
  process.execPath,
  ['scripts/pnpm.mjs', ...vitest, ...process.argv.slice(2)],
  { cwd: fileURLToPath(new URL('..', import.meta.url)), stdio: 'inherit' },
);
process.exit(status ?? 1);
