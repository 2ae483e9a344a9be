// Runs the recipes of docs/clients.md with the clients that they are for. Their npm packages are installed first, because
// a start and the tests do not need them.
//
//   --setup   installs the Debian packages that are missing
//   …         everything else is passed to vitest
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** How to see that a program is there, and the package of Debian that brings it. */
const needed = [
  { package: 'curl', command: ['curl', '--version'] },
  { package: 'python3', command: ['python3', '--version'] },
  { package: 'python3-requests', command: ['python3', '-c', 'import requests'] },
  {
    package: 'chromium',
    command: [
      'sh',
      '-c',
      'command -v chromium chromium-browser google-chrome google-chrome-stable | grep -q .',
    ],
  },
];
const root = fileURLToPath(new URL('..', import.meta.url));

function run(program, ...args) {
  return spawnSync(program, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

function pnpm(...args) {
  return run(process.execPath, fileURLToPath(new URL('pnpm.mjs', import.meta.url)), ...args);
}

function missing() {
  return needed
    .filter(({ command: [program, ...args] }) => spawnSync(program, args).status !== 0)
    .map((each) => each.package);
}

if (process.argv.includes('--setup') && missing().length > 0) {
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo'];
  const apt = [...asRoot, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get'];
  run(...apt, 'update');
  run(...apt, 'install', '-y', '--no-install-recommends', ...missing());
}
const lacking = missing();
if (lacking.length > 0) {
  console.error(
    `test:clients needs these packages of Debian: ${lacking.join(', ')}\n` +
      '`npm run test:clients -- --setup` installs them',
  );
  process.exit(1);
}
const only = ['--filter', 'whirl', '--filter', '@whirl/real-clients...'];
const vitest = ['exec', 'vitest', 'run', '--config', 'apps/real-clients/vitest.config.ts'];
const args = process.argv.slice(2).filter((arg) => arg !== '--setup');
process.exitCode =
  pnpm('install', '--frozen-lockfile', '--reporter=append-only', ...only) ||
  pnpm('exec', 'tsc', '--noEmit', '-p', 'apps/real-clients') ||
  pnpm(...vitest, ...args);
