import { setTimeout as wait } from 'node:timers/promises';
import { RedisServer } from '../../../../packages/fleet/server/redis-server.ts';
import {
  startWorkers,
  type Worker,
  type WorkerOptions,
} from '../../../../packages/fleet/server/workers.ts';

/** Processes with a server of their own, which end together. */
export async function withTeam<Result>(
  count: number,
  options: Partial<WorkerOptions>,
  use: (workers: readonly Worker[]) => Promise<Result>,
): Promise<Result> {
  const server = await RedisServer.start();
  const workers = startWorkers(count, { port: server.port, ...options });
  try {
    await Promise.all(workers.map((worker) => worker.counts()));
    if (options.fleet !== false) {
      await until(() => workers.every(({ events }) => events.includes('joined')));
    }
    await wait(2000);
    return await use(workers);
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()));
    await server.stop();
  }
}

/** Waits until that is so. */
export async function until(what: () => boolean, withinMs = 60_000): Promise<void> {
  const from = performance.now();
  while (!what()) {
    if (performance.now() - from > withinMs) throw new Error(`not so within ${withinMs} ms`);
    await wait(20);
  }
}
