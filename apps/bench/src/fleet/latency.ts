import { joinFleet } from '@whirl/fleet';
import { redisStore } from '@whirl/fleet/redis';
import { ProxyRotator } from '@whirl/rotator';
import { startProxy, startTarget } from '@whirl/testkit';
import { clients } from '../../../../packages/fleet/server/clients.ts';
import { RedisServer } from '../../../../packages/fleet/server/redis-server.ts';
import { median, quantile } from '../measure.ts';

const rounds = 9;
const requests = 2000;
const atOnce = 8;

/** Rounds with and without a fleet take turns. */
export async function latency() {
  const server = await RedisServer.start();
  const { commands, end } = await clients['ioredis']!(server.port);
  const target = await startTarget();
  const proxy = await startProxy({ behaviour: { kind: 'ok' } });
  const rotators = [false, true].map(() => new ProxyRotator({ proxies: [proxy.url] }));
  const fleet = joinFleet({ rotator: rotators[1]!, pool: 'bench', store: redisStore(commands) });
  const samples: Record<'p50' | 'p99', number[]>[] = [
    { p50: [], p99: [] },
    { p50: [], p99: [] },
  ];
  for (let round = -1; round < rounds; round++) {
    for (const [i, rotator] of rotators.entries()) {
      const times = await roundOf(rotator, target.url);
      if (round < 0) continue;
      samples[i]!.p50.push(quantile(times, 0.5));
      samples[i]!.p99.push(quantile(times, 0.99));
    }
  }
  await fleet.close();
  for (const rotator of rotators) await rotator.close();
  await proxy.close();
  await target.close();
  await end();
  await server.stop();
  const [alone, together] = samples as [(typeof samples)[number], (typeof samples)[number]];
  return (['p50', 'p99'] as const).map((share) => ({
    share,
    'alone, ms': median(alone[share]),
    'in a fleet, ms': median(together[share]),
    ratio: median(together[share].map((ms, i) => ms / (alone[share][i] ?? NaN))),
  }));
}

async function roundOf(rotator: ProxyRotator, url: string): Promise<number[]> {
  const times: number[] = [];
  let left = requests;
  const client = async () => {
    while (left-- > 0) {
      const startedAt = performance.now();
      const { body } = await rotator.get(url);
      await body.dump();
      times.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, client));
  return times.sort((a, b) => a - b);
}
