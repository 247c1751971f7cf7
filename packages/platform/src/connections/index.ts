/** Connections to Redis, where there is one, and to services of others. */
export { openRedis, type RedisLink } from './drivers/redis.ts'
export { type OutgoingSettings, openOutgoing, TooLongError } from './outgoing.ts'
