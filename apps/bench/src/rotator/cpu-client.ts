// One way to send, in a process of its own: what it costs is not mixed with what the others leave behind.
// Started by `cpu.ts` with its name, the target and the proxies; sends so many requests when it is told to, and
// tells what they came to. Ends when its parent disconnects.
import { ProxyRotator } from '@whirl/rotator';
import { Client, ProxyAgent, request, type Dispatcher } from 'undici';
import { load } from './load.ts';

/** The ways that are compared. */
export type Way = 'client' | 'agent' | 'verb' | 'dispatcher';

interface Order {
  readonly requests: number;
  readonly concurrency: number;
}

const connections = 64;
const [way = 'verb', target = '', ...proxies] = process.argv.slice(2);
const tls = { rejectUnauthorized: false };

async function read({ statusCode, body }: Dispatcher.ResponseData): Promise<void> {
  await body.text();
  if (statusCode !== 200) throw new Error(`status ${statusCode}`);
}

/**
 * Those of undici send a request once more that meets a connection which was closed while it was not their turn, as
 * whirl does of itself.
 */
const ways: Record<Way, () => () => Promise<unknown>> = {
  /** What every other way has inside: a connection of its own for each request that is under way. */
  client: () => {
    const { host } = new URL(target);
    const free: Client[] = [];
    let made = 0;
    const once = async () => {
      const client = free.pop() ?? new Client(proxies[made++ % proxies.length] as string);
      await read(await client.request({ path: target, method: 'GET', headers: { host } }));
      free.push(client);
    };
    return () => once().catch(once);
  },
  agent: () => {
    const proxyTunnel = target.startsWith('https:');
    const agents = proxies.map(
      (uri) => new ProxyAgent({ uri, proxyTunnel, connections, requestTls: tls }),
    );
    let turn = 0;
    const once = async () =>
      read(await request(target, { dispatcher: agents[turn++ % agents.length] as ProxyAgent }));
    return () => once().catch(once);
  },
  verb: () => {
    const rotator = new ProxyRotator({ proxies, connections, tls });
    return async () => read(await rotator.get(target));
  },
  dispatcher: () => {
    const { dispatcher } = new ProxyRotator({ proxies, connections, tls });
    return async () => read(await request(target, { dispatcher }));
  },
};

const send = ways[way as Way]();
process.on('message', async (order: Order) => {
  const { cpuUs, failed } = await load(send, order);
  process.send?.({ cpuUs, failed });
});
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
