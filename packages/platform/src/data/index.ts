/** PostgreSQL: embedded or by URL, transactions that carry a caller, migrations. */
export { connectWithRetries, parseDatabaseUrl } from './connect.ts'
export { type Database, type DatabaseSettings, type Duty, openDatabase, type TransactionOptions } from './database.ts'
export { type Endpoint, type Login, openClient, openPlainPool, type PgPool, type PgSingleClient } from './drivers/pg.ts'
export { type EmbeddedServer, startEmbeddedServer } from './embedded/server.ts'
export { guardFetch, onPurpose, refuseInTransaction } from './inside.ts'
export {
  type Migration,
  type MigrationSource,
  migrateToLatestOrThrow,
  platformMigrations,
  readMigrations,
} from './migrate.ts'
export { type DatabaseRole, ensureDatabaseAndRoles, lockServer, loginOf } from './roles.ts'
export { type Query, sql, sqlName } from './sql.ts'
export { isConnectionError, translateDatabaseError, violates } from './sqlstate.ts'
export { type Column, column, type DatabaseOf, pii, queries, type Table, table } from './table.ts'
export type { Transaction } from './transaction.ts'
