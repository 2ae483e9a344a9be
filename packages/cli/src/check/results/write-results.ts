import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { shownPath } from '@whirl/check';
import { UsageError } from '../../usage-error.ts';
import { write, type Output, type Terminal } from '../../terminal/terminal.ts';
import { toCsv } from './csv.ts';
import { recordOf } from './record.ts';
import { addressOf, type CheckResult } from './result.ts';

export type Format = 'table' | 'json' | 'ndjson' | 'csv' | 'plain';
export const formats: readonly Format[] = ['table', 'json', 'ndjson', 'csv', 'plain'];

export type Sort = 'line' | 'latency';

/** Where results go: a file that is made at once, so that a bad path is known before anything is tested. */
export async function openOutput(file: string | undefined, terminal: Terminal): Promise<Output> {
  if (file === undefined) return terminal.stdout;
  const stream = createWriteStream(file);
  try {
    await once(stream, 'open');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(`cannot write ${shownPath(file)} (${code ?? message})`);
  }
  // Each write hears of it too.
  stream.on('error', () => {});
  return stream;
}

/** Ends a file; the standard output stays open. */
export async function closeOutput(output: Output, terminal: Terminal): Promise<void> {
  if (output === terminal.stdout) return;
  (output as Writable).end();
  await once(output, 'close');
}

/** The order of the results: by their lines, or the fastest first and what does not work behind them. */
export function sorted(results: readonly CheckResult[], by: Sort): CheckResult[] {
  const latency = ({ outcome }: CheckResult) =>
    outcome.ok ? (outcome.firstByteMs ?? outcome.connectMs ?? 0) : Infinity;
  return results.toSorted((a, b) => {
    const difference = by === 'latency' ? latency(a) - latency(b) : 0;
    return difference || a.line - b.line;
  });
}

/** Writes results in a format of which nothing can be said before all are known. */
export async function writeResults(
  output: Output,
  results: readonly CheckResult[],
  format: Format,
  showPasswords: boolean,
): Promise<void> {
  await write(output, await textOf(output, results, format, showPasswords));
}

async function textOf(
  output: Output,
  results: readonly CheckResult[],
  format: Format,
  showPasswords: boolean,
): Promise<string> {
  switch (format) {
    case 'table': {
      const { toTable } = await import('./table.ts');
      return toTable(results, showPasswords, output);
    }
    case 'csv':
      return toCsv(results, showPasswords);
    case 'json': {
      const rows = results.map((result) => `  ${JSON.stringify(recordOf(result, showPasswords))}`);
      return rows.length === 0 ? '[]\n' : `[\n${rows.join(',\n')}\n]\n`;
    }
    case 'ndjson':
      return results.map((result) => ndjson(result, showPasswords)).join('');
    case 'plain':
      return results.map((result) => `${addressOf(result, showPasswords)}\n`).join('');
  }
}

/** One result on a line. */
export function ndjson(result: CheckResult, showPasswords: boolean): string {
  return `${JSON.stringify(recordOf(result, showPasswords))}\n`;
}
