// Runs a script of tools/package.json; what it needs is installed first, because a start and the tests do not.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const pnpm = (...args) =>
  spawnSync(process.execPath, [fileURLToPath(new URL('pnpm.mjs', import.meta.url)), ...args], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: 'inherit',
  }).status ?? 1;

process.exitCode =
  pnpm('install', '--frozen-lockfile', '--reporter=silent', '--filter', '@whirl/tools...') ||
  pnpm('--filter', '@whirl/tools', 'run', ...process.argv.slice(2));
