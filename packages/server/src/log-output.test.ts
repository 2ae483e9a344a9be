import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
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

  it('A13 drain returns whether all is out within its time', async () => {
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

// Node 20's resolution of modules reads what fstatSync has left, and took the folders that it knew for the pipe.
it.skipIf(process.platform === 'win32')(
  'A13 an output into a pipe leaves linked packages to be found',
  () => {
    const folder = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'whirl-log-'));
    onTestFinished(() => fs.rmSync(folder, { recursive: true }));
    const at = (...names: string[]) => path.join(folder, ...names);
    fs.mkdirSync(at('real'));
    fs.writeFileSync(at('real', 'index.js'), '');
    fs.symlinkSync(at('real'), at('linked'));
    execFileSync('mkfifo', [at('pipe')]);
    const fd = fs.openSync(at('pipe'), 'r+');
    onTestFinished(() => fs.closeSync(fd));
    const require = createRequire(at('known.js'));
    require.resolve(at('real', 'index.js'));
    new LogOutput({ fd });
    expect(require.resolve(at('linked', 'index.js'))).toBe(at('real', 'index.js'));
  },
);
