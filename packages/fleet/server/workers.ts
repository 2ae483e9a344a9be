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
  readonly strategy: 'in turn' | 'adaptive';
}

/** What a worker is told. */
export interface Command {
  readonly dead?: readonly string[];
  /** Everything fails, as with a dead network. */
  readonly sick?: boolean;
  /** Attempts through it end without a verdict. */
  readonly held?: string;
  readonly everyMs?: number;
  readonly count?: true;
  readonly leave?: true;
}

export interface Counts {
  readonly type: 'counts';
  readonly attempts: Readonly<Record<string, number>>;
  readonly refused: number;
  readonly requests: number;
  /** The longest that a request took to find its proxy and settle. */
  readonly slowestMs: number;
}

/** What a worker reports; times are of the machine's clock. */
export type Report =
  | { readonly type: 'ready' }
  | { readonly type: 'circuit'; id: string; to: string; reason: string; at: number }
  | { readonly type: 'fleet'; event: string }
  | { readonly type: 'test'; id: string; at: number }
  | Counts;

/** A process of the fleet. */
export class Worker {
  readonly name: string;
  readonly events: string[] = [];
  readonly circuits = new Map<string, { to: string; reason: string; at: number }>();
  readonly transitions: { id: string; to: string; reason: string; at: number }[] = [];
  readonly tests: { id: string; at: number }[] = [];
  readonly child: ChildProcess;
  #counts: ((counts: Counts) => void)[] = [];

  constructor(options: WorkerOptions) {
    this.name = options.name;
    const file = fileURLToPath(new URL('worker.ts', import.meta.url));
    this.child = fork(file, [JSON.stringify(options)], {
      execArgv: ['--conditions=@whirl/source', '--import', 'tsx'],
    });
    this.child.on('message', (report: Report) => this.#hear(report));
  }

  tell(command: Command): void {
    this.child.send(command);
  }

  async counts(): Promise<Counts> {
    const heard = new Promise<Counts>((resolve) => this.#counts.push(resolve));
    this.tell({ count: true });
    return heard;
  }

  isOpen(id: string): boolean {
    return (this.circuits.get(id)?.to ?? 'closed') !== 'closed';
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill(signal);
    await gone;
  }

  #hear(report: Report): void {
    if (report.type === 'fleet') this.events.push(report.event);
    else if (report.type === 'test') this.tests.push(report);
    else if (report.type === 'counts') this.#counts.shift()?.(report);
    else if (report.type === 'circuit') {
      this.circuits.set(report.id, report);
      this.transitions.push(report);
    }
  }
}

/** Starts workers, each of them named by its place. */
export function startWorkers(
  count: number,
  options: Partial<WorkerOptions> & { readonly port: number },
): Worker[] {
  return Array.from(
    { length: count },
    (_, i) =>
      new Worker({
        name: `w${i + 1}`,
        ids: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'],
        everyMs: 100,
        openMs: 2000,
        leaseMs: 2000,
        skewMs: 0,
        seed: i + 1,
        fleet: true,
        strategy: 'in turn',
        ...options,
      }),
  );
}
