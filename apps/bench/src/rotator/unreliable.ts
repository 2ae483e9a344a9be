import { ProxyRotator, type RotatorOptions } from '@whirl/rotator';
import { random } from '@whirl/selector';
import { got } from 'got';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { setTimeout as after } from 'node:timers/promises';
import pRetry from 'p-retry';
import { ProxyAgent, request, type Dispatcher } from 'undici';
import { quantile } from '../measure.ts';
import { printTable } from '../table.ts';
import { flaky, startFleet, type Fleet } from './fleet.ts';
import { load, type Load } from './load.ts';

const size = 40;
const traffic = { requests: 4000, concurrency: 64 };
/** The peers know no deadline of an attempt; they get the same one by hand. */
const attemptTimeoutMs = 1000;

export interface Outcome extends Load {
  readonly attempts: number;
  readonly dials: number;
}

/** The same traffic through a fleet of which 30 % misbehave. */
export async function unreliable(): Promise<void> {
  const rows: Record<string, string | number>[] = [];
  const show = (name: string, { attempts, dials, ...result }: Outcome) =>
    rows.push({
      through: name,
      'succeeded, %': (result.succeeded / traffic.requests) * 100,
      'p50, ms': Math.round(quantile(result.latenciesMs, 0.5)),
      'p95, ms': Math.round(quantile(result.latenciesMs, 0.95)),
      'p99, ms': Math.round(quantile(result.latenciesMs, 0.99)),
      'attempts per request': attempts / traffic.requests,
      'sockets dialled': dials,
    });
  show('ProxyAgent, in turn', await onFleet((fleet) => proxyAgents(fleet, false)));
  show('p-retry + ProxyAgent', await onFleet((fleet) => proxyAgents(fleet, true)));
  show('got + https-proxy-agent', await onFleet(gotThroughAgents));
  show('whirl, random(), no circuits', await onFleet((fleet) => whirl(fleet, plain)));
  show('whirl', await onFleet((fleet) => whirl(fleet, {})));
  show('whirl, hedged', await onFleet((fleet) => whirl(fleet, hedged)));
  printTable(
    `${size} proxies, 30 % misbehave, ${traffic.requests} requests, ${traffic.concurrency} at a time`,
    rows,
  );
}

const plain: RotatorOptions = { strategy: random(), circuitBreaker: false };
/** Good proxies respond within 40 ms. */
const hedged: RotatorOptions = { hedge: { afterMs: 100, percentile: 0.95 } };

async function onFleet(run: (fleet: Fleet) => Promise<Outcome>): Promise<Outcome> {
  const fleet = await startFleet(flaky(size));
  try {
    return await run(fleet);
  } finally {
    await fleet.close();
  }
}

async function proxyAgents(fleet: Fleet, retries: boolean): Promise<Outcome> {
  const agents = fleet.proxies.map((uri) => new ProxyAgent({ uri, proxyTunnel: false }));
  let attempts = 0;
  const once = async () => {
    const dispatcher = agents[attempts++ % agents.length] as Dispatcher;
    const signal = AbortSignal.timeout(attemptTimeoutMs);
    const { statusCode, body } = await request(fleet.target, { dispatcher, signal });
    await body.text();
    if (statusCode !== 200) throw new Error(`status ${statusCode}`);
  };
  const result = await load(
    retries ? () => pRetry(once, { retries: 2, minTimeout: 0, factor: 1 }) : once,
    traffic,
  );
  const dials = await fleet.dials();
  await Promise.all(agents.map((agent) => agent.destroy()));
  return { ...result, attempts, dials };
}

/**
 * got's `timeout` ends no request whose agent still waits for a response to CONNECT, so behind a proxy that hangs it never
 * settles. The agent gets the deadline by hand.
 */
class DeadlineAgent extends HttpsProxyAgent<string> {
  override async connect(...args: Parameters<HttpsProxyAgent<string>['connect']>) {
    const settled = new AbortController();
    const late = after(attemptTimeoutMs, undefined, { signal: settled.signal }).then(() => {
      throw Object.assign(new Error('no response to CONNECT in time'), { code: 'ETIMEDOUT' });
    });
    late.catch(() => {});
    try {
      return await Promise.race([super.connect(...args), late]);
    } finally {
      settled.abort();
    }
  }
}

/** got retries by itself; each attempt takes the next proxy, as its `beforeRetry` hook allows. */
async function gotThroughAgents(fleet: Fleet): Promise<Outcome> {
  const agents = fleet.proxies.map((url) => new DeadlineAgent(url, { keepAlive: true }));
  let attempts = 0;
  const next = () => ({ http: agents[attempts++ % agents.length] as DeadlineAgent });
  const client = got.extend({
    retry: { limit: 2, calculateDelay: ({ computedValue }) => (computedValue === 0 ? 0 : 1) },
    timeout: { request: attemptTimeoutMs },
    hooks: { beforeRetry: [({ options }) => void (options.agent = next())] },
  });
  const result = await load(() => client(fleet.target, { agent: next() }).text(), traffic);
  const dials = await fleet.dials();
  for (const agent of agents) agent.destroy();
  return { ...result, attempts, dials };
}

async function whirl(fleet: Fleet, options: RotatorOptions): Promise<Outcome> {
  const rotator = new ProxyRotator({
    proxies: fleet.proxies,
    retryPolicy: { attemptTimeoutMs, failoverDelay: 'none' },
    ...options,
  });
  const result = await load(async () => {
    const { statusCode, body } = await rotator.get(fleet.target);
    await body.text();
    if (statusCode !== 200) throw new Error(`status ${statusCode}`);
  }, traffic);
  const attempts = rotator.getRetryMetrics().getSummary().totalAttempts;
  const dials = await fleet.dials();
  await rotator.destroy();
  return { ...result, attempts, dials };
}
