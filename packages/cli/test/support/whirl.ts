import { PassThrough, Readable, Writable } from 'node:stream';
import { afterEach } from 'vitest';
import { runProgram } from '../../src/program.ts';
import type { Output, Terminal } from '../../src/terminal/terminal.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

/** Closes it after the test, in reverse order. */
export function use<T extends { close(): unknown }>(each: T): T {
  open.push(each);
  return each;
}

/** What a command wrote, and how it ended. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Given {
  /** Standard input. */
  readonly stdin?: string;
  /** stderr, and with `stdout` too, are terminals of so many columns. */
  readonly columns?: number;
  /** Called with what was written to stdout and stderr so far, and a function that does what Ctrl-C does. */
  readonly onOutput?: (written: { stdout: string; stderr: string }, stop: () => void) => void;
}

/** Runs a command line in this process, with streams of its own. */
export async function whirl(args: readonly string[], given: Given = {}): Promise<Ran> {
  const written = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  const stop = () => {
    for (const listener of listeners) listener();
  };
  const output = (name: 'stdout' | 'stderr'): Output => {
    const stream = new Writable({
      write(chunk, _encoding, done) {
        written[name] += String(chunk);
        given.onOutput?.(written, stop);
        done();
      },
    });
    const terminal = name === 'stderr' && given.columns !== undefined;
    return terminal ? Object.assign(stream, { isTTY: true, columns: given.columns }) : stream;
  };
  const terminal: Terminal = {
    stdin: given.stdin === undefined ? new PassThrough().end() : Readable.from([given.stdin]),
    stdout: output('stdout'),
    stderr: output('stderr'),
    onStop(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const code = await runProgram(args, terminal);
  return { code, ...written };
}
