import { ProxyRotator } from '@whirl/rotator';
import { roundRobin } from '@whirl/selector';
import pRetry from 'p-retry';
import { Agent, ProxyAgent, request, type Dispatcher } from 'undici';
import { median } from '../measure.ts';
import { printTable } from '../table.ts';
import { flawless, startFleet } from './fleet.ts';
import { load, type Load } from './load.ts';

const rounds = 5;

/** Throughput and CPU through the same flawless proxies. Gives whirl's ratio to ProxyAgent at 64. */
export async function throughput(): Promise<number> {
  const fleet = await startFleet(flawless(8));
  const connections = 64;
  const agent = new Agent({ connections: 1024 });
  const agents = fleet.proxies.map(
    (uri) => new ProxyAgent({ uri, proxyTunnel: false, connections }),
  );
  const adaptive = new ProxyRotator({ proxies: fleet.proxies, connections });
  const inTurn = new ProxyRotator({
    proxies: fleet.proxies,
    connections,
    strategy: roundRobin(),
  });
  let turn = 0;
  const next = () => agents[turn++ % agents.length] as ProxyAgent;
  const through = async (dispatcher: Dispatcher) => {
    const { statusCode, body } = await request(fleet.target, { dispatcher });
    await body.text();
    if (statusCode !== 200) throw new Error(`status ${statusCode}`);
  };
  const subjects: Record<string, () => Promise<unknown>> = {
    'undici Agent, no proxy': () => through(agent),
    'undici ProxyAgent': () => through(next()),
    'p-retry + ProxyAgent': () => pRetry(() => through(next()), { retries: 2 }),
    'whirl, roundRobin()': async () => (await inTurn.get(fleet.target)).body.text(),
    'whirl, adaptive()': async () => (await adaptive.get(fleet.target)).body.text(),
  };
  let ratioAt64 = NaN;
  try {
    for (const [concurrency, requests] of [
      [1, 1500],
      [64, 3000],
      [1000, 4000],
    ] as const) {
      const loads = new Map<string, Load[]>();
      for (let round = -1; round < rounds; round++) {
        for (const [name, send] of Object.entries(subjects)) {
          const result = await load(send, { requests, concurrency });
          if (result.failed > 0) throw new Error(`${name}: ${result.failed} requests failed`);
          if (round >= 0) loads.set(name, [...(loads.get(name) ?? []), result]);
        }
      }
      const of = (name: string, pick: (each: Load) => number) =>
        median((loads.get(name) ?? []).map(pick));
      const peer = of('undici ProxyAgent', (each) => each.requestsPerSecond);
      printTable(
        `Flawless proxies, ${concurrency} at a time (medians of ${rounds} rounds by turns)`,
        Object.keys(subjects).map((name) => ({
          through: name,
          'requests/s': Math.round(of(name, (each) => each.requestsPerSecond)),
          'over ProxyAgent': of(name, (each) => each.requestsPerSecond) / peer,
          'client CPU, µs/request': Math.round(of(name, (each) => each.cpuUs)),
        })),
      );
      if (concurrency === 64)
        ratioAt64 = of('whirl, adaptive()', (r) => r.requestsPerSecond) / peer;
    }
  } finally {
    await Promise.all([agent, ...agents].map((each) => each.destroy()));
    await Promise.all([adaptive.destroy(), inTurn.destroy()]);
    await fleet.close();
  }
  return ratioAt64;
}
