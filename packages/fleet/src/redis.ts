export {
  fromIoredis,
  fromNodeRedis,
  type IoredisLike,
  type NodeRedisLike,
  type RedisCommands,
} from './redis/clients.ts';
export { redisStore } from './redis/redis-store.ts';
