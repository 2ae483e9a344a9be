// `npm start`: installs what the server needs, builds it and runs it.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

/** Whether this clone has the tools of development. An install without them would take them away. */
function hasTools() {
  try {
    return /"?devDependencies"?: true/.test(
      readFileSync(path('../../node_modules/.modules.yaml'), 'utf8'),
    );
  } catch {
    return false;
  }
}

function run(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: path('../..'), stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const install = ['install', '--frozen-lockfile', '--reporter=append-only'];
if (!hasTools()) install.push('--prod');
run(path('../pnpm.mjs'), ...install, '--filter', '@whirl/start...');
run(path('build.mjs'));
await import('../../apps/api/dist/server.js');
