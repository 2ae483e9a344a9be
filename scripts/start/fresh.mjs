// `npm start` as on a machine that has only Node and npm: a clone without modules, a home without caches. It must serve
// the page and the gateway, install less than it may, and stop when it is told to.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const maxMegabytes = 200;
const giveUpAfterMs = 180_000;

const folder = mkdtempSync(join(tmpdir(), 'whirl-start-'));
const clone = join(folder, 'whirl');
const home = join(folder, 'home');

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => void server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => void server.close(resolve));
  return port;
}

/** What the files of a folder take, each counted once however many links it has. */
function bytesOf(path, seen = new Set()) {
  let sum = 0;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) sum += bytesOf(inside, seen);
    else if (entry.isFile()) {
      const { ino, size } = statSync(inside);
      if (!seen.has(ino)) sum += size;
      seen.add(ino);
    }
  }
  return sum;
}

function demand(holds, what) {
  if (!holds) throw new Error(what);
}

async function answers(url, running) {
  const startedAt = performance.now();
  while (performance.now() - startedAt < giveUpAfterMs) {
    demand(running.exitCode === null, `npm start ended with ${running.exitCode}`);
    try {
      const response = await fetch(url);
      if (response.ok) return (performance.now() - startedAt) / 1000;
    } catch {
      // Not yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`nothing answers at ${url}`);
}

/** The status of a request through a proxy. */
function statusThrough(proxy, url) {
  const { hostname, port } = new URL(`http://${proxy}`);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path: url, headers: { host: new URL(url).host } }, (response) => {
      resolve(response.resume().statusCode);
    })
      .on('error', reject)
      .end();
  });
}

let running;
/** Ends npm and what it started. */
const end = (signal) => running?.pid !== undefined && process.kill(-running.pid, signal);
try {
  demand(
    spawnSync('git', ['clone', '--quiet', root, clone], { stdio: 'inherit' }).status === 0,
    'the clone failed',
  );
  const port = await freePort();
  const env = { ...process.env, HOME: home, WHIRL_API_PORT: String(port), WHIRL_GATEWAY_PORT: '0' };
  for (const name of Object.keys(env)) if (/^npm_|^PNPM_HOME$|^XDG_/.test(name)) delete env[name];
  const registry = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' });
  env.npm_config_registry = registry.stdout.trim();
  running = spawn('npm', ['start'], { cwd: clone, env, stdio: 'inherit', detached: true });
  const ended = new Promise((resolve) => void running.once('exit', resolve));
  const seconds = await answers(`http://127.0.0.1:${port}/`, running);
  const status = await (await fetch(`http://127.0.0.1:${port}/api/v1/status`)).json();
  demand(status.mode === 'demo' && status.gateway !== null, 'it shows no demo, or has no gateway');
  const through = await statusThrough(status.gateway.address, status.demo_target);
  demand(through === 200, `a request through the gateway ends with ${through}`);
  const megabytes = bytesOf(join(clone, 'node_modules')) / 1e6;
  demand(megabytes < maxMegabytes, `it installs ${megabytes.toFixed()} MB`);
  end('SIGTERM');
  demand((await ended) === 0, 'it does not stop well');
  console.log(`\nserves after ${seconds.toFixed(1)} s, installs ${megabytes.toFixed()} MB`);
} finally {
  if (running?.exitCode === null) end('SIGKILL');
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
