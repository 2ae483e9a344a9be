import type { Readable, Writable } from 'node:stream';
import { styleText } from 'node:util';

/** A stream that may be a terminal. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** What a command reads, writes and hears. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  /** Calls `listener` at Ctrl-C, SIGTERM and SIGHUP, which then end nothing by themselves. Returns the undo. */
  onStop(listener: () => void): () => void;
}

type Colour = 'green' | 'red' | 'yellow' | 'dim' | 'bold';

/** Colours a text for a stream that is a terminal; NO_COLOR and FORCE_COLOR are obeyed. */
export function paint(stream: Output, colour: Colour, text: string): string {
  return styleText(colour, text, { stream });
}

/** What a command wrote could not be written, as on a full disk. */
export class OutputError extends Error {
  constructor(stream: Output, cause: NodeJS.ErrnoException) {
    const { path } = stream as { path?: string };
    const where = path === undefined ? 'to stdout' : `"${path}"`;
    super(`cannot write ${where} (${cause.code ?? cause.message})`, { cause });
    this.name = 'OutputError';
  }
}

/** Errors of streams with which a write was rejected. */
export const rejected = new WeakSet<Error>();

/** Writes, and resolves when the stream wants more. Rejects with an OutputError. */
export function write(stream: Output, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (!error) return resolve();
      rejected.add(error);
      reject(new OutputError(stream, error));
    });
  });
}

const grouped = new Intl.NumberFormat('en-US');

/** `12,345`. */
export function count(value: number): string {
  return grouped.format(value);
}

/** `0.35 s`, `12 s`, `3 min 20 s`. */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** `timeout 12, tcp 3`, the largest first. */
export function listed(numbers: ReadonlyMap<string, number>): string {
  return [...numbers]
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, number]) => `${name} ${count(number)}`)
    .join(', ');
}
