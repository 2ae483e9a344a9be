// Child process: one member of the fleet, with its rotator, its gateway and all of their clients. Told what to do by messages.
import v8 from 'node:v8';
import { joinFleet, memoryStore } from '@whirl/fleet';
import { redisStore } from '@whirl/fleet/redis';
import { createGateway, type GatewayStats } from '@whirl/gateway';
import {
  banTarget,
  ProxyRotator,
  type RequestSnapshot,
  type RetryPolicyOptions,
} from '@whirl/rotator';
import { seededRandom } from '@whirl/testkit';
import { clients as storeClients } from '../../../../packages/fleet/server/clients.ts';
import type { TunnelBytes, Visits } from './clients.ts';
import type { Addresses } from './far-side.ts';
import {
  gatewayPolicy,
  listen,
  type ClientCounts,
  type EventCounts,
  type OutcomeCounts,
} from './ledger.ts';
import { Reloads } from './reloads.ts';
import { Traffic } from './traffic.ts';

export interface MemberOptions {
  readonly name: string;
  readonly at: Addresses;
  readonly seed: number;
  readonly clients: number;
  readonly perSecond: number;
  /** Undefined: a store within the process. */
  readonly redis: { readonly port: number; readonly pid: number } | undefined;
}

/**
 * `rest`: no client begins anything, and a report follows once all have ended. `go on`, or `end` after it, which closes
 * everything. `redisPid`: the redis-server that is to end with the parent.
 */
export type MemberCommand =
  { readonly command: 'rest' | 'go on' | 'end' } | { readonly redisPid: number };

/** What a member has counted and holds, while none of its clients does anything. */
export interface Report {
  /** Heap and buffers without compiled code, which grows for as long as functions become hot. */
  readonly heapBytes: number;
  readonly rssBytes: number;
  readonly cpuSeconds: number;
  readonly clients: Readonly<Record<string, ClientCounts>>;
  readonly gatewayClients: Visits;
  readonly gatewayBytes: TunnelBytes;
  readonly events: EventCounts;
  readonly gateway: GatewayStats;
  readonly metrics: {
    readonly requests: OutcomeCounts;
    readonly attempts: OutcomeCounts;
    readonly inFlight: number;
    readonly byProxy: Readonly<Record<string, number>>;
  };
  /** Requests that have not ended. */
  readonly inFlight: readonly RequestSnapshot[];
  /** Requests that proxies are held to have, and their tickets. */
  readonly load: number;
  readonly reloads: number;
  /** While clients still asked for something: at rest no proxy can clear a member that is suspect. */
  readonly fleetState: string;
  readonly processes: number;
}

/** What the process still holds when all of it was closed. */
export interface Rest {
  readonly sockets: number;
  readonly servers: number;
  readonly timers: number;
  readonly others: readonly string[];
}

const policy: RetryPolicyOptions = {
  maxAttempts: 5,
  baseDelayMs: 100,
  maxBackoffDelayMs: 1000,
  attemptTimeoutMs: 1000,
  connectTimeoutMs: 500,
  bodyTimeoutMs: 1000,
  timeoutMs: 5000,
  failoverDelay: 'none',
  failoverOnProxyAuth: true,
  jitter: true,
};
/** How long connections may take to close once nothing uses them. */
const settleMs = 10_000;

async function member(options: MemberOptions): Promise<void> {
  // Node would parse the maps of tsx, one module after the other, as errors of them are made.
  process.setSourceMapsEnabled(false);
  const { at, name, seed, redis } = options;
  redisPid = redis?.pid;
  const random = seededRandom(seed);
  const rotator = new ProxyRotator({
    random,
    retryPolicy: { ...policy, name: 'global' },
    circuitBreaker: { failureThreshold: 3, openMs: 2000 },
    hedge: { afterMs: 400 },
    healthCheck: { url: at.plain, intervalMs: 3000, timeoutMs: 1000 },
    tls: { ca: at.ca },
    banRules: [
      {
        name: 'banned',
        judge: ({ statusCode }) => (statusCode === 403 ? banTarget(5000) : undefined),
      },
      { name: 'no balance', judge: ({ statusCode }) => (statusCode === 402 ? 'retry' : undefined) },
    ],
  });
  const eventCounts = listen(rotator.bus);
  const reloads = new Reloads(rotator, at, random);
  reloads.start();
  const connected = redis === undefined ? undefined : await storeClients['ioredis']!(redis.port);
  const fleet = joinFleet({
    rotator,
    pool: 'soak',
    store: connected === undefined ? memoryStore() : redisStore(connected.commands),
    processId: name,
    witness: `host-of-${name}`,
  });
  const gateway = createGateway(rotator, {
    port: 0,
    firstByteMs: 500,
    quietMs: 500,
    retryPolicy: { ...policy, maxAttempts: 10, name: gatewayPolicy },
  });
  const { port } = await gateway.listen();
  const traffic = new Traffic({ ...options, rotator, gateway: port, policy, random });
  traffic.start();

  const report = async (fleetState: string): Promise<Report> => {
    await settled();
    await collect();
    // Health checks go on.
    await settled();
    const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
    const code = v8.getHeapCodeStatistics();
    const compiled = code.code_and_metadata_size + code.bytecode_and_metadata_size;
    const { user, system } = process.cpuUsage();
    const metrics = rotator.getRetryMetrics();
    const { requests, attempts, requestsInFlight } = metrics.totals();
    const byProxy = metrics.totalsByProxy(10_000).map((each) => [each.proxyId, sum(each.attempts)]);
    return {
      heapBytes: heapUsed + arrayBuffers - compiled,
      rssBytes: rss,
      cpuSeconds: (user + system) / 1e6,
      clients: traffic.counts,
      gatewayClients: traffic.gateway,
      gatewayBytes: traffic.gatewayBytes,
      events: eventCounts(),
      gateway: gateway.stats(),
      metrics: {
        requests,
        attempts,
        inFlight: requestsInFlight,
        byProxy: Object.fromEntries(byProxy) as Record<string, number>,
      },
      inFlight: rotator.inFlight(),
      load: loadOf(rotator),
      reloads: reloads.count,
      fleetState,
      processes: fleet.processes().filter(({ state }) => state !== 'silent').length,
    };
  };
  /** Clients see the end of a visit before the gateway and the events do; and health checks go on. */
  const settled = async () => {
    const until = performance.now() + settleMs;
    const busy = () => {
      const { connections, openTunnels } = gateway.stats();
      return rotator.inFlight().length + loadOf(rotator) + connections + openTunnels > 0;
    };
    while (busy() && performance.now() < until) {
      traffic.letGo();
      await tick(20);
    }
  };
  const end = async (): Promise<Rest> => {
    traffic.end();
    await fleet.close();
    await connected?.end();
    await gateway.close();
    await rotator.close();
    const until = performance.now() + settleMs;
    let held = handles();
    while (performance.now() < until && held.sockets + held.servers + held.timers > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      held = handles();
    }
    return held;
  };
  process.on('message', async (message: MemberCommand) => {
    if ('redisPid' in message) ({ redisPid } = message);
    else if (message.command === 'go on') {
      traffic.resume();
      reloads.resume();
    } else if (message.command === 'rest') {
      const { state } = fleet;
      await Promise.all([traffic.pause(), reloads.pause()]);
      process.send?.(await report(state));
    } else {
      process.off('disconnect', endWithParent);
      process.send?.(await end());
      process.disconnect();
    }
  });
  process.send?.('ready');
}

/** The redis-server that the parent has started: without the parent it would go on. */
let redisPid: number | undefined;

function endWithParent(): void {
  try {
    if (redisPid !== undefined) process.kill(redisPid, 'SIGKILL');
  } catch {
    // It has ended.
  }
  process.exit();
}

/** Requests and tunnels that proxies are held to have. */
function loadOf(rotator: ProxyRotator): number {
  return rotator.proxies().reduce((all, { inFlight }) => all + inFlight, 0);
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((all, each) => all + each, 0);
}

const tick = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Twice, with a turn in between: finalizers let go of more. */
async function collect(): Promise<void> {
  const { gc } = globalThis as { gc?: () => void };
  // The global fetch keeps an entry for each of the last 250.
  performance.clearResourceTimings();
  gc?.();
  await tick(50);
  gc?.();
}

/** What keeps the process alive. */
function handles(): Rest {
  const names = process.getActiveResourcesInfo();
  const count = (of: string) => names.filter((each) => each === of).length;
  return {
    sockets: count('TCPSocketWrap') + count('TLSWrap'),
    servers: count('TCPServerWrap'),
    timers: count('Timeout'),
    others: [...new Set(names)].filter((each) => !/^(TCP|TLS|Timeout)/.test(each)),
  };
}

if (process.send !== undefined && process.argv[2] !== undefined) {
  process.on('disconnect', endWithParent);
  await member(JSON.parse(process.argv[2]) as MemberOptions);
}
