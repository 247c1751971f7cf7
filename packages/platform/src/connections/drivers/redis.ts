import { createHash } from 'node:crypto'
import { SECOND, type Secret } from '@seaworthy/core'

/** The one file that imports `ioredis`. */
export interface RedisLink {
  /** Runs a script as one step. Throws when Redis does not answer in time: nothing is queued for later. */
  run(script: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>
  ping(): Promise<void>
  close(): Promise<void>
}

const ANSWER_MS = SECOND
const RECONNECT_MS = SECOND / 2

/** Connects by itself, again and again; until then, and whenever the connection is lost, every call fails at once. */
export async function openRedis(url: Secret): Promise<RedisLink> {
  // Where there is no Redis no process starts any later for it.
  const { Redis } = await import('ioredis')
  const redis = new Redis(url.reveal(), {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: ANSWER_MS,
    connectTimeout: SECOND,
    retryStrategy: () => RECONNECT_MS,
    connectionName: 'seaworthy',
  })
  redis.on('error', () => {
    // Reported by the call under way.
  })
  return {
    run: async (script, keys, args) => {
      try {
        return await redis.evalsha(shaOf(script), keys.length, ...keys, ...args)
      } catch (error) {
        if (!String((error as Error).message).startsWith('NOSCRIPT')) throw error
        return redis.eval(script, keys.length, ...keys, ...args)
      }
    },
    ping: async () => {
      await redis.ping()
    },
    close: async () => redis.disconnect(),
  }
}

const shas = new Map<string, string>()

/** Redis keeps scripts by their SHA-1, so that the text is sent once. */
function shaOf(script: string): string {
  const known = shas.get(script) ?? createHash('sha1').update(script).digest('hex')
  shas.set(script, known)
  return known
}
