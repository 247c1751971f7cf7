import { createHmac } from 'node:crypto'
import { type Clock, SECOND, type Secret } from '@seaworthy/core'
import type { Health, Logger, Metrics } from '../telemetry/index.ts'
import { createLeases } from './leases.ts'
import { createMemoryLimiter, type RateLimiter } from './rate.ts'
import type { RateStore } from './store.ts'

export interface SharedLimiterSettings {
  readonly store: RateStore
  /** Web processes that share the limits, on all machines. */
  readonly processes: number
  /** Keys the names in the store: no address and no account is in there. */
  readonly secret: Secret
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  readonly health: Health
}

export interface SharedLimiter extends RateLimiter {
  close(): Promise<void>
}

const KEY_HEX = 32

/**
 * Limits of all processes together. Strict classes are counted in the store, request by request. Others are counted in
 * memory: exactly where there is one process, else by batches out of the store. While the store is lost each process
 * keeps its share, and says so.
 */
export function createSharedLimiter(settings: SharedLimiterSettings): SharedLimiter {
  const { clock, processes, store } = settings
  const watch = watchStore(settings)
  const whole = createMemoryLimiter(clock)
  const share = createMemoryLimiter(clock, processes)
  const nameSecret = createHmac('sha256', settings.secret.reveal()).update('rates').digest()
  const nameOf = (key: string): string => createHmac('sha256', nameSecret).update(key).digest('hex').slice(0, KEY_HEX)
  const leases = createLeases({
    clock,
    processes,
    take: (key, ask) => watch.call(() => store.take(nameOf(key), ask)),
    giveBack: (key, startedMs, count) => watch.call(() => store.giveBack(nameOf(key), startedMs, count)),
    onPassed: share.take,
    withoutStore: share.take,
  })
  const idle = setInterval(() => void leases.giveBackIdle(), SECOND).unref()
  return {
    take: (rate, key) => {
      if (!rate.strict && processes === 1) return whole.take(rate, key)
      return watch.isLost ? share.take(rate, key) : leases.take(rate, key)
    },
    close: async () => {
      clearInterval(idle)
      await leases.giveBackIdle(0)
      watch.stop()
      await store.close()
    },
  }
}

const ASK_AGAIN_MS = SECOND

/** Knows whether the store answers. Once it did not, nobody waits for it again until it does. */
function watchStore({ store, processes, log, metrics, health }: SharedLimiterSettings) {
  let isLost = false
  let timer: NodeJS.Timeout | undefined
  let asking = false
  const runbook = store.name === 'redis' ? 'redis-gone' : 'database-gone'
  const problem = `the store of limits (${store.name}) does not answer: each process keeps its share`
  const find = (): void => {
    isLost = false
    clearInterval(timer)
    log.info('the store of limits is back', { store: store.name })
  }
  const ask = async (): Promise<void> => {
    if (asking) return
    asking = true
    await store.ping().then(find, () => undefined)
    asking = false
  }
  const lose = (error: unknown): void => {
    if (isLost) return
    isLost = true
    countLoss({ store: store.name })
    log.error(problem, { runbook, processes, error })
    timer = setInterval(() => void ask(), ASK_AGAIN_MS).unref()
  }
  const countLoss = metrics.counter('limits_store_losses_total', 'How often the store of limits was lost.', ['store'])
  metrics.gauge('limits_store_lost', '1 while each process keeps its share of the limits.', () => (isLost ? 1 : 0))
  health.add({
    name: 'limits',
    kind: 'nice',
    runbook,
    check: async () => {
      if (isLost) throw new Error(problem)
    },
  })
  return {
    get isLost() {
      return isLost
    },
    call: async <T>(work: () => Promise<T>): Promise<T> => {
      try {
        return await work()
      } catch (error) {
        lose(error)
        throw error
      }
    },
    stop: () => clearInterval(timer),
  }
}
