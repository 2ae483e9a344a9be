import { banProxy, banTarget, ProxyRotator, type BanRule } from '@whirl/rotator';
import { roundRobin } from '@whirl/selector';
import { seededRandom } from '@whirl/testkit';
import { Redis } from 'ioredis';
import { joinFleet } from '../src/index.ts';
import { fromIoredis, redisStore } from '../src/redis.ts';
import { banMs, type Command, type Report, type WorkerOptions } from './workers.ts';

// One process of a fleet: a rotator whose requests go through real proxies, a real client and a real server.
const options = JSON.parse(process.argv[2] ?? '') as WorkerOptions;
const { name, port, proxies = [], openMs, leaseMs, graceMs, deadlineMs } = options;
const random = seededRandom(options.seed);
const send = (report: Report) => process.connected && process.send?.(report);

const byStatus: Readonly<Record<number, ReturnType<BanRule['judge']>>> = {
  402: banProxy(banMs),
  451: banTarget(banMs),
};
const rotator = new ProxyRotator({
  proxies,
  strategy: roundRobin(),
  circuitBreaker: { openMs },
  // A total outage is to meet the budget, and nothing before it.
  targetDown: false,
  contrast: false,
  tunnel: options.tunnel,
  banRules: [{ name: 'by status', judge: ({ statusCode }) => byStatus[statusCode] }],
  retryPolicy: { baseDelayMs: 100, jitter: true, failoverDelay: 'none' },
});
const attempts: Record<string, number> = {};
let retries = 0;
rotator.bus.on('attempt:start', ({ proxyId, attempt }) => {
  attempts[proxyId] = (attempts[proxyId] ?? 0) + 1;
  if (attempt > 0) retries++;
});
rotator.bus.on('circuit:transition', ({ name: id, to, reason }) => {
  const at = Date.now();
  if (to === 'half_open') send({ type: 'test', id, at });
  send({ type: 'circuit', id, to, reason, at });
});
rotator.bus.on('proxy:banned', ({ proxyId: id, target: of, rule }) => {
  send({ type: 'ban', id, target: of, rule });
});
for (const event of ['joined', 'recovered', 'suspect', 'cleared'] as const) {
  rotator.bus.on(`fleet:${event}`, () => send({ type: 'fleet', event }));
}
rotator.bus.on('fleet:degraded', ({ reason }) =>
  send({ type: 'fleet', event: 'degraded', reason }),
);

const client = new Redis(port, '127.0.0.1', {
  retryStrategy: () => 50,
  maxRetriesPerRequest: null,
});
client.on('error', () => {});
const fleet = options.fleet
  ? joinFleet({
      rotator,
      pool: 'real',
      store: redisStore(fromIoredis(client)),
      processId: name,
      leaseMs,
      graceMs,
      deadlineMs,
    })
  : undefined;

let { target: url = '' } = options;
let wait = options.everyMs;
let [requests, refused, slowestMs] = [0, 0, 0];

/** Returns whether it succeeded. */
async function request(): Promise<boolean> {
  const from = performance.now();
  try {
    const { statusCode, body } = await rotator.get(url);
    await body.dump();
    return statusCode === 200;
  } catch {
    refused++;
    return false;
  } finally {
    requests++;
    slowestMs = Math.max(slowestMs, performance.now() - from);
  }
}

async function requestMany({ count, atOnce }: { count: number; atOnce: number }): Promise<void> {
  let [left, succeeded] = [count, 0];
  const sequence = async () => {
    while (left-- > 0) if (await request()) succeeded++;
  };
  await Promise.all(Array.from({ length: atOnce }, sequence));
  send({ type: 'done', succeeded });
}

function next(): void {
  if (wait === 0) return;
  void request();
  setTimeout(next, wait * (0.5 + random()));
}

process.on('message', (command: Command) => {
  if (command.url !== undefined) url = command.url;
  if (command.everyMs !== undefined) {
    const idle = wait === 0;
    wait = command.everyMs;
    if (idle) next();
  }
  if (command.requests !== undefined) void requestMany(command.requests);
  if (command.count === true) {
    const syncs = fleet?.metrics().syncs.ok ?? 0;
    send({ type: 'counts', attempts, retries, refused, requests, slowestMs, syncs });
  }
  if (command.leave === true) {
    wait = 0;
    void rotator.close().then(() => {
      client.disconnect();
      process.disconnect();
    });
  }
});
send({ type: 'ready' });
next();
