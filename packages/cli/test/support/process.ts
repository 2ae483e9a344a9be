import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { use } from './whirl.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface Started {
  readonly child: ChildProcess;
  /** What it has written so far. */
  readonly written: { stdout: string; stderr: string };
  /** Resolves with the exit code, or with the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

/** The words of a command line that runs the sources. */
export function commandOf(args: readonly string[]): string[] {
  return [process.execPath, '--conditions=@whirl/source', '--import', 'tsx', main, ...args];
}

/** Runs a command line in a process of its own, from the sources. */
export function start(
  args: readonly string[],
  {
    stdin = '',
    env = {},
    stdout = 'pipe',
  }: { stdin?: string; env?: NodeJS.ProcessEnv; stdout?: 'pipe' | number } = {},
): Started {
  const { FORCE_COLOR: _force, NO_COLOR: _no, ...clean } = process.env;
  const [node = '', ...words] = commandOf(args);
  const child = spawn(node, words, {
    env: { ...clean, ...env },
    stdio: ['pipe', stdout, 'pipe'],
  }) as ChildProcessByStdio<Writable, Readable | null, Readable>;
  const written = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => (written.stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (written.stderr += String(chunk)));
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  const ended = once(child, 'close').then(
    ([code, signal]) => (code ?? signal) as number | NodeJS.Signals,
  );
  use({ close: () => child.kill('SIGKILL') });
  return { child, written, ended };
}
