/** PostgreSQL: embedded or by URL, transactions that carry a caller, migrations. */

export { type BaseBackup, takeBaseBackup } from './base-backup.ts'
export { type DatabaseCondition, examineDatabase } from './condition.ts'
export { connectWithRetries } from './connect.ts'
export { type Database, type DatabaseSettings, type Duty, openDatabase, type TransactionOptions } from './database.ts'
export { explainTlsFailure, parseDatabaseUrl } from './database-url.ts'
export {
  type Endpoint,
  type Login,
  openClient,
  openPipelinedClient,
  openPlainPool,
  openReplicationClient,
  type PgPool,
  type PgSingleClient,
} from './drivers/pg.ts'
export { installBinaries } from './embedded/binaries.ts'
export { wantLogical } from './embedded/logical.ts'
export { isServer, killServerOf, readPostmaster } from './embedded/postmaster.ts'
export { type EmbeddedServer, type RecoverySettings, recoverCluster, startEmbeddedServer } from './embedded/server.ts'
export { finishSwap, type Swap, swapDatabase } from './embedded/swap.ts'
export { holdWrites } from './embedded/write-hold.ts'
export { guardFetch, onPurpose, refuseInTransaction } from './inside.ts'
export { lintMigration, type MigrationFinding } from './lint-migration.ts'
export { migrateToLatestOrThrow } from './migrate.ts'
export { type Migration, type MigrationSource, platformMigrations, readMigrations } from './migration.ts'
export { type AppliedMigration, comparePending, HistoryError } from './migration-history.ts'
export {
  ARRIVING,
  MOVED,
  type Move,
  markMoved,
  readMove,
  refuseMovedDatabase,
  refuseWrites,
  reopenDatabase,
} from './moves.ts'
export { asOwner, asRole, type OwnerSession } from './owner.ts'
export { makePartitions, type TendedTable } from './partitions.ts'
export { following, type Position, type Seen, seenNow } from './positions.ts'
export { readPending } from './read-pending.ts'
export { openReplica, type Replica, type ReplicaSettings } from './replica.ts'
export { findWeakRights, type RightsOf } from './rights.ts'
export { type DatabaseRole, ensureDatabaseAndRoles, lockServer, loginOf } from './roles.ts'
export type { SlowSettings } from './slow-statements.ts'
export { type Fragment, type Query, sql, sqlList, sqlName, sqlType } from './sql.ts'
export { isConnectionError, translateDatabaseError, violates } from './sqlstate.ts'
export {
  type BlindIndex,
  type Column,
  column,
  type DatabaseOf,
  pii,
  queries,
  type Sealed,
  type Table,
  table,
} from './table.ts'
export type { Transaction } from './transaction.ts'
