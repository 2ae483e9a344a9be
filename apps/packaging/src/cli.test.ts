import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { installed, packAll, run, tarballsFor, type Packed } from './packed.ts';
import { commands } from './uses.ts';

const [name = ''] = commands;
let folder: string;
let packed: Map<string, Packed>;
const project = () => join(folder, 'project');
const main = () => join(project(), 'node_modules', name, 'dist/main.js');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whirl-cli-'));
  packed = await packAll(folder);
  await installed(project(), tarballsFor(name, packed));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** A proxy on loopback that answers every request itself. */
async function startProxy(): Promise<string> {
  const server = http.createServer((_request, response) => response.end('{"ip":"192.0.2.7"}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe(`P1 ${name}`, () => {
  it('runs with npx from its tarball, in an empty folder', async () => {
    const empty = join(folder, 'empty');
    await mkdir(empty);
    const tarballs = tarballsFor(name, packed).flatMap((path) => ['--package', path]);
    const npx = (...args: string[]) => run(empty, 'npx', '--yes', ...tarballs, '--', ...args);
    const { version } = (packed.get(name) as Packed).manifest;
    expect(await npx('whirl', '--version')).toBe(`${version}\n`);
    await writeFile(join(empty, 'list.txt'), await startProxy());
    const args = ['check', 'list.txt', '--url', 'http://example.com/', '--format', 'json'];
    const [row] = JSON.parse(await npx('whirl', ...args)) as { ok: boolean; exit_ip: string }[];
    expect(row).toMatchObject({ ok: true, exit_ip: '192.0.2.7' });
    expect((await readdir(empty)).sort()).toEqual(['list.txt']);
  });

  it('serves with npx from its tarball, in an empty folder and an empty home, and Ctrl-C ends it', async () => {
    const [empty, home] = [join(folder, 'serves'), join(folder, 'home')];
    for (const each of [empty, home]) await mkdir(each);
    const cache = (await run(folder, 'npm', 'config', 'get', 'cache')).trim();
    const tarballs = tarballsFor(name, packed).flatMap((path) => ['--package', path]);
    const free = ['--gateway', '127.0.0.1:0', '--api', '127.0.0.1:0'];
    const child = spawn(
      'npx',
      ['--yes', ...tarballs, '--', 'whirl', 'serve', ...free, '--proxies-file', '-'],
      {
        cwd: empty,
        env: { PATH: process.env['PATH'], HOME: home, npm_config_cache: cache },
        // A group of its own, which a terminal would signal.
        detached: true,
      },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    child.stdin.end(await startProxy());
    let stdout = '';
    const ended = once(child, 'close');
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        stdout += String(chunk);
        if (stdout.includes('chromium')) resolve();
      });
      void ended.then(() => resolve());
    });
    const [, gateway = ''] = /curl -x http:\/\/(\S+) /.exec(stdout) ?? [];
    const [host, port] = gateway.split(':');
    const request = http.get({ host, port, path: 'http://example.com/', agent: false });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    expect([response.statusCode, String(await response.toArray())]).toEqual([
      200,
      '{"ip":"192.0.2.7"}',
    ]);
    const [, page = ''] = /page at (\S+)/.exec(stdout) ?? [];
    expect(await (await fetch(page)).text()).toContain('<title>whirl</title>');
    process.kill(-(child.pid as number), 'SIGINT');
    // Its output closes when the command has ended; the code is that of the shell which npx starts.
    await ended;
    await expect(fetch(page)).rejects.toThrow();
    expect(await readdir(empty)).toEqual([]);
  });

  it('--help imports nothing that makes people wait', () => {
    const times = (args: readonly string[]) => {
      const startedAt = performance.now();
      expect(spawnSync(process.execPath, args).status).toBe(0);
      return performance.now() - startedAt;
    };
    const ratios = Array.from({ length: 9 }, () => {
      const bare = times(['-e', '0']);
      return times([main(), '--help']) / bare;
    });
    const median = ratios.toSorted((a, b) => a - b)[4] as number;
    // Node itself takes 40 ms on an idle machine, and 120 ms is what a person does not notice.
    expect(median).toBeLessThan(3);
  });

  it('every command that --help names has help with examples', async () => {
    const help = await run(project(), process.execPath, main(), '--help');
    const found = [...help.matchAll(/^ {2}(\w+) (?:\[options\] )?[^-].*$/gm)].map(
      ([, each]) => each,
    );
    expect(found).toEqual(expect.arrayContaining(['check', 'get', 'serve', 'bench']));
    for (const each of new Set(found)) {
      if (each === 'whirl') continue;
      const own = await run(project(), process.execPath, main(), each as string, '--help');
      expect(own, each).toContain('\nExamples:\n');
      expect(Math.max(...own.split('\n').map((line) => line.length)), each).toBeLessThanOrEqual(
        100,
      );
    }
  });

  it('has no problem that publint can find, and carries its README, its license and its sources', async () => {
    const bytes = await readFile((packed.get(name) as Packed).tarball);
    const { buffer, byteOffset, byteLength } = bytes;
    const tarball = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
    expect((await publint({ pack: { tarball } })).messages).toEqual([]);
    const files = await readdir(join(project(), 'node_modules', name), { recursive: true });
    expect(files).toEqual(
      expect.arrayContaining(['README.md', 'LICENSE', 'dist/main.js', 'src/main.ts']),
    );
    expect(files.filter((file) => file.includes('.test.'))).toEqual([]);
  });
});
