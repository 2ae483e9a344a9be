import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { LogOutput, type WriteBytes } from './log-output.ts';

/** An output whose writes end when the test says so. */
function manual(maxBytes?: number) {
  const writes: { text: string; done: Parameters<WriteBytes>[1] }[] = [];
  const output = new LogOutput({
    write: (bytes, done) => void writes.push({ text: bytes.toString(), done }),
    maxBytes,
    now: () => 7,
  });
  const failure = (code: string) => Object.assign(new Error(code), { code });
  return { output, writes, failure };
}

const notice = (dropped: number) =>
  `${JSON.stringify({ level: 40, time: 7, dropped, msg: 'lines of the log could not be written' })}\n`;

describe('LogOutput', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('A13 one write is out at a time; what comes meanwhile goes together', () => {
    const { output, writes } = manual();
    for (const line of ['a\n', 'b\n', 'c\n']) output.write(line);
    expect(writes.map(({ text }) => text)).toEqual(['a\n']);
    writes[0]?.done(null, 2);
    expect(writes.map(({ text }) => text)).toEqual(['a\n', 'b\nc\n']);
  });

  it('A13 what was written in part goes on where it stopped', () => {
    const { output, writes } = manual();
    output.write('abcd\n');
    writes[0]?.done(null, 2);
    writes[1]?.done(null, 3);
    expect(writes.map(({ text }) => text)).toEqual(['abcd\n', 'cd\n']);
  });

  it('A13 a full disk costs its lines, a second of rest, and one line that counts them', () => {
    const { output, writes, failure } = manual();
    output.write('a\n');
    output.write('b\n');
    writes[0]?.done(failure('ENOSPC'), 0);
    expect(writes).toHaveLength(1);
    vi.advanceTimersByTime(1000);
    writes[1]?.done(failure('ENOSPC'), 0);
    vi.advanceTimersByTime(1000);
    expect([writes.length, output.dropped]).toEqual([2, 2]);
    output.write('c\n');
    expect(writes[2]?.text).toBe(`${notice(2)}c\n`);
    expect(output.dropped).toBe(0);
  });

  it('A13 the count survives a notice that could not be written, and a torn line is ended', () => {
    const { output, writes, failure } = manual();
    output.write('abc\n');
    writes[0]?.done(failure('ENOSPC'), 2);
    vi.advanceTimersByTime(1000);
    output.write('d\n');
    writes[1]?.done(failure('ENOSPC'), 0);
    vi.advanceTimersByTime(1000);
    output.write('e\n');
    expect(writes[2]?.text).toBe(`${notice(2)}e\n`);
    expect(writes[1]?.text).toBe(`\n${notice(1)}d\n`);
  });

  it('A13 a reader that does not read costs what does not fit, and no memory', () => {
    const { output, writes } = manual(10);
    for (let i = 0; i < 100; i++) output.write('12345\n');
    // One is being written, one waits: a second would not fit.
    expect(output.dropped).toBe(98);
    writes[0]?.done(null, 6);
    expect(writes[1]?.text).toBe(`${notice(98)}12345\n`);
  });

  it('A13 drain tells whether all is out within its time', async () => {
    const { output, writes } = manual();
    expect(await output.drain(50)).toBe(true);
    output.write('a\n');
    const late = output.drain(50);
    await vi.advanceTimersByTimeAsync(50);
    expect(await late).toBe(false);
    const drained = output.drain(50);
    writes[0]?.done(null, 2);
    expect(await drained).toBe(true);
  });

  it('A13 drain waits for no rest: each line that is left is tried once', async () => {
    const { output, writes, failure } = manual();
    output.write('a\n');
    output.write('b\n');
    writes[0]?.done(failure('ENOSPC'), 0);
    const drained = output.drain(50);
    writes[1]?.done(failure('ENOSPC'), 0);
    expect(await drained).toBe(true);
    expect(writes.map(({ text }) => text)).toEqual(['a\n', `${notice(1)}b\n`]);
  });
});

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
