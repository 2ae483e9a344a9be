import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { shownPath } from '@whirl/check';
import type { RequestBody } from '@whirl/rotator';
import { UsageError } from '../usage-error.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { version } from '../version.ts';
import { getCodes } from './exit-code.ts';

/** A body that every attempt can send again, and headers that it needs. */
export interface Upload {
  readonly body?: RequestBody;
  readonly headers: Readonly<Record<string, string>>;
}

/** A file of the command line cannot be read: curl's 26. */
class UnreadableFile extends UsageError {
  override readonly exitCode = getCodes.read;
}

/**
 * What `-d` says: a string, `@file` as it is, `@-` the standard input; several are joined with `&`. A file is
 * opened again for each attempt.
 */
export async function uploadOf(
  { data, proxiesFile }: { readonly data?: readonly string[]; readonly proxiesFile?: string },
  terminal: Terminal,
): Promise<Upload> {
  if (data === undefined) return { headers: {} };
  const [first = ''] = data;
  const files = data.filter((each) => each.startsWith('@'));
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  if (files.length === 0) return { body: data.join('&'), headers: form };
  if (data.length > 1) throw new UsageError('-d @file cannot be given together with another -d');
  if (first === '@-' && proxiesFile === '-') {
    throw new UsageError('-d @- and --proxies-file - both read stdin: give one of them a file');
  }
  if (first === '@-') return { body: await buffer(terminal.stdin), headers: form };
  const path = first.slice(1);
  try {
    const { size } = await stat(path);
    return {
      body: () => createReadStream(path),
      headers: { ...form, 'content-length': String(size) },
    };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UnreadableFile(`cannot read ${shownPath(path)} (${code ?? message})`);
  }
}

/** Headers of the command line over the usual ones. An empty value takes a header out, as curl has it. */
export function headersOf(
  given: readonly string[] | undefined,
  upload: Upload,
): [name: string, value: string][] {
  const defaults = { 'user-agent': `whirl/${version}`, accept: '*/*', ...upload.headers };
  const own = (given ?? []).map((line): [string, string] => {
    const at = line.indexOf(':');
    // The line is not shown: a token may be all that it holds.
    if (at < 1) throw new UsageError('-H takes "name: value", got no name before a colon');
    return [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
  const named = new Set(own.map(([name]) => name.toLowerCase()));
  return [
    ...Object.entries(defaults).filter(([name]) => !named.has(name)),
    ...own.filter(([, value]) => value !== ''),
  ];
}
