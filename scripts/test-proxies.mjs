// Runs apps/real-proxies: every kind of request through proxies from Debian's packages.
//
//   --setup   installs the packages that are missing; none of their services is started
//   --skip    runs nothing and says so
//   …         everything else is passed to vitest
//
// The tests run as root (by sudo), because the proxies are started as `nobody`. Where the kernel allows it
// they run in namespaces of their own: loopback is the only network, its name server knows no name, dante
// finds a user of its own in the password file, and no process outlives the run. Elsewhere the cells that
// need a namespace are listed as not run.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Debian's packages, and what they bring. */
const programs = {
  squid: 'squid',
  tinyproxy: 'tinyproxy',
  'dante-server': 'danted',
  microsocks: 'microsocks',
  privoxy: 'privoxy',
  haproxy: 'haproxy',
  nginx: 'nginx',
  apache2: 'apache2',
  curl: 'curl',
  openssl: 'openssl',
  iproute2: 'ip',
};
const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin'];
const root = fileURLToPath(new URL('..', import.meta.url));
const isRoot = process.getuid?.() === 0;

if (process.argv.includes('--skip')) {
  console.log(
    `Skipped: test:proxies, which needs ${Object.keys(programs).join(', ')} (\`npm run test:proxies -- --setup\`).`,
  );
  process.exit();
}

const missing = () =>
  Object.keys(programs).filter(
    (name) => !folders.some((folder) => existsSync(join(folder, programs[name]))),
  );

/** Runs a program, as root. Gives its exit status. */
function asRoot(command, args, environment = {}) {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const [first, ...rest] = [...(isRoot ? [] : ['sudo']), 'env', ...variables, command, ...args];
  return spawnSync(first, rest, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

function install(names) {
  // While this file is there, packages start no service.
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) asRoot('sh', ['-c', `printf '#!/bin/sh\\nexit 101\\n' >${policy}; chmod +x ${policy}`]);
  try {
    const apt = ['install', '-y', '--no-install-recommends', ...names];
    const done =
      asRoot('apt-get', ['update']) === 0 &&
      asRoot('apt-get', apt, { DEBIAN_FRONTEND: 'noninteractive' }) === 0;
    if (!done) process.exit(1);
  } finally {
    if (ours) asRoot('rm', ['-f', policy]);
  }
}

/** What the namespaces see in place of these files of the machine. */
function privateFiles(folder) {
  const password = spawnSync('openssl', ['passwd', '-6', '-stdin'], { input: 'Secret.42' });
  const hash = String(password.stdout).trim();
  const files = {
    '/etc/resolv.conf': 'nameserver 127.0.0.1\n',
    '/etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
    '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n',
    // The user and the password are those of credentials.ts.
    '/etc/passwd': `${readFileSync('/etc/passwd', 'utf8')}whirl-user:x:60000:65534::/nonexistent:/bin/false\n`,
    '/etc/shadow': `nobody:*:1::::::\nroot:*:1::::::\nwhirl-user:${hash}:20000::::::\n`,
  };
  return Object.entries(files).map(([path, text]) => {
    const file = join(folder, path.replaceAll('/', '_'));
    writeFileSync(file, text);
    return [file, path];
  });
}

const namespaces = ['--net', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];

if (process.argv.includes('--setup')) {
  const names = missing();
  if (names.length > 0) install(names);
}
const names = missing();
if (process.platform !== 'linux' || names.length > 0) {
  console.error(
    `test:proxies needs Linux and these packages of Debian: ${names.join(', ')}\n` +
      '`npm run test:proxies -- --setup` installs them',
  );
  process.exit(1);
}
for (const name of Object.keys(programs)) {
  const shown = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${Version}\\n', name]);
  console.log(String(shown.stdout ?? '').trim() || name);
}
const folder = mkdtempSync(join(tmpdir(), 'whirl-namespaces-'));
const args = process.argv.slice(2).filter((arg) => arg !== '--setup');
const vitest = [
  process.execPath,
  join(root, 'node_modules/vitest/vitest.mjs'),
  ...['run', '--config', 'apps/real-proxies/vitest.config.ts', ...args],
];
const environment = { PATH: folders.join(':') };
let status;
if (asRoot('unshare', [...namespaces, 'true']) === 0) {
  const binds = privateFiles(folder).map(([file, path]) => `mount --bind ${file} ${path}`);
  // The shell stays, as the first process of its namespace, and collects what has ended.
  const script = ['set -e', 'ip link set lo up', ...binds, 'set +e', '"$@"', 'exit $?'].join('\n');
  status = asRoot('unshare', [...namespaces, 'sh', '-c', script, 'sh', ...vitest], {
    ...environment,
    WHIRL_PROXIES_NAMESPACES: 'private',
  });
} else {
  console.warn('no private namespaces here: the cells that need them are listed as not run');
  status = asRoot(vitest[0], vitest.slice(1), environment);
}
rmSync(folder, { recursive: true, force: true });
process.exit(status);
