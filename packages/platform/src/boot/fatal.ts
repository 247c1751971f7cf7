import type { Logger } from '../telemetry/index.ts'

/** A fault that nobody caught ends the process, with a line that is redacted like all others and not with a dump of the error. */
export function endOnFaults(log: Logger): void {
  const end = (error: unknown): void => {
    log.error('a fault that nobody caught ends this process', { runbook: 'service-down', error })
    void log.flush().then(() => process.exit(1))
  }
  process.on('uncaughtException', end)
  process.on('unhandledRejection', end)
}
