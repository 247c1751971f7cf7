/** Connections to Redis, where there is one. */
export { openRedis, type RedisLink } from './drivers/redis.ts'
