import type { Endpoint, Login } from './drivers/pg.ts'
import type { Migration, MigrationSource } from './migration.ts'
import { type AppliedMigration, comparePending } from './migration-history.ts'
import { asRole } from './owner.ts'
import { sql } from './sql.ts'

/** No such database, no such schema, no such table: nothing was ever applied. */
const empty = new Set(['3D000', '3F000', '42P01'])

/** What a migration to the latest would apply now. Changes nothing. Throws `HistoryError` as it would. */
export async function readPending(
  endpoint: Endpoint,
  admin: Login,
  sources: readonly MigrationSource[],
): Promise<readonly Migration[]> {
  const history = await asRole(endpoint, admin, 'pending', (session) =>
    session.many(sql<AppliedMigration>`select app, name, checksum from seaworthy.migrations`),
  ).catch((error: unknown) => {
    if (empty.has((error as { code?: string }).code ?? '')) return []
    throw error
  })
  return sources.flatMap((source) => comparePending(source, history))
}
