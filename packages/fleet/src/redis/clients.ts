import { checkBriefly } from '@whirl/check';
import { methods } from '../methods.ts';

/** The commands that `redisStore()` needs of a client. Keys and arguments are strings. */
export interface RedisCommands {
  /** EVAL. */
  eval(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  /**
   * EVALSHA; rejects with an error whose message begins with NOSCRIPT when the server does not know it. Without it
   * each sync sends the whole script, 6 kB.
   */
  evalSha?(sha: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  /**
   * XRANGE up to the newest entry: the id of each, and its names and values in turn. Without it a second script reads
   * the log, which costs the server four times as much.
   */
  xRange?(key: string, start: string, count: number): Promise<unknown>;
  /**
   * HSCAN from the beginning: fields and values in turn. It reads what HGETALL does, of which clients make an object first.
   * Without it a second script reads the evidence.
   */
  hScan?(key: string, count: number): Promise<unknown>;
}

/** What of ioredis and iovalkey is used. */
export interface IoredisLike {
  eval(script: string, keyCount: number, ...rest: string[]): Promise<unknown>;
  evalsha(sha: string, keyCount: number, ...rest: string[]): Promise<unknown>;
  xrange(key: string, start: string, end: string, word: 'COUNT', count: number): Promise<unknown>;
  hscan(key: string, cursor: number, word: 'COUNT', count: number): Promise<[string, string[]]>;
  /** The connection, while there is one; a cluster has none of its own. */
  readonly stream?: { cork(): void; uncork(): void } | undefined;
}

/** A client of ioredis or iovalkey; one of a cluster too, since all keys of a pool are in one slot. */
export function fromIoredis(client: IoredisLike): RedisCommands {
  checkBriefly('client', client, methods('a client', 'eval', 'evalsha', 'xrange', 'hscan'));
  return {
    eval: (script, keys, args) => client.eval(script, keys.length, ...keys, ...args),
    evalSha: (sha, keys, args) => client.evalsha(sha, keys.length, ...keys, ...args),
    xRange(key, start, count) {
      // Each write is a system call and wakes the server up: the commands of a sync are one.
      const { stream } = client;
      stream?.cork();
      queueMicrotask(() => stream?.uncork());
      return client.xrange(key, start, '+', 'COUNT', count);
    },
    hScan: async (key, count) => (await client.hscan(key, 0, 'COUNT', count))[1],
  };
}

/** An entry of a stream, as node-redis has it. */
interface StreamEntry {
  readonly id: string;
  readonly message: Readonly<Record<string, string>>;
}

/** What of node-redis is used. */
export interface NodeRedisLike {
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  xRange(
    key: string,
    start: string,
    end: string,
    options: { COUNT: number },
  ): Promise<readonly StreamEntry[] | null>;
  hScan(
    key: string,
    cursor: string,
    options: { COUNT: number },
  ): Promise<{ readonly entries: readonly { readonly field: string; readonly value: string }[] }>;
}

/** A connected client of node-redis: `redis` or `@redis/client`. */
export function fromNodeRedis(client: NodeRedisLike): RedisCommands {
  checkBriefly('client', client, methods('a client', 'eval', 'evalSha', 'xRange', 'hScan'));
  return {
    eval: (script, keys, args) => client.eval(script, { keys: [...keys], arguments: [...args] }),
    evalSha: (sha, keys, args) => client.evalSha(sha, { keys: [...keys], arguments: [...args] }),
    async xRange(key, start, count) {
      const entries = await client.xRange(key, start, '+', { COUNT: count });
      return (entries ?? []).map(({ id, message }) => [id, Object.entries(message).flat()]);
    },
    async hScan(key, count) {
      const { entries } = await client.hScan(key, '0', { COUNT: count });
      return entries.flatMap(({ field, value }) => [field, value]);
    },
  };
}
