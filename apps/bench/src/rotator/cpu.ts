import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { median } from '../measure.ts';
import { printTable } from '../table.ts';
import { flawless, startFleet, type Fleet } from './fleet.ts';
import { wayNames, type Way } from './ways.ts';

const rounds = 21;
/** After which all of a process is compiled: one at a time it still compiles in its 7,000th request. */
const warmUpRequests = 12_000;

const byHttp = ['agent', 'client', 'verb', 'dispatcher'] as const;
/** A bare client cannot lead through a tunnel. */
const byHttps = ['agent', 'verb', 'dispatcher'] as const;

/**
 * CPU of the client for each request. Each way has a process of its own, and all of them take turns within each
 * round, so that a noisy moment of the machine meets all of them; the ratio is the median of the rounds' quotients.
 */
export async function cpu(): Promise<void> {
  for (const [scheme, concurrency, requests] of [
    ['http', 1, 1000],
    ['http', 64, 3000],
    ['http', 1000, 4000],
    ['https', 64, 3000],
  ] as const) {
    const fleet = await startFleet(flawless(8), { tls: scheme === 'https' });
    const ways: readonly Way[] = scheme === 'http' ? byHttp : byHttps;
    try {
      const costs = await takeTurns(ways, fleet, { requests, concurrency });
      const peers = costs.get('agent') ?? [];
      printTable(
        `CPU of the client, ${scheme}, ${concurrency} at a time (medians of ${rounds} rounds by turns)`,
        ways.map((way) => {
          const own = costs.get(way) ?? [];
          return {
            through: wayNames[way],
            'µs/request': Math.round(median(own) * 10) / 10,
            'over ProxyAgent': median(own.map((cost, i) => cost / (peers[i] ?? NaN))),
          };
        }),
      );
    } finally {
      await fleet.close();
    }
  }
}

/** The microseconds for each request, by way and round. */
async function takeTurns(
  ways: readonly Way[],
  { target, proxies }: Fleet,
  order: { readonly requests: number; readonly concurrency: number },
): Promise<Map<Way, number[]>> {
  const costs = new Map<Way, number[]>(ways.map((way) => [way, []]));
  const clients = new Map<Way, ChildProcess>();
  try {
    for (const way of ways) {
      const client = fork(
        fileURLToPath(new URL('cpu-client.ts', import.meta.url)),
        [way, target, ...proxies],
        { execArgv: ['--import', 'tsx'] },
      );
      clients.set(way, client);
      await once(client, 'message');
    }
    const warmUps = Math.ceil(warmUpRequests / order.requests);
    for (let round = -warmUps; round < rounds; round++) {
      const first = Math.abs(round) % ways.length;
      for (const way of [...ways.slice(first), ...ways.slice(0, first)]) {
        const client = clients.get(way) as ChildProcess;
        client.send(order);
        const [{ cpuUs, failed }] = (await once(client, 'message')) as [
          { cpuUs: number; failed: number },
        ];
        if (failed > 0) throw new Error(`${wayNames[way]}: ${failed} requests failed`);
        if (round >= 0) costs.get(way)?.push(cpuUs);
      }
    }
  } finally {
    for (const client of clients.values()) client.disconnect();
  }
  return costs;
}
