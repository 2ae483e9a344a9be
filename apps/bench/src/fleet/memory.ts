import { joinFleet } from '@whirl/fleet';
import { redisStore } from '@whirl/fleet/redis';
import { seededRandom } from '@whirl/testkit';
import { askOf } from '../../../../packages/fleet/server/ask.ts';
import { clients } from '../../../../packages/fleet/server/clients.ts';
import { RedisServer } from '../../../../packages/fleet/server/redis-server.ts';
import { encodeFacts } from '../../../../packages/fleet/src/facts.ts';
import { bucketOf } from '../../../../packages/fleet/src/store.ts';
import { SimulatedPool } from '../../../../packages/fleet/src/testing/simulated-pool.ts';
import { until } from './team.ts';

const proxies = 10_000;
const atOnce = 500;

/** What a process holds besides its pool, before and after two others have told of each proxy. */
export async function memory() {
  const server = await RedisServer.start();
  const { commands, end } = await clients['ioredis']!(server.port);
  const store = redisStore(commands);
  const ids = Array.from({ length: proxies }, (_, i) => `proxy-${i}.example:8000`);
  const pool = new SimulatedPool({ now: epochNow, random: seededRandom(1), ids });
  const alone = heapMegabytes();
  const fleet = joinFleet({ rotator: pool, pool: 'bench', store, processId: 'measured' });
  await until(() => fleet.state === 'joined');
  const joined = heapMegabytes();
  for (const process of ['one', 'two']) {
    for (let from = 0; from < proxies; from += atOnce) {
      await store.sync(askOf(process, 'bench', told(ids.slice(from, from + atOnce))));
    }
  }
  await until(() => fleet.metrics().rows.received >= 2 * proxies);
  const informed = heapMegabytes();
  await fleet.close();
  await end();
  await server.stop();
  return [
    { what: 'joined, nothing heard, MB', measured: joined - alone },
    { what: 'two others have told of each proxy, MB', measured: informed - alone },
  ];
}

function told(ids: readonly string[]) {
  return {
    batch: encodeFacts(
      ids.map((id) => ({ kind: 'failing', id, failures: 1, run: 1, latencyMs: 50 })),
    ),
    evidence: ids.map((id) => {
      return { bucket: bucketOf(id), id, successes: 1, failures: 1, successMs: 50, run: -1 };
    }),
  };
}

const epochNow = () => performance.timeOrigin + performance.now();

function heapMegabytes(): number {
  if (globalThis.gc === undefined) throw new Error('memory is measured with --expose-gc');
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 1e6;
}
