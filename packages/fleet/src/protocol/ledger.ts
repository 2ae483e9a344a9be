import { reportMs, workingMs } from './settings.ts';

/** What one process says of a proxy. */
interface Report {
  readonly process: string;
  /** Failures in a row. */
  readonly run: number;
  readonly failedAt: number;
  readonly workingAt: number;
  /** Its circuit is open there until then. */
  readonly openUntil: number;
}

// Where in a report's five numbers these are. The first is that of its process.
const runs = 1;
const failed = 2;
const working = 3;
const open = 4;
const width = 5;
const never = -Infinity;

/** What all say of a proxy. */
export interface Findings {
  /** Failures in a row over the whole fleet, each witness counting at most one less than opens a circuit. */
  readonly run: number;
  /** Witnesses that report failures, and that report successes since. */
  readonly failing: number;
  readonly working: number;
  /** Until when its circuit is open elsewhere; −Infinity: nowhere. */
  readonly openUntil: number;
}

/**
 * What the processes report of proxies. For each process its latest report counts, so it does not matter how often
 * or in which order reports come. A witness is a process, or a host as soon as there are processes of two: the
 * processes of one host may share a dead network.
 */
export class Ledger {
  /** Five numbers for each report, in one array: an object for each would be twice what a process holds. */
  readonly #reports = new Map<string, number[]>();
  /** The processes that reported something within a minute, and their numbers. */
  readonly #names = new Map<number, string>();
  readonly #numbers = new Map<string, number>();
  #lastNumber = 0;
  /** When a proxy was found to work again: what was seen before counts no more. */
  readonly #clearedAt = new Map<string, number>();
  readonly #witnessOf: (process: string) => string;
  #sweptAt = 0;

  constructor(witnessOf: (process: string) => string) {
    this.#witnessOf = witnessOf;
  }

  /** Whether any report of failures is known. */
  isContested(id: string): boolean {
    return this.#reports.has(id);
  }

  failed(id: string, process: string, run: number, at: number): void {
    const rows = this.#rowsFor(id, process, at);
    if (rows === undefined) return;
    const i = this.#find(rows, process);
    if (at < rows[i + failed]!) return;
    rows[i + failed] = at;
    rows[i + runs] = run;
    if (run === 0) rows[i + working] = Math.max(rows[i + working]!, at);
  }

  opened(id: string, process: string, run: number, until: number, at: number): void {
    const rows = this.#rowsFor(id, process, at);
    if (rows === undefined) return;
    const i = this.#find(rows, process);
    rows[i + open] = Math.max(rows[i + open]!, until);
    if (at < rows[i + failed]!) return;
    rows[i + failed] = at;
    rows[i + runs] = Math.max(rows[i + runs]!, run);
  }

  worked(id: string, process: string, at: number): void {
    const rows = this.#rowsFor(id, process, at, true);
    if (rows === undefined) return;
    const i = this.#find(rows, process);
    rows[i + working] = Math.max(rows[i + working]!, at);
    if (rows[i + failed]! <= at) rows[i + runs] = 0;
  }

  /** Whether it has said that it failed there. */
  hasFailed(id: string, process: string): boolean {
    return this.#last(id, process, failed) > never;
  }

  /** Whether it has said after that instant that it works there. */
  workedAfter(id: string, process: string, at: number): boolean {
    return this.#last(id, process, working) > at;
  }

  /** It works again: all that was seen before is over. */
  clear(id: string, at: number): void {
    this.#reports.delete(id);
    this.#clearedAt.set(id, at);
  }

  forget(id: string): void {
    this.#reports.delete(id);
    this.#clearedAt.delete(id);
  }

  /** The reports of one proxy, or of all; those of this process too. */
  *reports(only?: string): Generator<Readonly<Report> & { proxyId: string }> {
    for (const [proxyId, rows] of this.#reports) {
      if (only !== undefined && only !== proxyId) continue;
      for (let i = 0; i < rows.length; i += width) {
        yield {
          proxyId,
          process: this.#nameAt(rows, i),
          run: rows[i + runs]!,
          failedAt: rows[i + failed]!,
          workingAt: rows[i + working]!,
          openUntil: rows[i + open]!,
        };
      }
    }
  }

  /** `without`: a process whose own failures do not count. */
  findings(id: string, threshold: number, now: number, without?: string): Findings {
    const failing = new Map<string, number>();
    const contradicting = new Set<string>();
    const rows = this.#reports.get(id) ?? [];
    let openUntil = never;
    for (let i = 0; i < rows.length; i += width) {
      const process = this.#nameAt(rows, i);
      if (process === without) continue;
      const witness = this.#witnessOf(process);
      const works = now - rows[i + working]! <= workingMs;
      // One failure after a success that was reported is a slip, not a report that it is dead.
      const fails = rows[i + runs]! > (works ? 1 : 0) && now - rows[i + failed]! <= reportMs;
      if (fails) {
        const most = Math.max(threshold - 1, 1);
        failing.set(witness, Math.min((failing.get(witness) ?? 0) + rows[i + runs]!, most));
        openUntil = Math.max(openUntil, rows[i + open]!);
      } else if (works) contradicting.add(witness);
    }
    let run = 0;
    for (const each of failing.values()) run += each;
    for (const witness of failing.keys()) contradicting.delete(witness);
    return { run, failing: failing.size, working: contradicting.size, openUntil };
  }

  /** Drops what no longer counts, every ten seconds. */
  sweep(now: number): void {
    if (now - this.#sweptAt < 10_000) return;
    this.#sweptAt = now;
    const reporting = new Set<number>();
    for (const [id, rows] of this.#reports) {
      let left = 0;
      for (let i = 0; i < rows.length; i += width) {
        const latest = Math.max(rows[i + failed]!, rows[i + working]!, rows[i + open]!);
        if (latest < now - reportMs) continue;
        reporting.add(rows[i]!);
        rows.copyWithin(left, i, i + width);
        left += width;
      }
      rows.length = left;
      if (left === 0) this.#reports.delete(id);
    }
    for (const [name, number] of this.#numbers) {
      if (reporting.has(number)) continue;
      this.#numbers.delete(name);
      this.#names.delete(number);
    }
    for (const [id, at] of this.#clearedAt) if (at < now - reportMs) this.#clearedAt.delete(id);
  }

  /**
   * The reports of a proxy, one of that process among them. Undefined for what was seen before the proxy was found to
   * work again, unless the process has reported since and `known` will do.
   */
  #rowsFor(id: string, process: string, at: number, known = false): number[] | undefined {
    const rows = this.#reports.get(id);
    const isThere = this.#find(rows, process) >= 0;
    if (isThere && known) return rows;
    if (at <= (this.#clearedAt.get(id) ?? never)) return undefined;
    if (isThere) return rows;
    const row = [this.#numberOf(process), 0, never, never, never];
    const longer = rows?.concat(row) ?? row;
    this.#reports.set(id, longer);
    return longer;
  }

  /** Where the report of that process begins; −1: nowhere. */
  #find(rows: readonly number[] | undefined, process: string): number {
    const number = this.#numbers.get(process);
    for (let i = 0; rows !== undefined && i < rows.length; i += width) {
      if (rows[i] === number) return i;
    }
    return -1;
  }

  #last(id: string, process: string, what: number): number {
    const rows = this.#reports.get(id);
    const i = this.#find(rows, process);
    return i < 0 ? never : rows![i + what]!;
  }

  #nameAt(rows: readonly number[], i: number): string {
    return this.#names.get(rows[i]!) as string;
  }

  #numberOf(process: string): number {
    let number = this.#numbers.get(process);
    if (number === undefined) {
      number = ++this.#lastNumber;
      this.#numbers.set(process, number);
      this.#names.set(number, process);
    }
    return number;
  }
}
