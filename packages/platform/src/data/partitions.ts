import type { Database } from './database.ts'
import { sql } from './sql.ts'

/** What was done for one table that is cut by month. Names are with their schema. */
export interface TendedTable {
  readonly table: string
  readonly made: readonly string[]
  /** Detached, and whole in the schema that the name says. */
  readonly archived: readonly string[]
}

interface Part {
  readonly name: string
}

/**
 * Makes the months that are missing and archives those beyond their retention, one table in a transaction. A table that
 * is held by somebody else is told to `onFailure` and waits for the next time. Returns the tables that changed.
 */
export async function makePartitions(
  database: Database,
  onFailure: (table: string, error: unknown) => void = (_, error) => {
    throw error
  },
): Promise<readonly TendedTable[]> {
  const tables = await database.withDuty('janitor', (tx) =>
    tx.many(sql<Part>`select name from seaworthy.partitioned_tables order by name`),
  )
  const changed: TendedTable[] = []
  for (const { name } of tables) {
    try {
      const tended = await tendTable(database, name)
      if (tended.made.length || tended.archived.length) changed.push(tended)
    } catch (error) {
      onFailure(name, error)
    }
  }
  return changed
}

const tendTable = (database: Database, table: string): Promise<TendedTable> =>
  database.withDuty('janitor', async (tx) => {
    const made = await tx.many(sql<Part>`select make_partitions as name from seaworthy.make_partitions(${table})`)
    const archived = await tx.many(
      sql<Part>`select archive_partitions as name from seaworthy.archive_partitions(${table})`,
    )
    return { table, made: made.map(({ name }) => name), archived: archived.map(({ name }) => name) }
  })
