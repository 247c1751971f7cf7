import { pause, SECOND } from '@seaworthy/core'
import type { Health } from './health.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'

const LOOK_MS = 5 * SECOND

export interface HealthWatch {
  /** One look; the watch itself looks every five seconds. */
  look(): Promise<void>
  stop(): void
}

/** The alarm: each part that begins to fail is an error in the log, though nobody asks, and a number in the metrics. */
export function watchHealth(health: Health, log: Logger, metrics: Metrics): HealthWatch {
  const failing = new Set<string>()
  metrics.gauge('health_failed_parts', 'Parts of the service that fail now.', () => failing.size, 'max')
  const look = async (): Promise<void> => {
    const { parts } = await health.report()
    for (const { name, status, problem, runbook } of parts) {
      if (status === 'failed' && !failing.has(name)) {
        failing.add(name)
        log.error('a part of the service fails', { part: name, problem, runbook })
      } else if (status === 'ok' && failing.delete(name)) log.info('a part of the service works again', { part: name })
    }
  }
  const stopped = new AbortController()
  void (async () => {
    while (!stopped.signal.aborted) {
      await look()
      await pause(LOOK_MS, stopped.signal)
    }
  })()
  return { look, stop: () => stopped.abort() }
}
