import type { RedisLink } from '../connections/index.ts'
import type { RateStore } from './store.ts'

/** The same windows as in PostgreSQL. Redis runs a script as one step, and forgets the key when its window is over. */
const takeScript = `
local known = redis.call('HMGET', KEYS[1], 'started', 'used')
local max, window, want, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local started, used = tonumber(known[1]), tonumber(known[2])
if not started or now - started >= window then started, used = now, 0 end
local granted = math.max(0, math.min(want, max - used))
if granted > 0 then
  redis.call('HSET', KEYS[1], 'started', string.format('%.0f', started), 'used', used + granted)
  redis.call('PEXPIRE', KEYS[1], math.max(1, started + window - now))
end
return { granted, used + granted, string.format('%.0f', started) }`

const giveBackScript = `
local known = redis.call('HMGET', KEYS[1], 'started', 'used')
if known[1] == ARGV[1] then redis.call('HSET', KEYS[1], 'used', math.max(0, tonumber(known[2]) - tonumber(ARGV[2]))) end
return 0`

export function createRedisStore(redis: RedisLink): RateStore {
  const nameOf = (key: string): string => `seaworthy:rate:${key}`
  return {
    name: 'redis',
    take: async (key, { max, windowMs, want, now }) => {
      const [granted, used, startedMs] = (await redis.run(takeScript, [nameOf(key)], [max, windowMs, want, now])) as [
        number,
        number,
        string,
      ]
      return { granted, used, startedMs: Number(startedMs) }
    },
    giveBack: async (key, startedMs, count) => {
      await redis.run(giveBackScript, [nameOf(key)], [startedMs, count])
    },
    ping: () => redis.ping(),
    close: () => redis.close(),
  }
}
