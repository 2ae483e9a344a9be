import { joinFleet, type Fleet } from '@whirl/fleet';
import { redisStore } from '@whirl/fleet/redis';
import { seededRandom } from '@whirl/testkit';
import { setTimeout as wait } from 'node:timers/promises';
import { clients } from '../../../../packages/fleet/server/clients.ts';
import { RedisServer } from '../../../../packages/fleet/server/redis-server.ts';
import { SimulatedPool } from '../../../../packages/fleet/src/testing/simulated-pool.ts';

const processes = 50;
const proxies = 10_000;
/** Proxies that each process uses. */
const used = 2000;
const failuresPerSecond = 1250;
const warmUpMs = 15_000;
const measuredMs = 20_000;

interface Member {
  readonly ids: readonly string[];
  readonly pool: SimulatedPool;
  readonly fleet: Fleet;
  readonly end: () => Promise<void>;
}

/** Fifty members in one process, each with a connection of its own. */
export async function redisLoad() {
  const server = await RedisServer.start();
  const random = seededRandom(1);
  const members: Member[] = [];
  for (let i = 0; i < processes; i++) {
    const ids = Array.from(
      { length: used },
      (_, k) => `proxy-${(i * 200 + k) % proxies}.example:8000`,
    );
    const { commands, end } = await clients['ioredis']!(server.port);
    const pool = new SimulatedPool({ now: epochNow, random, ids });
    const fleet = joinFleet({
      rotator: pool,
      pool: 'bench',
      store: redisStore(commands),
      processId: `process-${i}`,
      witness: `host-${i % 10}`,
      rowsPerSecond: 10_000,
      deadlineMs: 1000,
    });
    members.push({ ids, pool, fleet, end });
  }
  // Each failure is followed by a success, 2,500 rows a second: both are told where others see failures too, and no circuit opens. What a late timer owes is made up for.
  let failures = 0;
  const beganAt = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - beganAt) * failuresPerSecond) / 1000;
    for (; failures < due; failures++) {
      const { ids, pool } = members[failures % processes] as Member;
      const id = ids[Math.floor(random() * used)] ?? '';
      attempt(pool, id, 'failure');
      attempt(pool, id, 'success');
    }
  }, 20);
  await wait(warmUpMs);
  const before = await stateOf(server);
  const sent = () => members.reduce((sum, { fleet }) => sum + fleet.metrics().rows.sent, 0);
  const sentBefore = sent();
  const cpuBefore = process.cpuUsage();
  const startedAt = performance.now();
  await wait(measuredMs);
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  const after = await stateOf(server);
  const rows = (sent() - sentBefore) / seconds;
  const lags = members.map(({ fleet }) => fleet.metrics().lagMs).sort((a, b) => a - b);
  clearInterval(timer);
  for (const { fleet, end } of members) {
    await fleet.close();
    await end();
  }
  await server.stop();
  return [
    { what: 'rows told per second', measured: Math.round(rows) },
    {
      what: 'Redis, % of a core',
      measured: (100 * (after.cpuSeconds - before.cpuSeconds)) / seconds,
    },
    { what: 'out of Redis, MB/s', measured: (after.out - before.out) / 1e6 / seconds },
    { what: 'into Redis, MB/s', measured: (after.in - before.in) / 1e6 / seconds },
    { what: 'memory of Redis, MB', measured: after.memory / 1e6 },
    {
      what: 'CPU of a process, % of a core',
      measured: (100 * (cpu.user + cpu.system)) / 1e6 / seconds / processes,
    },
    { what: 'lag of a fact, median ms', measured: lags[lags.length >> 1] ?? NaN },
    { what: 'the same, longest', measured: lags.at(-1) ?? NaN },
  ];
}

const epochNow = () => performance.timeOrigin + performance.now();

function attempt({ bus }: SimulatedPool, proxyId: string, outcome: 'success' | 'failure'): void {
  bus.emit('attempt:end', {
    requestId: 'r',
    attempt: 0,
    proxyId,
    origin: 'http://target.example',
    outcome,
    blame: outcome === 'success' ? 'none' : 'proxy',
    phase: 'headers',
    statusCode: outcome === 'success' ? 200 : undefined,
    reason: outcome === 'success' ? undefined : 'tcp',
    latencyMs: 50,
    delayBeforeMs: 0,
    hedge: false,
    at: epochNow(),
  });
}

async function stateOf(server: RedisServer) {
  const text = await server.command('INFO', 'everything');
  const read = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(text)?.[1]);
  return {
    cpuSeconds: read('used_cpu_sys') + read('used_cpu_user'),
    out: read('total_net_output_bytes'),
    in: read('total_net_input_bytes'),
    memory: read('used_memory'),
  };
}
