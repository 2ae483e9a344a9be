import { watch, type FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathLabel } from '@whirl/check';
import {
  InvalidProxyError,
  type Logger,
  type Proxy,
  type ProxyListReport,
  type ProxyRotator,
} from '@whirl/rotator';
import { ConfigError } from '../config-error.ts';
import { Turns } from '../listing/turns.ts';
import { inTurn } from './in-turn.ts';
import { readListAsync, type ListSettings } from './proxy-list.ts';

export interface ProxiesFileOptions {
  readonly path: string;
  readonly rotator: ProxyRotator;
  readonly logger: Logger;
  /** How the list is read. Default: a list with an error changes nothing. */
  readonly list?: ListSettings | undefined;
  /** How often the file is looked at where the platform reports no changes. Default 2,000. */
  readonly pollMs?: number | undefined;
  /** Changes within this time are one. Default 100. */
  readonly settleMs?: number | undefined;
}

/** Ids that one line of the log names. */
const maxIdsShown = 20;

/** An empty list that was written so, not one that a truncated file leaves. */
const emptyOnPurpose = /^\uFEFF?\s*\[\s*\]\s*$/;

/**
 * Keeps the pool in step with a file. A change is read, validated, then swapped in whole, in steps between which
 * requests are served; a list with an error changes nothing. The file owns the proxies that it brought, and no
 * others.
 *
 * A file that is written in place is empty for a moment. So an empty one, after a list, is an error
 * as well; `[]` empties.
 */
export class ProxiesFile {
  readonly #options: ProxiesFileOptions;
  /** Its path as errors and the log show it. */
  readonly #label: string;
  /** The ids of what the file brought and nothing else has removed since. */
  readonly #owned = new Set<string>();
  readonly #off: () => void;
  #text: string | undefined;
  /** Whether the list in use names a proxy. */
  #filled = false;
  #reported: string | undefined;
  #watcher: FSWatcher | undefined;
  #poll: NodeJS.Timeout | undefined;
  #settling: NodeJS.Timeout | undefined;
  #reloading: Promise<void> = Promise.resolve();
  /** A reload that has not begun. */
  #queued: Promise<void> | undefined;
  #closed = false;

  constructor(options: ProxiesFileOptions) {
    this.#options = options;
    this.#label = pathLabel(options.path);
    // A proxy that is added again under the same id belongs to the caller.
    this.#off = options.rotator.bus.on('proxy:removed', ({ proxyId }) => {
      this.#owned.delete(proxyId);
    });
  }

  /** Reads the file for the first time. Rejects with `ConfigError` when that fails. */
  async load(): Promise<void> {
    try {
      await this.#swap(await this.#read());
    } catch (error) {
      if (error instanceof InvalidProxyError) throw new ConfigError(issuesOf(this.#label, error));
      throw new ConfigError([`${this.#label}: ${(error as Error).message}`]);
    }
  }

  /**
   * Reads the file again, and swaps the list when it changed. Resolves when the list is in use or was refused;
   * never rejects, errors are logged.
   */
  reload(): Promise<void> {
    // One that has not begun will see what is in the file by then.
    return (this.#queued ??= this.#reloading.then(() => {
      this.#queued = undefined;
      return (this.#reloading = this.#reload());
    }));
  }

  async #reload(): Promise<void> {
    const { logger } = this.#options;
    const file = this.#label;
    try {
      const text = await this.#read();
      if (text !== this.#text && (await this.#swap(text))) {
        logger.info({ file, proxies: this.#owned.size }, 'proxies file loaded again');
      }
      this.#reported = undefined;
    } catch (error) {
      const { message } = error as Error;
      // The poll meets the same error again and again; one line about it is enough.
      if (message === this.#reported || this.#closed) return;
      this.#reported = message;
      const issues = error instanceof InvalidProxyError ? error.issues : [];
      logger.error(
        { file, error: message, ...(issues.length > 1 && { issues }) },
        'proxies file not loaded, the last good list stays in use',
      );
    }
  }

  /**
   * Watches the folder, because an editor replaces the file and a Kubernetes volume swaps a
   * symbolic link beside it: a watch on the file itself would go on watching what is gone. The file
   * is also polled, for file systems that report nothing: by its text, since `watchFile` misses what
   * changes before its own first look.
   */
  watch(): void {
    const { path: file, pollMs = 2000, logger } = this.#options;
    const later = () => this.#later();
    try {
      this.#watcher = watch(path.dirname(file), { persistent: false }, later);
      this.#watcher.on('error', (error) =>
        logger.warn({ error: error.message }, 'the folder of the proxies file is not watched'),
      );
    } catch (error) {
      logger.warn({ error: (error as Error).message }, 'the proxies file is only polled');
    }
    this.#poll = setInterval(() => void this.#look(later), pollMs).unref();
  }

  close(): void {
    this.#closed = true;
    this.#off();
    this.#watcher?.close();
    clearInterval(this.#poll);
    clearTimeout(this.#settling);
  }

  /** The text of the file. Rejects without its path, which may be a URL with a password. */
  async #read(): Promise<string> {
    try {
      return await readFile(this.#options.path, 'utf8');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new Error(`cannot be read (${code ?? message})`, { cause: error });
    }
  }

  /** Calls back when the file has another text, or cannot be read. */
  async #look(changed: () => void): Promise<void> {
    const text = await this.#read().catch(() => undefined);
    if (!this.#closed && (text === undefined || text !== this.#text)) changed();
  }

  #later(): void {
    if (this.#closed) return;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => void this.reload(), this.#options.settleMs ?? 100).unref();
  }

  /** Brings what the text lists into the pool. Returns whether it did, and not because the file was closed. */
  async #swap(text: string): Promise<boolean> {
    const { rotator, list = {} } = this.#options;
    const report = await readListAsync(text, list);
    return inTurn(rotator, async () => {
      if (this.#closed) return false;
      const wanted = await this.#wanted(text, report);
      await rotator.setProxiesAsync(wanted, { owned: this.#owned });
      await this.#use(text, report, wanted);
      return true;
    });
  }

  /** What of a list the file may bring: a proxy that the pool has from elsewhere stays as it is. */
  async #wanted(text: string, { proxies }: ProxyListReport): Promise<Proxy[]> {
    const { rotator, logger } = this.#options;
    const file = this.#label;
    if (proxies.length === 0 && this.#filled && !emptyOnPurpose.test(text)) {
      throw new InvalidProxyError('it names no proxy (a list that is empty on purpose is [])');
    }
    const foreign: string[] = [];
    const wanted: Proxy[] = [];
    const turns = new Turns();
    for (const proxy of proxies) {
      const { id } = proxy;
      if (rotator.hasProxy(id) && !this.#owned.has(id)) foreign.push(id);
      else wanted.push(proxy);
      if (turns.isDue) await turns.next();
    }
    if (foreign.length > 0) {
      logger.warn(
        { file, proxyIds: foreign.slice(0, maxIdsShown), count: foreign.length },
        'the pool has proxies of this file from elsewhere already',
      );
    }
    return wanted;
  }

  async #use(text: string, report: ProxyListReport, wanted: readonly Proxy[]): Promise<void> {
    const { logger, list = {} } = this.#options;
    const file = this.#label;
    this.#text = text;
    this.#filled = report.proxies.length > 0;
    const turns = new Turns();
    for (const { id } of wanted) {
      this.#owned.add(id);
      if (turns.isDue) await turns.next();
    }
    if (list.onInvalid === 'skip') logger.info({ file, ...leftOut(report) }, counted(report));
  }
}

/** Each error of a file that is refused at the start, on a line of its own. */
function issuesOf(file: string, { message, issues, issueCount }: InvalidProxyError): string[] {
  if (issues.length < 2) return [`${file}: ${message}`];
  const more = issueCount - issues.length;
  return [
    `${file}: ${issueCount.toLocaleString('en-US')} entries cannot be used`,
    ...issues.map(({ line, reason }) => `${file}: ${line}: ${reason}`),
    ...(more > 0 ? [`${file}: and ${more.toLocaleString('en-US')} more`] : []),
  ];
}

/** The reasons for the first entries that were left out. */
function leftOut({ skipped }: ProxyListReport): { first?: readonly string[] } {
  if (skipped.count === 0) return {};
  return { first: skipped.first.slice(0, 3).map(({ line, reason }) => `${line}: ${reason}`) };
}

/** What became of a list, in one line. */
function counted({ proxies, skipped, duplicates, conflicts }: ProxyListReport): string {
  const n = (count: number) => count.toLocaleString('en-US');
  return `${n(proxies.length)} proxies, ${n(conflicts)} conflicts, ${n(duplicates)} duplicates, ${n(skipped.count)} skipped`;
}
