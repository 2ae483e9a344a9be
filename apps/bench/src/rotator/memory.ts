import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { median } from '../measure.ts';
import { printTable } from '../table.ts';
import { flawless, startFleet } from './fleet.ts';
import { wayNames, type Way } from './ways.ts';

const rounds = 5;
const requests = 1000;
/** How long the target holds each response, and when within that time the heap is weighed. */
const heldMs = 3000;
const settledMs = 1500;

/**
 * Bytes of the heap that a request holds while it waits for its response: 1,000 of them through one proxy that has as
 * many connections open already. Each way has a process of its own.
 */
export async function memory(): Promise<void> {
  const fleet = await startFleet(flawless(1));
  try {
    const target = new URL(`/delay/${heldMs}`, fleet.target).href;
    const rows: { through: string; 'bytes/request': number }[] = [];
    for (const way of ['client', 'agent', 'verb', 'dispatcher'] as const) {
      const bytes = await weigh(way, target, fleet.proxies);
      rows.push({ through: wayNames[way], 'bytes/request': Math.round(bytes) });
    }
    printTable(`Heap held by a request in flight, ${requests} at a time`, rows);
  } finally {
    await fleet.close();
  }
}

async function weigh(way: Way, target: string, proxies: readonly string[]): Promise<number> {
  const client = fork(
    fileURLToPath(new URL('memory-client.ts', import.meta.url)),
    [way, target, ...proxies],
    { execArgv: ['--import', 'tsx', '--expose-gc'] },
  );
  try {
    await once(client, 'message');
    const bytes: number[] = [];
    // The first round opens the connections, and compiles.
    for (let round = -1; round < rounds; round++) {
      client.send({ requests, settledMs });
      const [held] = (await once(client, 'message')) as [number];
      if (round >= 0) bytes.push(held);
    }
    return median(bytes);
  } finally {
    client.disconnect();
  }
}
