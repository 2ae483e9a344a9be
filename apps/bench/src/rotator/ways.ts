import { ProxyRotator } from '@whirl/rotator';
import { Client, ProxyAgent, request, type Dispatcher } from 'undici';

/** The ways to send that are compared. */
export type Way = 'client' | 'agent' | 'verb' | 'dispatcher';

export const wayNames: Record<Way, string> = {
  client: 'undici Client, bare',
  agent: 'undici ProxyAgent',
  verb: 'whirl, rotator.get()',
  dispatcher: 'whirl, undici.request() over its dispatcher',
};

interface Through {
  readonly target: string;
  readonly proxies: readonly string[];
  /** Of each proxy, at most. */
  readonly connections: number;
}

const tls = { rejectUnauthorized: false };

/** What sends one request that way and reads its response to the end. Rejects unless that is a 200. */
export function sender(way: Way, through: Through): () => Promise<void> {
  return ways[way](through);
}

async function read({ statusCode, body }: Dispatcher.ResponseData): Promise<void> {
  await body.text();
  if (statusCode !== 200) throw new Error(`status ${statusCode}`);
}

/**
 * Those of undici send a request once more that meets a connection which was closed while it was not their turn, as
 * whirl does of itself.
 */
const ways: Record<Way, (through: Through) => () => Promise<void>> = {
  /** What every other way has inside: a connection of its own for each request that is under way. */
  client: ({ target, proxies }) => {
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
  agent: ({ target, proxies, connections }) => {
    const proxyTunnel = target.startsWith('https:');
    const agents = proxies.map(
      (uri) => new ProxyAgent({ uri, proxyTunnel, connections, requestTls: tls }),
    );
    let turn = 0;
    const once = async () =>
      read(await request(target, { dispatcher: agents[turn++ % agents.length] as ProxyAgent }));
    return () => once().catch(once);
  },
  verb: ({ target, proxies, connections }) => {
    const rotator = new ProxyRotator({ proxies, connections, tls });
    return async () => read(await rotator.get(target));
  },
  dispatcher: ({ target, proxies, connections }) => {
    const { dispatcher } = new ProxyRotator({ proxies, connections, tls });
    return async () => read(await request(target, { dispatcher }));
  },
};
