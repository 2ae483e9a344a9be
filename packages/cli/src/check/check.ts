import { setMaxListeners } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import type { ProxyProtocol } from '@whirl/rotator';
import { exitCodes } from '../exit-codes.ts';
import { UsageError } from '../usage-error.ts';
import type { HostPort, StatusTest } from '../terminal/arguments.ts';
import { count, paint, write, type Terminal } from '../terminal/terminal.ts';
import type { Found } from './detect.ts';
import { issueLines, readEntries, readSource, type ListedProxy } from '../pool/read-list.ts';
import type { CheckResult } from './results/result.ts';
import { runAll } from './schedule.ts';
import { Tally } from './results/tally.ts';
import { Tester, type Task } from './tester.ts';
import { testProxy } from './test-proxy.ts';
import {
  closeOutput,
  ndjson,
  openOutput,
  sorted,
  writeResults,
  type Format,
  type Sort,
} from './results/write-results.ts';

export interface CheckOptions {
  readonly url?: URL;
  readonly connect?: HostPort;
  readonly expectStatus: StatusTest;
  readonly expectBody?: string;
  readonly timeout: number;
  readonly concurrency: number;
  readonly attempts: number;
  readonly protocol: ProxyProtocol | 'auto';
  readonly listFormat?: string;
  readonly skipInvalid?: boolean;
  readonly format: Format;
  readonly only?: 'ok' | 'bad';
  /** Default `line`; `ndjson` comes in the order in which tests end unless it is given. */
  readonly sort?: Sort;
  readonly minOk: number;
  readonly output?: string;
  readonly quiet?: boolean;
  readonly showPasswords?: boolean;
}

/** `whirl check`. Resolves with the exit code. */
export async function check(
  source: string,
  options: CheckOptions,
  terminal: Terminal,
): Promise<number> {
  // What a test leaves behind is old when it ends: by itself V8 lets it grow to hundreds of megabytes.
  setFlagsFromString('--optimize-for-size');
  const entries = await entriesOf(source, options, terminal);
  const output = await openOutput(options.output, terminal);
  const { format, sort, showPasswords = false } = options;
  const streams = format === 'ndjson' && sort === undefined;
  const wanted = wantedBy(options);
  const results: CheckResult[] = [];
  let written = Promise.resolve();
  let failure: unknown;
  const unwritable = (error: unknown) => {
    failure ??= error;
    run.stop();
  };
  const run = new Run(entries, options, terminal, {
    // Lines that come on the same screen would break a bar.
    bar: !(streams && output.isTTY === true),
    onResult: (result) => {
      if (!wanted(result)) return;
      if (streams) written = write(output, ndjson(result, showPasswords)).catch(unwritable);
      else results.push(result);
    },
  });
  const { tally, interrupted } = await run.done();
  await written;
  if (failure !== undefined) throw failure;
  if (!streams) await writeResults(output, sorted(results, sort ?? 'line'), format, showPasswords);
  await closeOutput(output, terminal);
  say(terminal, options, tally.summary);
  if (format === 'plain' && !showPasswords) warnOfMasks(results, options, terminal);
  if (interrupted) return exitCodes.interrupted;
  return tally.ok >= options.minOk ? exitCodes.ok : exitCodes.failed;
}

/** The proxies of the list. Throws a UsageError that names every line that is not one. */
async function entriesOf(
  source: string,
  options: CheckOptions,
  terminal: Terminal,
): Promise<ListedProxy[]> {
  const { protocol, listFormat, skipInvalid = false } = options;
  const list = await readSource(source, terminal.stdin);
  let read;
  try {
    read = readEntries(list, { protocol, format: listFormat });
  } catch (error) {
    // Of the format: its message names it.
    if (error instanceof TypeError || error instanceof RangeError) {
      throw new UsageError(`--list-format: ${error.message}`);
    }
    throw error;
  }
  const { entries, issues } = read;
  if (issues.length > 0) {
    const lines = issueLines(source, issues);
    if (!skipInvalid || entries.length === 0) throw new UsageError(lines);
    for (const line of lines) say(terminal, options, line);
  }
  return entries;
}

/** `plain` is a list of proxies to be used, so those that do not work are in it only when they are asked for. */
function wantedBy({ format, only }: CheckOptions): (result: CheckResult) => boolean {
  const which = only ?? (format === 'plain' ? 'ok' : undefined);
  return ({ outcome }) => which === undefined || outcome.ok === (which === 'ok');
}

function say(terminal: Terminal, { quiet }: CheckOptions, line: string): void {
  if (quiet !== true) terminal.stderr.write(`whirl: ${line}\n`);
}

function warnOfMasks(
  results: readonly CheckResult[],
  options: CheckOptions,
  terminal: Terminal,
): void {
  const masked = results.filter(({ proxy }) => proxy.password !== undefined).length;
  if (masked === 0) return;
  const text = `${count(masked)} ${masked === 1 ? 'password is' : 'passwords are'} masked: with --show-passwords the list can be used`;
  say(terminal, options, paint(terminal.stderr, 'yellow', text));
}

/** The tests of all entries, with what a person sees of them meanwhile. */
class Run {
  readonly #entries: readonly ListedProxy[];
  readonly #options: CheckOptions;
  readonly #terminal: Terminal;
  readonly #shown: { readonly bar: boolean; readonly onResult: (result: CheckResult) => void };
  readonly #tester: Tester;
  readonly #tally: Tally;
  readonly #stop = new AbortController();

  constructor(
    entries: readonly ListedProxy[],
    options: CheckOptions,
    terminal: Terminal,
    shown: { bar: boolean; onResult: (result: CheckResult) => void },
  ) {
    this.#entries = entries;
    this.#options = options;
    this.#terminal = terminal;
    this.#shown = shown;
    // Every test that is under way may listen.
    setMaxListeners(0, this.#stop.signal);
    this.#tester = new Tester(taskOf(options));
    this.#tally = new Tally(entries.length, () => performance.now());
  }

  /** As Ctrl-C does. */
  stop(): void {
    this.#stop.abort();
  }

  async done(): Promise<{ tally: Tally; interrupted: boolean }> {
    const { concurrency, quiet } = this.#options;
    const { stderr } = this.#terminal;
    const tally = this.#tally;
    const draw = this.#shown.bar && stderr.isTTY === true && quiet !== true;
    const bar = draw
      ? (await import('../terminal/bar.ts')).startBar(stderr, tally.total, tally.progress)
      : undefined;
    const goOn = this.#terminal.onStop(() => this.#stop.abort());
    try {
      await runAll(this.#entries, {
        concurrency,
        signal: this.#stop.signal,
        run: (entry) => this.#test(entry),
        isLocal: ({ outcome }) => outcome.reason === 'local',
        onResult: ({ line, proxy }, { protocol, outcome }) => {
          const result = { line, proxy, protocol, outcome, checkedAt: Date.now() };
          tally.add(result);
          bar?.update(tally.done, tally.progress);
          this.#shown.onResult(result);
        },
        onNarrowed: (left) => {
          if (bar === undefined) say(this.#terminal, this.#options, narrowed(left));
          else bar.log(`whirl: ${narrowed(left)}`);
        },
      });
    } finally {
      bar?.stop();
      goOn();
      await this.#tester.close();
    }
    return { tally, interrupted: this.#stop.signal.aborted };
  }

  /** Up to `--attempts` tests; the first that is good ends them. */
  async #test(entry: ListedProxy): Promise<Found> {
    const { attempts, timeout } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const found = await testProxy(this.#tester, entry, timeout, this.#stop.signal);
      const { ok, reason } = found.outcome;
      if (ok || reason === 'local' || attempt >= attempts || this.#stop.signal.aborted)
        return found;
    }
  }
}

function narrowed(left: number): string {
  return `no descriptors left (ulimit -n): ${count(left)} tests at once from now on`;
}

function taskOf({ url, connect, expectStatus, expectBody }: CheckOptions): Task {
  if (connect !== undefined) return { connect };
  if (url === undefined) throw new UsageError('--url or --connect is required');
  return { url, expectStatus, expectBody };
}
