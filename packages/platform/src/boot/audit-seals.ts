import { join } from 'node:path'
import { DAY, systemClock } from '@seaworthy/core'
import { createSealKey, type HeadsFile, openHeadsFile, type Sealer, startSealer } from '../audit/index.ts'
import type { Config } from '../config/index.ts'
import { type Database, type Endpoint, loginOf, openDatabase, sql } from '../data/index.ts'
import type { ScheduledTask } from '../jobs/index.ts'
import type { Logger, Metrics } from '../telemetry/index.ts'

/** Beside the database, so that what happens to one does not happen to both. */
const openAuditHeads = (config: Config): HeadsFile => openHeadsFile(join(config.dataDirectory, 'audit'))

export interface SealingParts {
  readonly config: Config
  readonly endpoint: Endpoint
  readonly log: Logger
  readonly metrics: Metrics
}

/** On a connection of its own: the role that serves requests may not seal. */
export function openSealer({ config, endpoint, log, metrics }: SealingParts): Sealer {
  const database = openDatabase({
    endpoint,
    login: loginOf('worker', config.secrets.databaseRoleSecret, endpoint),
    name: 'sealer',
    limits: {
      max: 1,
      waitMs: config.databaseWaitMs,
      statementMs: config.databaseQueryMs,
      transactionMs: config.databaseTransactionMs,
    },
  })
  const key = createSealKey(config.secrets.auditSecret)
  const sealer = startSealer({ database, key, heads: openAuditHeads(config), clock: systemClock, log, metrics })
  return {
    stop: async () => {
      await sealer.stop()
      await database.close()
    },
  }
}

const LINES_MAX = 5_000
const ROUNDS_MAX = 200

/** Forgets lines that are older than they are kept, and says so outside the database. */
export function forgetAuditSchedule(config: Config, database: Database, log: Logger): ScheduledTask {
  const days = Math.floor(config.auditRetentionMs / DAY)
  return {
    name: 'platform.forget-audit',
    cron: '47 3 * * *',
    run: async () => {
      await openAuditHeads(config).addForgotten(new Date(Date.now() - days * DAY))
      let forgotten = 0
      for (let round = 0; round < ROUNDS_MAX; round++) {
        const { count } = await database.withDuty('janitor', (tx) =>
          tx.one<{ count: number }>(sql`select seaworthy.forget_audit(${days}, ${LINES_MAX}) as count`),
        )
        forgotten += count
        if (count < LINES_MAX) break
      }
      log.info('old rows removed', { of: 'audit', rows: forgotten })
    },
  }
}
