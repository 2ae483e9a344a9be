import { checkBriefly } from '@whirl/check';
import { methods } from '../methods.ts';

/** The two commands that `redisStore()` needs of a client. Keys and arguments are strings. */
export interface RedisCommands {
  /** EVAL. */
  eval(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
  /** EVALSHA; rejects with an error whose message begins with NOSCRIPT when the server does not know it. */
  evalSha(sha: string, keys: readonly string[], args: readonly string[]): Promise<unknown>;
}

/** What of ioredis and iovalkey is used. */
export interface IoredisLike {
  eval(script: string, keyCount: number, ...rest: string[]): Promise<unknown>;
  evalsha(sha: string, keyCount: number, ...rest: string[]): Promise<unknown>;
}

/** A client of ioredis or iovalkey; one of a cluster too, since all keys of a pool are in one slot. */
export function fromIoredis(client: IoredisLike): RedisCommands {
  checkBriefly('client', client, methods('a client', 'eval', 'evalsha'));
  return {
    eval: (script, keys, args) => client.eval(script, keys.length, ...keys, ...args),
    evalSha: (sha, keys, args) => client.evalsha(sha, keys.length, ...keys, ...args),
  };
}

/** What of node-redis is used. */
export interface NodeRedisLike {
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** A connected client of node-redis: `redis` or `@redis/client`. */
export function fromNodeRedis(client: NodeRedisLike): RedisCommands {
  checkBriefly('client', client, methods('a client', 'eval', 'evalSha'));
  return {
    eval: (script, keys, args) => client.eval(script, { keys: [...keys], arguments: [...args] }),
    evalSha: (sha, keys, args) => client.evalSha(sha, { keys: [...keys], arguments: [...args] }),
  };
}
