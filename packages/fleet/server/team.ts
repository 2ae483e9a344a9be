import { expect } from 'vitest';
import { RedisServer } from './redis-server.ts';
import { startWorkers, type Command, type Worker, type WorkerOptions } from './workers.ts';

/** A machine with few cores takes its time to start many processes. */
const starting = { timeout: 60_000 };

/** A redis-server of its own, and the processes of one fleet on it. */
export class Team {
  readonly server: RedisServer;
  readonly workers: Worker[] = [];

  private constructor(server: RedisServer) {
    this.server = server;
  }

  static async start(): Promise<Team> {
    return new Team(await RedisServer.start());
  }

  /** Starts processes. */
  launch(count: number, options: Partial<WorkerOptions> = {}): Worker[] {
    const from = this.workers.length;
    const started = startWorkers(count, { port: this.server.port, ...options }, from);
    this.workers.push(...started);
    return started;
  }

  /** Starts processes, and waits until the store has responded to each of them. */
  async join(count: number, options: Partial<WorkerOptions> = {}): Promise<Worker[]> {
    const started = this.launch(count, options);
    await expect
      .poll(() => started.every(({ events }) => events.includes('joined')), starting)
      .toBe(true);
    return started;
  }

  tell(command: Command): void {
    for (const worker of this.workers) worker.tell(command);
  }

  /** Processes whose circuit of that proxy is not closed. */
  openIn(id: string): number {
    return this.workers.filter((worker) => worker.isOpen(id)).length;
  }

  /** When the tests of that proxy's circuit began, in all processes, in order. */
  tests(id: string): number[] {
    return this.workers
      .flatMap((worker) => worker.tests.filter((test) => test.id === id).map(({ at }) => at))
      .sort((a, b) => a - b);
  }

  /** What the processes that are there have counted, summed up. */
  async sum(count: 'requests' | 'retries' | 'refused'): Promise<number> {
    const alive = this.workers.filter(({ isAlive }) => isAlive);
    const all = await Promise.all(alive.map((worker) => worker.counts()));
    return all.reduce((sum, { [count]: each }) => sum + each, 0);
  }

  async end(): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.kill()));
    await this.server.stop();
  }
}
