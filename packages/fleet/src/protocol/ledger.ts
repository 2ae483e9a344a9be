import { reportMs, workingMs } from './settings.ts';

/** What one process says of a proxy. */
interface Report {
  readonly process: string;
  /** Failures in a row. */
  run: number;
  failedAt: number;
  workingAt: number;
  /** Its circuit is open there until then. */
  openUntil: number;
}

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
  /** Arrays no longer than needed: a map for each proxy would be half of what a process holds. */
  readonly #reports = new Map<string, readonly Report[]>();
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
    const report = this.#report(id, process, at);
    if (report === undefined || at < report.failedAt) return;
    report.failedAt = at;
    report.run = run;
    if (run === 0) report.workingAt = Math.max(report.workingAt, at);
  }

  opened(id: string, process: string, run: number, until: number, at: number): void {
    const report = this.#report(id, process, at);
    if (report === undefined) return;
    report.openUntil = Math.max(report.openUntil, until);
    if (at < report.failedAt) return;
    report.failedAt = at;
    report.run = Math.max(report.run, run);
  }

  worked(id: string, process: string, at: number): void {
    const report = this.#find(id, process) ?? this.#report(id, process, at);
    if (report === undefined) return;
    report.workingAt = Math.max(report.workingAt, at);
    if (report.failedAt <= at) report.run = 0;
  }

  /** Whether it has said that it failed there. */
  hasFailed(id: string, process: string): boolean {
    return (this.#find(id, process)?.failedAt ?? -Infinity) > -Infinity;
  }

  /** Whether it has said after that instant that it works there. */
  workedAfter(id: string, process: string, at: number): boolean {
    return (this.#find(id, process)?.workingAt ?? -Infinity) > at;
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
    for (const [proxyId, reports] of this.#reports) {
      if (only !== undefined && only !== proxyId) continue;
      for (const report of reports) yield { proxyId, ...report };
    }
  }

  /** `without`: a process whose own failures do not count. */
  findings(id: string, threshold: number, now: number, without?: string): Findings {
    const runs = new Map<string, number>();
    const working = new Set<string>();
    let openUntil = -Infinity;
    for (const report of this.#reports.get(id) ?? []) {
      if (report.process === without) continue;
      const witness = this.#witnessOf(report.process);
      const works = now - report.workingAt <= workingMs;
      // One failure after a success that was reported is a slip, not a report that it is dead.
      const fails = report.run > (works ? 1 : 0) && now - report.failedAt <= reportMs;
      if (fails) {
        const most = Math.max(threshold - 1, 1);
        runs.set(witness, Math.min((runs.get(witness) ?? 0) + report.run, most));
        openUntil = Math.max(openUntil, report.openUntil);
      } else if (works) working.add(witness);
    }
    let run = 0;
    for (const each of runs.values()) run += each;
    for (const witness of runs.keys()) working.delete(witness);
    return { run, failing: runs.size, working: working.size, openUntil };
  }

  /** Drops what no longer counts, every ten seconds. */
  sweep(now: number): void {
    if (now - this.#sweptAt < 10_000) return;
    this.#sweptAt = now;
    for (const [id, reports] of this.#reports) {
      const left = reports.filter(({ failedAt, workingAt, openUntil }) => {
        return Math.max(failedAt, workingAt, openUntil) >= now - reportMs;
      });
      if (left.length === 0) this.#reports.delete(id);
      else this.#reports.set(id, left);
    }
    for (const [id, at] of this.#clearedAt) if (at < now - reportMs) this.#clearedAt.delete(id);
  }

  /** Undefined for what was seen before the proxy was found to work again. */
  #report(id: string, process: string, at: number): Report | undefined {
    if (at <= (this.#clearedAt.get(id) ?? -Infinity)) return undefined;
    let report = this.#find(id, process);
    if (report === undefined) {
      const never = -Infinity;
      report = { process, run: 0, failedAt: never, workingAt: never, openUntil: never };
      this.#reports.set(id, this.#reports.get(id)?.concat(report) ?? [report]);
    }
    return report;
  }

  #find(id: string, process: string): Report | undefined {
    return this.#reports.get(id)?.find((report) => report.process === process);
  }
}
