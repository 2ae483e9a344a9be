// Rehearses releases in a copy of the repository: versions, publishes for real to a registry on
// loopback, and installs from it as a user would. Then patches one package alone, and asserts that it
// alone is released and that a user gets it. Leaves nothing behind.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startRegistry } from './loopback-registry.mjs';

const source = fileURLToPath(new URL('../../', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'whirl-release-'));
const copy = join(folder, 'whirl');
const user = join(folder, 'user');
const registry = await startRegistry();
const host = registry.url.replace('http:', '');

/** Runs a command; its output is shown only when it fails. */
function run(cwd, command, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, CI: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    let output = '';
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0
        ? resolve(output)
        : reject(new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output}`)),
    );
  });
}
const git = (...args) =>
  run(copy, 'git', ['-c', 'user.name=rehearsal', '-c', 'user.email=rehearsal@localhost', ...args]);
const pnpm = (...args) => run(copy, process.execPath, ['scripts/pnpm.mjs', ...args]);
const changeset = 'tools/node_modules/.bin/changeset';

/** Name and version of each public package. */
async function versions() {
  const packages = await readdir(join(copy, 'packages'));
  const found = {};
  for (const name of packages) {
    const manifest = JSON.parse(
      await readFile(join(copy, 'packages', name, 'package.json'), 'utf8'),
    );
    if (manifest.private !== true) found[manifest.name] = manifest.version;
  }
  return found;
}

/** Versions, commits and publishes; says what reached the registry. */
async function release(message) {
  const before = registry.published.length;
  await pnpm('exec', changeset, 'version');
  await git('commit', '--allow-empty', '-qam', message);
  await pnpm('run', 'build');
  // The registry is set for the publishing process alone: the pinned pnpm comes from the usual one.
  const settings = [
    `npm_config_registry=${registry.url}`,
    `NPM_CONFIG_USERCONFIG=${join(folder, 'publisher.npmrc')}`,
  ];
  await pnpm('exec', 'env', ...settings, changeset, 'publish');
  return registry.published.slice(before).sort();
}

async function install(...names) {
  await run(user, 'npm', ['install', '--no-audit', '--no-fund', ...names]);
  const installed = {};
  for (const name of await readdir(join(user, 'node_modules/@whirl'))) {
    const path = join(user, 'node_modules/@whirl', name, 'package.json');
    installed[`@whirl/${name}`] = JSON.parse(await readFile(path, 'utf8')).version;
  }
  return installed;
}

try {
  await run(folder, 'git', ['clone', '-q', source, copy]);
  await run(folder, 'git', ['init', '-q', user]);
  await writeFile(join(folder, 'publisher.npmrc'), `${host}/:_authToken=rehearsal\n`);
  await writeFile(join(user, '.npmrc'), `@whirl:registry=${registry.url}\n`);
  await writeFile(join(user, 'package.json'), '{ "name": "user", "type": "module" }\n');
  await pnpm('install', '--frozen-lockfile');

  // Changesets that wait in the repository are released first, and once.
  const first = await release('First rehearsed release');
  const released = await versions();
  console.log(`released: ${first.join(' ')}`);
  assert.deepEqual(
    first,
    Object.entries(released)
      .map(([name, version]) => `${name}@${version}`)
      .sort(),
    'every public package is on the registry',
  );

  const brought = ['backoff', 'circuit-breaker', 'events', 'metrics', 'rotator', 'selector'];
  const libraries = Object.fromEntries(
    brought.map((name) => [`@whirl/${name}`, released[`@whirl/${name}`]]),
  );
  assert.deepEqual(
    await install('@whirl/rotator'),
    libraries,
    'the rotator brings the five others',
  );
  const program = `
    import { ProxyRotator } from '@whirl/rotator';
    import { CircuitBreaker } from '@whirl/circuit-breaker';
    const rotator = new ProxyRotator({ proxies: ['http://127.0.0.1:9'] });
    console.log(rotator.proxies().length, await new CircuitBreaker().execute(async () => 'works'));
    await rotator.close();`;
  await writeFile(join(user, 'program.js'), program);
  assert.equal(await run(user, process.execPath, ['program.js']), '1 works\n');

  // A patch of the breaker alone.
  await writeFile(
    join(copy, '.changeset/rehearsal.md'),
    '---\n"@whirl/circuit-breaker": patch\n---\n\nA rehearsed patch.\n',
  );
  await git('add', '-A');
  await git('commit', '-qm', 'A rehearsed patch');
  const second = await release('Second rehearsed release');
  console.log(`a patch of the breaker: ${second.join(' ')}`);
  const [major, minor, patch] = released['@whirl/circuit-breaker'].split('.').map(Number);
  const patched = `${major}.${minor}.${patch + 1}`;
  assert.deepEqual(second, [`@whirl/circuit-breaker@${patched}`], 'it alone is released');
  assert.deepEqual(await versions(), { ...released, '@whirl/circuit-breaker': patched });
  const changelog = await readFile(join(copy, 'packages/circuit-breaker/CHANGELOG.md'), 'utf8');
  assert.match(changelog, /A rehearsed patch/);

  await rm(join(user, 'node_modules'), { recursive: true });
  await rm(join(user, 'package-lock.json'));
  assert.deepEqual(
    await install('@whirl/rotator'),
    { ...libraries, '@whirl/circuit-breaker': patched },
    'a user of the rotator gets the patch without a release of the rotator',
  );
  assert.equal(await run(user, process.execPath, ['program.js']), '1 works\n');
  console.log('installed as a user: the rotator brings the patched breaker');
  await install('@whirl/cli');
  assert.equal(await run(user, 'npx', ['whirl', '--version']), `${released['@whirl/cli']}\n`);
  console.log('installed as a user: the command runs');
} finally {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
}
