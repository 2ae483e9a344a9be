import { createClient } from '@redis/client';
import { Redis } from 'ioredis';
import iovalkey from 'iovalkey';
import { fromIoredis, fromNodeRedis, type RedisCommands } from '../src/redis.ts';

/** A connected client, and how to end it. */
export interface Connected {
  readonly commands: RedisCommands;
  readonly end: () => Promise<void>;
}

/** Who a client says it is. */
export interface Account {
  readonly username: string;
  readonly password: string;
}

const ignore = () => {};

async function connectIoredis(port: number, account?: Account) {
  const client = new Redis(port, '127.0.0.1', {
    lazyConnect: true,
    retryStrategy: () => 50,
    ...account,
  });
  client.on('error', ignore);
  await client.connect();
  return { client, end: async () => client.disconnect() };
}

/** Each client that is supported, by name. */
export const clients: Readonly<
  Record<string, (port: number, account?: Account) => Promise<Connected>>
> = {
  async ioredis(port, account) {
    const { client, end } = await connectIoredis(port, account);
    return { commands: fromIoredis(client), end };
  },
  async 'a client with eval alone'(port, account) {
    const { client, end } = await connectIoredis(port, account);
    const commands: RedisCommands = {
      eval: (script, keys, args) => client.eval(script, keys.length, ...keys, ...args),
    };
    return { commands, end };
  },
  async iovalkey(port, account) {
    const client = new iovalkey(port, '127.0.0.1', {
      lazyConnect: true,
      retryStrategy: () => 50,
      ...account,
    });
    client.on('error', ignore);
    await client.connect();
    return { commands: fromIoredis(client), end: async () => client.disconnect() };
  },
  async '@redis/client'(port, account) {
    const socket = { host: '127.0.0.1', port, reconnectStrategy: 50 } as const;
    const client = createClient({ socket, ...account });
    client.on('error', ignore);
    await client.connect();
    return { commands: fromNodeRedis(client), end: async () => client.destroy() };
  },
};
