import { DAY } from '@seaworthy/core'
import { type Database, sql } from '../data/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { returnAllExpired } from './budgets.ts'

const ROWS_MAX = 5_000
const ROUNDS_MAX = 100
const USAGE_DAYS = 400
/** How long is told what an account has used. */
export const AI_USAGE_KEPT_MS = USAGE_DAYS * DAY

const deletions = {
  answers: sql`delete from seaworthy.ai_answers where id in (
    select id from seaworthy.ai_answers where expires_at < now() limit ${ROWS_MAX})`,
  flights: sql`delete from seaworthy.ai_flights where (account_id, question) in (
    select account_id, question from seaworthy.ai_flights where expires_at < now() - interval '1 minute' limit ${ROWS_MAX})`,
  /** What ended yesterday is settled by then. */
  budgets: sql`delete from seaworthy.ai_budgets where (day, scope) in (
    select day, scope from seaworthy.ai_budgets where day < seaworthy.ai_today() - 2 limit ${ROWS_MAX})`,
  usage: sql`delete from seaworthy.ai_usage where id in (
    select id from seaworthy.ai_usage where day < seaworthy.ai_today() - ${USAGE_DAYS}::int limit ${ROWS_MAX})`,
}

export interface Swept {
  readonly answers: number
  readonly flights: number
  readonly budgets: number
  readonly usage: number
  /** Calls that were gone and whose reservation was given back. */
  readonly reservations: number
}

/** Removes what has expired, a bounded number of rows in each transaction. */
export async function sweepAi(database: Database): Promise<Swept> {
  const reservations = await returnAllExpired(database)
  const rows = { answers: 0, flights: 0, budgets: 0, usage: 0 }
  for (const [name, deletion] of Object.entries(deletions) as [keyof typeof deletions, ReturnType<typeof sql>][])
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const removed = await database.withDuty('janitor', (tx) => tx.run(deletion))
      rows[name] += removed
      if (removed < ROWS_MAX) break
    }
  return { ...rows, reservations }
}

/** Every ten minutes, by one worker of all. */
export const aiSchedule = (database: Database, log: Logger) => ({
  name: 'platform.sweep-ai',
  cron: '*/10 * * * *',
  run: async (): Promise<void> => log.info('old rows removed', { of: 'ai', ...(await sweepAi(database)) }),
})
