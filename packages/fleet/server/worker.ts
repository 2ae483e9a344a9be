import { Redis } from 'ioredis';
import { adaptive, consistent, roundRobin } from '@whirl/selector';
import { seededRandom } from '@whirl/testkit';
import { joinFleet } from '../src/index.ts';
import { fromIoredis, redisStore } from '../src/redis.ts';
import { SimulatedPool } from '../src/testing/simulated-pool.ts';
import type { Command, Report, WorkerOptions } from './workers.ts';

// One process of a fleet: a simulated pool with real time, a real client and a real server.
const options = JSON.parse(process.argv[2] ?? '') as WorkerOptions;
const { name, port, ids, everyMs, openMs, leaseMs, skewMs, rates, fleet: inFleet } = options;
const now = () => performance.timeOrigin + performance.now() + skewMs;
const random = seededRandom(options.seed);
const send = (report: Report) => process.connected && process.send?.(report);

const strategies = {
  'in turn': roundRobin,
  adaptive,
  consistent: () => consistent(roundRobin()),
};
const strategy = strategies[options.strategy]();
const pool = new SimulatedPool({ now, random, ids, openMs, strategy });
pool.bus.on('circuit:transition', ({ name: id, to, reason }) => {
  send({ type: 'circuit', id, to, reason, at: now() - skewMs });
});
for (const event of ['joined', 'recovered', 'suspect', 'cleared'] as const) {
  pool.bus.on(`fleet:${event}`, () => send({ type: 'fleet', event }));
}
pool.bus.on('fleet:degraded', ({ reason }) => send({ type: 'fleet', event: 'degraded', reason }));

const client = new Redis(port, '127.0.0.1', {
  retryStrategy: () => 50,
  maxRetriesPerRequest: null,
});
client.on('error', () => {});
const fleet = inFleet
  ? joinFleet({
      rotator: pool,
      pool: 'real',
      store: redisStore(fromIoredis(client)),
      processId: name,
      leaseMs,
      graceMs: options.graceMs,
      deadlineMs: options.deadlineMs,
      evidenceIntervalMs: options.evidenceIntervalMs,
    })
  : undefined;

let dead = new Set<string>();
let sick = false;
let held: string | undefined;
let wait = everyMs;
let slowestMs = 0;
let requests = 0;
let retries = 0;

function request(): void {
  if (wait > 0) setTimeout(request, wait * (0.5 + random()));
  const before = performance.now();
  const tested = pool.tests.length;
  let failed = false;
  const ending = (id: string) => {
    if (id === held) return 'neutral';
    failed = sick || dead.has(id) || random() >= (rates[id] ?? 1);
    return failed ? 'failure' : 'success';
  };
  const first = pool.request(ending);
  if (first !== undefined && failed) {
    retries++;
    pool.request(ending, [first]);
  }
  slowestMs = Math.max(slowestMs, performance.now() - before);
  requests++;
  for (const { id } of pool.tests.slice(tested)) send({ type: 'test', id, at: now() - skewMs });
}

process.on('message', (command: Command) => {
  if (command.dead !== undefined) dead = new Set(command.dead);
  if (command.sick !== undefined) sick = command.sick;
  if (command.held !== undefined) held = command.held;
  if (command.everyMs !== undefined) {
    const idle = wait === 0;
    wait = command.everyMs;
    if (idle && wait > 0) request();
  }
  if (command.count === true) {
    const attempts = Object.fromEntries(pool.attempts);
    const syncs = fleet?.metrics().syncs.ok ?? 0;
    const { refused } = pool;
    send({ type: 'counts', attempts, retries, refused, requests, slowestMs, syncs });
  }
  if (command.sessions !== undefined) {
    const places: string[] = [];
    for (let i = command.sessions.from; i < command.sessions.to; i++) {
      places.push(pool.request(() => 'success', [], `session-${i}`) ?? 'none');
    }
    send({ type: 'sessions', places });
  }
  if (command.leave === true) {
    wait = 0;
    void fleet?.close().then(() => {
      client.disconnect();
      process.disconnect();
    });
  }
});
send({ type: 'ready' });
if (wait > 0) setTimeout(request, wait * random());
