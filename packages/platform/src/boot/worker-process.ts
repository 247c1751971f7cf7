import { systemClock } from '@seaworthy/core'
import { aiSchedule } from '../ai/index.ts'
import type { Config } from '../config/index.ts'
import { guardFetch, loginOf } from '../data/index.ts'
import { type RunningQueue, startWorker } from '../jobs/index.ts'
import { type MailSender, openSmtp, startMailSender } from '../mail/index.ts'
import { forgetAuditSchedule } from './audit-seals.ts'
import { type Capabilities, openCapabilities, openTelemetry } from './capabilities.ts'
import { linkToSupervisor, tellSupervisor } from './child-link.ts'
import { createCloser } from './closer.ts'
import { careSchedules } from './database-care.ts'
import { endOnFaults } from './fatal.ts'
import { janitorSchedules } from './janitor.ts'
import { privacySchedules } from './privacy.ts'
import type { System } from './system.ts'
import { schedulesOf, tasksOf } from './tasks.ts'

/** Runs jobs until told to stop; then finishes what is under way or hands it back. */
export async function runWorkerProcess(system: System, config: Config): Promise<void> {
  guardFetch()
  const telemetry = openTelemetry(config, 'worker', system.apps)
  const { log } = telemetry
  endOnFaults(log)
  const closer = createCloser(log)
  let stopping = false
  const stop = (why: string): void => {
    if (stopping) return
    stopping = true
    log.info('stopping', { why })
    void closer
      .close()
      .then(log.flush)
      .then(() => process.exit(0))
  }
  const endpoint = await linkToSupervisor(telemetry.metrics, stop)
  const capabilities = await openCapabilities(config, endpoint, 'worker', telemetry)
  closer.add('database', () => capabilities.database.close())
  closer.add('ai', () => capabilities.ai.stop())
  const runner = await openJobRunner(system, capabilities, (error) => {
    log.error('the queue gave up; this process starts again', { runbook: 'jobs-stuck', error })
    void log.flush().then(() => process.exit(1))
  })
  closer.add('queue', () => runner.stop())
  const sender = openMailSender(capabilities)
  if (sender) closer.add('mail', () => sender.stop())
  tellSupervisor({ kind: 'ready' })
  log.info('ready')
}

/** Delivers mail, where a server for it is set; otherwise mail stays where an operator reads it. */
function openMailSender({ config, database, log, metrics }: Capabilities): MailSender | undefined {
  const { smtpUrl: url, mailFrom: from } = config
  if (!url || !from) {
    log.info('no SMTP_URL is set: mail stays here, for `seaworthy mail list`')
    return undefined
  }
  return startMailSender({ database, log, metrics, clock: systemClock, transport: openSmtp({ url, from }) })
}

/** The apps' jobs and schedules, and the platform's own, taken from the queue until stopped. */
export function openJobRunner(
  system: System,
  { config, endpoint, database, media, vault, ai, log, metrics }: Capabilities,
  onFailure: (error: unknown) => void,
): Promise<RunningQueue> {
  const queue = {
    endpoint,
    login: loginOf('worker', config.secrets.databaseRoleSecret, endpoint),
    concurrency: config.workerConcurrency,
    log,
    shutdownMs: config.shutdownMs,
    onFailure,
  }
  const tasks = tasksOf(system.apps, { database, media: media.media, vault, ai, log })
  const schedules = [
    ...schedulesOf(system.apps, log),
    ...janitorSchedules({ database, media, log, config }),
    ...careSchedules({ database, log, metrics }),
    aiSchedule(database, log),
    forgetAuditSchedule(config, database, log),
    ...privacySchedules({ config, database, media, log }),
  ]
  return startWorker({ queue, database, log, metrics }, tasks, schedules)
}
