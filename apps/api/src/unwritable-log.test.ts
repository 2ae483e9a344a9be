import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

async function freePort(): Promise<number> {
  const probe = net.createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as net.AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

const server = path.join(import.meta.dirname, 'server.ts');
const serverArguments = ['--conditions=@whirl/source', '--import', 'tsx', server];

/** The server with this standard output, once it answers. */
async function serverWritingTo(stdout: number | 'pipe') {
  const port = await freePort();
  const settings = ['--port', String(port), '--proxies', '127.0.0.1:9', '--log-level', 'debug'];
  const child = spawn(process.execPath, [...serverArguments, ...settings], {
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', stdout, 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exit = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const base = `http://127.0.0.1:${port}`;
  const statusOf = (path: string, init?: RequestInit) =>
    fetch(`${base}${path}`, init).then(
      (response) => response.status,
      () => 0,
    );
  const live = () => statusOf('/health/live');
  /** A request through the proxy, which refuses: several lines of the log. */
  const ask = () =>
    statusOf('/api/v1/request', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ url: `http://shop.test/${'x'.repeat(1000)}`, retry_policy: null }),
    });
  while ((await live()) !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
  return { child, exit, live, ask };
}

describe('A13 the server and a log that cannot be written', () => {
  it('A13 /dev/full: it serves, and SIGTERM ends it', async () => {
    if (!fs.existsSync('/dev/full')) {
      console.log('A13: this system has no /dev/full, nothing was tried');
      return;
    }
    const full = fs.openSync('/dev/full', 'w');
    onTestFinished(() => fs.closeSync(full));
    const { child, exit, live } = await serverWritingTo(full);
    expect(await live()).toBe(200);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
  });

  it('A13 a pipe that is not read, and one that is closed: it serves, and SIGTERM ends it', async () => {
    const { child, exit, live, ask } = await serverWritingTo('pipe');
    child.stdout?.pause();
    // A pipe holds 64 KiB, and this process reads as much ahead.
    for (let i = 0; i < 50; i++) await Promise.all(Array.from({ length: 16 }, ask));
    expect(await live()).toBe(200);
    child.stdout?.destroy();
    expect(await live()).toBe(200);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
  });

  it('A13 a file system that is full: lines are counted once there is room again', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'whirl-full-'));
    onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', folder]);
    if (mounted.status !== 0) {
      console.log('A13: a file system cannot be mounted here, nothing was tried');
      return;
    }
    onTestFinished(() => void spawnSync('umount', ['-l', folder]));
    const filler = path.join(folder, 'filler');
    const log = path.join(folder, 'whirl.log');
    const fd = fs.openSync(log, 'a');
    onTestFinished(() => fs.closeSync(fd));
    const filled = fs.openSync(filler, 'w');
    try {
      for (;;) fs.writeSync(filled, Buffer.alloc(4096));
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    }
    const { child, exit, live } = await serverWritingTo(fd);
    expect(await live()).toBe(200);
    fs.ftruncateSync(filled, 0);
    fs.closeSync(filled);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(fs.readFileSync(log, 'utf8')).toMatch(/"dropped":\d+,"msg":"lines of the log could not/);
  });
});
