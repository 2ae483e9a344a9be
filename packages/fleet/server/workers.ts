import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface WorkerOptions {
  readonly name: string;
  readonly port: number;
  readonly ids: readonly string[];
  readonly everyMs: number;
  readonly openMs: number;
  readonly leaseMs: number;
  readonly skewMs: number;
  readonly seed: number;
  /** False: the same without a fleet. */
  readonly fleet: boolean;
  readonly strategy: 'in turn' | 'adaptive' | 'consistent';
  /** How often each proxy works, 0 to 1; those left out always do. */
  readonly rates: Readonly<Record<string, number>>;
  readonly graceMs: number;
  readonly deadlineMs: number;
  readonly evidenceIntervalMs: number;
  /** Given these, the process is a rotator, and its requests go through them. Default: a pool that simulates them. */
  readonly proxies?: readonly { readonly id: string; readonly url: string }[];
  /** What a rotator asks. */
  readonly target?: string;
  /** `always`: a rotator's proxies see no response, so none can be theirs. */
  readonly tunnel: 'auto' | 'always';
}

/** How long a rotator bans a proxy for: everywhere after a 402, at the target after a 451. */
export const banMs = 8000;

/** What a worker is told. */
export interface Command {
  readonly dead?: readonly string[];
  /** Everything fails, as with a dead network. */
  readonly sick?: boolean;
  /** Attempts through it end without a verdict. */
  readonly held?: string;
  readonly everyMs?: number;
  /** What a rotator asks, instead of its target's origin. */
  readonly url?: string;
  /** A rotator makes so many requests. */
  readonly requests?: { readonly count: number; readonly atOnce: number };
  /** Which proxy each of so many sessions has. */
  readonly sessions?: { readonly from: number; readonly to: number };
  readonly count?: true;
  readonly leave?: true;
}

export interface Counts {
  readonly type: 'counts';
  readonly attempts: Readonly<Record<string, number>>;
  /** Attempts after the first of a request. */
  readonly retries: number;
  readonly refused: number;
  /** Those that have ended. */
  readonly requests: number;
  /** Round trips to the store. */
  readonly syncs: number;
  /** The longest that a request took to find its proxy and settle. */
  readonly slowestMs: number;
}

/** What a worker reports; times are of the machine's clock. */
export type Report =
  | { readonly type: 'ready' }
  | { readonly type: 'circuit'; id: string; to: string; reason: string; at: number }
  | { readonly type: 'fleet'; event: string; reason?: string | undefined }
  | { readonly type: 'test'; id: string; at: number }
  | { readonly type: 'ban'; id: string; target?: string | undefined; rule: string }
  | { readonly type: 'done'; succeeded: number }
  | { readonly type: 'sessions'; places: readonly string[] }
  | Counts;

/** A process of the fleet. */
export class Worker {
  readonly name: string;
  readonly events: string[] = [];
  /** Why it was degraded, each time. */
  readonly reasons: string[] = [];
  readonly circuits = new Map<string, { to: string; reason: string; at: number }>();
  readonly transitions: { id: string; to: string; reason: string; at: number }[] = [];
  readonly tests: { id: string; at: number }[] = [];
  readonly bans: { id: string; target?: string | undefined; rule: string }[] = [];
  readonly child: ChildProcess;
  readonly #waiting: { type: Report['type']; hear: (report: Report) => void }[] = [];

  constructor(options: WorkerOptions) {
    this.name = options.name;
    const name = options.proxies === undefined ? 'worker.ts' : 'rotator-worker.ts';
    const file = fileURLToPath(new URL(name, import.meta.url));
    this.child = fork(file, [JSON.stringify(options)], {
      execArgv: ['--conditions=@whirl/source', '--import', 'tsx'],
    });
    this.child.on('message', (report: Report) => this.#hear(report));
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  tell(command: Command): void {
    if (this.isAlive) this.child.send(command);
  }

  async counts(): Promise<Counts> {
    return this.#ask('counts', { count: true });
  }

  /** Makes requests, so many at a time; returns how many succeeded. */
  async requests(count: number, atOnce: number): Promise<number> {
    const { succeeded } = await this.#ask('done', { requests: { count, atOnce } });
    return succeeded;
  }

  /** The proxies of a range of sessions, each of which makes a request. */
  async sessions(from: number, to: number): Promise<readonly string[]> {
    const { places } = await this.#ask('sessions', { sessions: { from, to } });
    return places;
  }

  isOpen(id: string): boolean {
    return (this.circuits.get(id)?.to ?? 'closed') !== 'closed';
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!this.isAlive) return;
    const gone = once(this.child, 'exit');
    this.child.kill(signal);
    await gone;
  }

  /** Tells it something; the next report of that type is the reply. */
  async #ask<Type extends Report['type']>(type: Type, command: Command) {
    const heard = new Promise<Report>((hear) => this.#waiting.push({ type, hear }));
    this.tell(command);
    return (await heard) as Extract<Report, { readonly type: Type }>;
  }

  #hear(report: Report): void {
    if (report.type === 'fleet') {
      this.events.push(report.event);
      if (report.reason !== undefined) this.reasons.push(report.reason);
    } else if (report.type === 'test') this.tests.push(report);
    else if (report.type === 'ban') this.bans.push(report);
    else if (report.type === 'circuit') {
      this.circuits.set(report.id, report);
      this.transitions.push(report);
    }
    const at = this.#waiting.findIndex(({ type }) => type === report.type);
    if (at >= 0) this.#waiting.splice(at, 1)[0]?.hear(report);
  }
}

/** Starts workers, each of them named by its place, after so many that are there. */
export function startWorkers(
  count: number,
  options: Partial<WorkerOptions> & { readonly port: number },
  before = 0,
): Worker[] {
  return Array.from(
    { length: count },
    (_, i) =>
      new Worker({
        name: `w${before + i + 1}`,
        ids: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'],
        everyMs: 100,
        openMs: 2000,
        leaseMs: 2000,
        skewMs: 0,
        seed: before + i + 1,
        fleet: true,
        strategy: 'in turn',
        rates: {},
        tunnel: 'auto',
        graceMs: 1000,
        // A machine that is busy with tests is no store that is away.
        deadlineMs: 1000,
        evidenceIntervalMs: 10_000,
        ...options,
      }),
  );
}
