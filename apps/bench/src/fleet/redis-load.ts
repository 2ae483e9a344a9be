import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { RedisServer } from '../../../../packages/fleet/server/redis-server.ts';
import { processes, startMember, type Member } from './load-member.ts';

const warmUpMs = 15_000;
const measuredMs = 20_000;
/** After which a process that is alone no longer hears of the others. */
const leavingMs = 5000;

/** Fifty members of a fleet: one in a process of its own, which is measured, and the others together in this one. */
export async function redisLoad() {
  const server = await RedisServer.start();
  const members: Member[] = [];
  for (let number = 1; number < processes; number++) {
    members.push(await startMember(number, server.port));
  }
  const own = fork(
    fileURLToPath(new URL('load-member-process.ts', import.meta.url)),
    ['0', String(server.port)],
    { execArgv: ['--import', 'tsx'] },
  );
  await once(own, 'message');
  const ownState = async () => {
    own.send('state');
    const [state] = (await once(own, 'message')) as [{ cpuSeconds: number; received: number }];
    return state;
  };
  const sent = () => members.reduce((sum, { fleet }) => sum + fleet.metrics().rows.sent, 0);
  await wait(warmUpMs);
  const before = { redis: await stateOf(server), own: await ownState(), sent: sent() };
  const startedAt = performance.now();
  await wait(measuredMs);
  const seconds = (performance.now() - startedAt) / 1000;
  const after = { redis: await stateOf(server), own: await ownState(), sent: sent() };
  const lags = members.map(({ fleet }) => fleet.metrics().lagMs).sort((a, b) => a - b);
  for (const member of members) await member.end();
  await wait(leavingMs);
  const alone = await cpuOf(ownState);
  own.disconnect();
  await once(own, 'exit');
  await server.stop();
  const per = (from: number, to: number, share = 1) => ((to - from) / seconds) * share;
  const percent = (from: number, to: number) => per(from, to, 100);
  const { redis: r0, own: o0 } = before;
  const { redis: r1, own: o1 } = after;
  return [
    { what: 'rows told per second, by 49', measured: Math.round(per(before.sent, after.sent)) },
    { what: 'rows heard per second, by one', measured: Math.round(per(o0.received, o1.received)) },
    { what: 'Redis, % of a core', measured: percent(r0.cpuSeconds, r1.cpuSeconds) },
    { what: 'out of Redis, MB/s', measured: per(r0.out, r1.out, 1e-6) },
    { what: 'into Redis, MB/s', measured: per(r0.in, r1.in, 1e-6) },
    { what: 'memory of Redis, MB', measured: r1.memory / 1e6 },
    { what: 'CPU of one process, % of a core', measured: percent(o0.cpuSeconds, o1.cpuSeconds) },
    { what: 'the same process alone, % of a core', measured: alone },
    { what: 'lag of a fact, median ms', measured: lags[lags.length >> 1] ?? NaN },
    { what: 'the same, longest', measured: lags.at(-1) ?? NaN },
  ];
}

/** What a process uses in a while, in percent of a core. */
async function cpuOf(state: () => Promise<{ readonly cpuSeconds: number }>): Promise<number> {
  const startedAt = performance.now();
  const { cpuSeconds } = await state();
  await wait(measuredMs);
  const used = (await state()).cpuSeconds - cpuSeconds;
  return (100_000 * used) / (performance.now() - startedAt);
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
