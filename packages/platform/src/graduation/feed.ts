import { openReplicationClient } from '../data/index.ts'
import { type Change, readChange } from './changes.ts'
import type { Session, Side } from './session.ts'
import { readTables, type Table } from './tables.ts'

/** On the database that is left: which tables tell their changes, and from where on they are kept for us. */
const NAME = 'seaworthy_graduation'
const CHANGES_MAX = 2_000

/** One instant of a database: what is seen with it is exactly what was committed before its place. */
interface Instant {
  readonly place: string
  readonly snapshot: string
  /** Once somebody looks with it, it may go. */
  close(): Promise<void>
}

interface CreatedSlot {
  readonly consistent_point: string
  readonly snapshot_name: string
}

/** From this instant on every change is kept for us. */
export async function openFeed(side: Side, session: Session, tables: readonly Table[]): Promise<Instant> {
  await closeFeed(session)
  const told = tables.filter(({ isUnlogged }) => !isUnlogged).map(({ name }) => name)
  for (const { name, hasKey, isUnlogged } of tables)
    if (!hasKey && !isUnlogged) await tellWholeRows(session, name, true)
  await session.query(
    `create publication ${NAME} for table ${told.join(', ')} with (publish_via_partition_root = true)`,
  )
  return takeInstant(side, NAME)
}

const LOCK_TRIES = 20

/** Where a table has no key. It waits for who holds the table, and nobody waits long for it. */
async function tellWholeRows(session: Session, table: string, isWhole: boolean): Promise<void> {
  await session.query(`set lock_timeout = '200ms'`)
  for (let tries = 1; ; tries++) {
    const problem = await session.query(`alter table ${table} replica identity ${isWhole ? 'full' : 'default'}`).then(
      () => undefined,
      (error: Error & { code?: string }) => error,
    )
    if (!problem) break
    if (problem.code !== '55P03' || tries >= LOCK_TRIES) throw problem
  }
  await session.query('reset lock_timeout')
}

/** One to compare by; nothing stays of it. */
export const takeInstantNow = (side: Side): Promise<Instant> => takeInstant(side, `${NAME}_look`, 'TEMPORARY ')

async function takeInstant({ endpoint, admin }: Side, slot: string, temporary = ''): Promise<Instant> {
  const client = await openReplicationClient(endpoint, admin, 'graduate')
  try {
    const { rows } = await client.query<CreatedSlot>(
      `CREATE_REPLICATION_SLOT ${slot} ${temporary}LOGICAL pgoutput (SNAPSHOT 'export')`,
    )
    const [made] = rows
    if (!made) throw new Error('the server did not say from where on it keeps changes')
    return { place: made.consistent_point, snapshot: made.snapshot_name, close: () => client.end() }
  } catch (error) {
    await client.end().catch(() => undefined)
    throw error
  }
}

/** The session sees that instant, and nothing after it, until its transaction ends. */
export async function lookFrom(session: Session, { snapshot, close }: Instant): Promise<void> {
  await session.query('begin transaction isolation level repeatable read read only')
  await session.query(`set transaction snapshot '${snapshot}'`)
  await close()
}

/** Whether everything since then is still kept. */
export async function isFeedThere(session: Session): Promise<boolean> {
  const { rows } = await session.query<{ there: boolean }>(
    `select exists (select 1 from pg_replication_slots where slot_name = '${NAME}' and database = current_database() and wal_status <> 'lost')
      and exists (select 1 from pg_publication where pubname = '${NAME}') as there`,
  )
  return rows[0]?.there === true
}

/** Whole transactions, the oldest first; none when there is nothing new. */
export async function readChanges(session: Session): Promise<readonly Change[]> {
  const { rows } = await session.query<{ data: Buffer }>(
    `select data from pg_logical_slot_peek_binary_changes('${NAME}', null, ${CHANGES_MAX}, 'proto_version', '1', 'publication_names', '${NAME}')`,
  )
  return rows.flatMap(({ data }) => readChange(data) ?? [])
}

/** What came before is safe on the other side, and need not be kept any more. */
export async function forgetBefore(session: Session, place: string): Promise<void> {
  await session.query(
    `select pg_replication_slot_advance('${NAME}', least($1::text::pg_lsn, pg_current_wal_flush_lsn())) from pg_replication_slots
     where slot_name = '${NAME}' and confirmed_flush_lsn < $1::text::pg_lsn`,
    [place],
  )
}

export async function closeFeed(session: Session): Promise<void> {
  await session.query(
    `select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = '${NAME}' and database = current_database()`,
  )
  await session.query(`set session characteristics as transaction read write`)
  await session.query(`drop publication if exists ${NAME}`)
  for (const { name, hasKey, isWhole } of await readTables(session))
    if (!hasKey && isWhole) await tellWholeRows(session, name, false)
}

/** So that the server begins to read its log close to where we are. Only some logins may; it goes without. */
export async function makeStandpoint(session: Session): Promise<void> {
  await session.query('select pg_log_standby_snapshot()').catch(() => undefined)
}
