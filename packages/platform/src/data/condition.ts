import type { Database } from './database.ts'
import { sql } from './sql.ts'

/** What autovacuum and people should have looked after. Names are with their schema. */
export interface DatabaseCondition {
  /** Transactions since the oldest row that is not frozen; PostgreSQL stops writing near 2,100,000,000. */
  readonly xidAge: number
  readonly deadRows: number
  /** Tables with more dead rows than living ones, and many of them. */
  readonly bloatedTables: readonly string[]
  /** Kept up to date by every write, and used by no query: the rest of an interrupted build. */
  readonly invalidIndexes: readonly string[]
  /** Large, no constraint, and never read since statistics are kept. */
  readonly unusedIndexes: readonly string[]
  /** Rows that came before their month was there. */
  readonly rowsWithoutMonth: number
}

const DEAD_ROWS_MIN = 10_000
const UNUSED_PAGES_MIN = 1_280
const NAMES_MAX = 20

const bloated = sql`
  select schemaname || '.' || relname as name from pg_stat_user_tables
  where n_dead_tup > ${DEAD_ROWS_MIN} and n_dead_tup > n_live_tup order by n_dead_tup desc limit ${NAMES_MAX}`
// Whoever builds one just now is not told about it.
const invalid = sql`
  select indexrelid::regclass::text as name from pg_index where not indisvalid
  and not exists (select 1 from pg_stat_progress_create_index where datname = current_database()) limit ${NAMES_MAX}`
const unused = sql`
  select s.indexrelid::regclass::text as name from pg_stat_user_indexes s join pg_index i using (indexrelid) join pg_class c on c.oid = s.indexrelid
  where s.idx_scan = 0 and c.relpages > ${UNUSED_PAGES_MIN} and not i.indisunique and i.indisvalid order by c.relpages desc limit ${NAMES_MAX}`

/** One look at the server's catalogues and counters; no table is read. */
export async function examineDatabase(database: Database): Promise<DatabaseCondition> {
  const row = await database.withDuty(
    'janitor',
    (tx) =>
      tx.one(sql<DatabaseCondition>`
        select (select age(datfrozenxid) from pg_database where datname = current_database()) as "xidAge",
          (select coalesce(sum(n_dead_tup), 0)::bigint from pg_stat_user_tables) as "deadRows",
          array(${bloated}) as "bloatedTables", array(${invalid}) as "invalidIndexes", array(${unused}) as "unusedIndexes",
          (select coalesce(sum(pg_stat_get_live_tuples(partdefid)), 0)::bigint from pg_partitioned_table where partdefid <> 0) as "rowsWithoutMonth"`),
    { readOnly: true },
  )
  return row
}
