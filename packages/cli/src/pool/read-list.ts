import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { shownPath } from '@whirl/check';
import {
  InvalidProxyError,
  proxyListEntries,
  type Proxy,
  type ProxyIssue,
  type ProxyProtocol,
} from '@whirl/rotator';
import { UsageError } from '../usage-error.ts';
import { mask } from '../terminal/mask.ts';

/** A proxy of the list. */
export interface ListedProxy {
  readonly line: number;
  readonly proxy: Proxy;
  /** The list does not say which protocol it speaks. */
  readonly bare: boolean;
}

export interface ReadOptions {
  /** Of entries that name none; `auto` leaves them bare. */
  readonly protocol: ProxyProtocol | 'auto';
  /** How lines are written; see `ProxyListOptions.format`. */
  readonly format?: string | undefined;
}

/** Whether its password is the one that `whirl check` writes in place of each. */
export function isMasked({ password }: Proxy): boolean {
  return password === mask;
}

/** The text of a list: of a file, or for `-` of the standard input. */
export async function readSource(source: string, stdin: Readable): Promise<string> {
  if (source === '-') return text(stdin);
  try {
    return await readFile(source, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(`cannot read ${shownPath(source)} (${code ?? message})`);
  }
}

const maskedReason = `its password is masked (${mask}): write the list with --show-passwords`;

/** Understands a list: every entry of it, and what is wrong with the others. */
export function readEntries(
  list: string,
  { protocol, format }: ReadOptions,
): { entries: ListedProxy[]; issues: ProxyIssue[] } {
  const read = (defaultProtocol: ProxyProtocol) =>
    proxyListEntries(list, { defaultProtocol, format });
  const entries: ListedProxy[] = [];
  const issues: ProxyIssue[] = [];
  // An entry that is another proxy under another default names no protocol itself.
  const others = protocol === 'auto' ? read('https') : undefined;
  try {
    for (const { line, proxy, issue } of read(protocol === 'auto' ? 'http' : protocol)) {
      const other = others?.next().value?.proxy;
      if (issue !== undefined) issues.push(issue);
      else if (isMasked(proxy)) issues.push({ line, reason: maskedReason });
      else {
        const bare = other !== undefined && other.protocol !== proxy.protocol;
        entries.push({ line, proxy, bare });
      }
    }
  } catch (error) {
    if (error instanceof InvalidProxyError) issues.push({ line: 0, reason: error.message });
    else throw error;
  }
  return { entries, issues };
}

/** A line for each issue, as compilers write them: `proxies.txt:7: …`. */
export function issueLines(source: string, issues: readonly ProxyIssue[]): string[] {
  const name = source === '-' ? 'standard input' : source;
  return issues.map(({ line, reason }) =>
    line === 0 ? `${name}: ${reason}` : `${name}:${line}: ${reason}`,
  );
}
