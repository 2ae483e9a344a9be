// Builds the documentation as a static site into apps/site/dist; what it needs is installed first, because a start and
// the tests do not.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const cwd = fileURLToPath(new URL('..', import.meta.url));
const run = (...args) => spawnSync(process.execPath, args, { cwd, stdio: 'inherit' }).status ?? 1;
const pnpm = (...args) => run('scripts/pnpm.mjs', ...args);
const filters = ['whirl...', '@whirl/cli...', '@whirl/site...'].flatMap((name) => [
  '--filter',
  name,
]);

process.exitCode =
  pnpm('install', '--frozen-lockfile', '--reporter=silent', ...filters) ||
  run('--conditions=@whirl/source', '--import', 'tsx', 'apps/site/src/main.ts') ||
  pnpm('--filter', '@whirl/site', 'run', 'site');
