import { HOUR, systemClock } from '@seaworthy/core'
import { type Database, type DatabaseCondition, examineDatabase, makePartitions } from '../data/index.ts'
import type { ScheduledTask } from '../jobs/index.ts'
import type { Logger, Metrics } from '../telemetry/index.ts'

interface CareParts {
  readonly database: Database
  readonly log: Logger
  readonly metrics: Metrics
}

/** PostgreSQL itself acts at 200,000,000; whatever is above this, nobody has looked after for long. */
const XID_AGE_MAX = 500_000_000
/** Another process may have looked since. */
const VALUE_MS = 2 * HOUR

/** Months are made ahead, and what autovacuum and people should have looked after is told. */
export function careSchedules(parts: CareParts): readonly ScheduledTask[] {
  const show = openGauges(parts.metrics)
  return [
    // Hourly, though a month lasts long: a machine that is off at night must not miss it.
    { name: 'platform.make-partitions', cron: '7 * * * *', run: () => tendMonths(parts) },
    {
      name: 'platform.examine-database',
      cron: '*/15 * * * *',
      run: async () => {
        const condition = await examineDatabase(parts.database)
        show(condition)
        warn(condition, parts.log)
      },
    },
  ]
}

async function tendMonths({ database, log }: CareParts): Promise<void> {
  const changed = await makePartitions(database, (table, error) =>
    log.warn('months of a table could not be made or archived; the next try is in an hour', {
      runbook: 'database-worn',
      table,
      error,
    }),
  )
  for (const { table, made, archived } of changed) log.info('months of a table changed', { table, made, archived })
}

function openGauges(metrics: Metrics): (condition: DatabaseCondition) => void {
  let [seen, seenAt]: [DatabaseCondition | undefined, number] = [undefined, 0]
  const gauge = (name: string, help: string, read: (condition: DatabaseCondition) => number): void =>
    metrics.gauge(name, help, () => (seen && systemClock.now() - seenAt < VALUE_MS ? read(seen) : 0), 'max')
  gauge('database_xid_age', 'Transactions since the oldest row that is not frozen.', (seen) => seen.xidAge)
  gauge('database_dead_rows', 'Rows that vacuum has not removed yet.', (seen) => seen.deadRows)
  gauge('database_bloated_tables', 'Tables with more dead rows than living.', (seen) => seen.bloatedTables.length)
  gauge('database_invalid_indexes', 'Indexes that no query uses.', (seen) => seen.invalidIndexes.length)
  gauge('database_unused_indexes', 'Large indexes that were never read.', (seen) => seen.unusedIndexes.length)
  gauge('database_rows_without_month', 'Rows that came before their month.', (seen) => seen.rowsWithoutMonth)
  return (condition) => {
    ;[seen, seenAt] = [condition, systemClock.now()]
  }
}

/** Each with what to do. */
function warn(condition: DatabaseCondition, log: Logger): void {
  const { xidAge, bloatedTables, invalidIndexes, rowsWithoutMonth } = condition
  if (xidAge > XID_AGE_MAX)
    log.error('old transactions are not frozen: end what is open for days, then vacuum (freeze)', {
      runbook: 'database-worn',
      xidAge,
    })
  if (bloatedTables.length)
    log.warn('tables have more dead rows than living: end old transactions, then vacuum', {
      runbook: 'database-worn',
      tables: bloatedTables,
    })
  if (invalidIndexes.length)
    log.warn('indexes are not valid: drop index concurrently, and build them again', {
      runbook: 'database-worn',
      indexes: invalidIndexes,
    })
  if (rowsWithoutMonth > 0)
    log.warn('rows came before their month was made; platform.make-partitions moves them', {
      runbook: 'database-worn',
      rows: rowsWithoutMonth,
    })
}
