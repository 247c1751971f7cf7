import { bad, type Finding, good, none, warn } from '../finding.ts'
import { type Installation, settingsOf } from '../installation.ts'
import { readService } from '../service.ts'
import type { Check } from './check.ts'

const MAJOR_MIN = 16

/** Answers, and is new enough. Every other look at it says less. */
export const database: Check = {
  title: 'database',
  look: async (here) => {
    const rows = await here
      .query<{ v: number; size: number }>(
        `select current_setting('server_version_num')::int as v, (pg_database_size(current_database()) / 1048576)::int as size`,
      )
      .catch((error: Error & { code?: string }) => error)
    if (rows instanceof Error) return explain(here, rows)
    const [{ v, size } = { v: 0, size: 0 }] = rows
    const major = Math.floor(v / 10_000)
    return major < MAJOR_MIN
      ? bad(`PostgreSQL ${major} is older than ${MAJOR_MIN}`, `bring the server to ${MAJOR_MIN} or newer`)
      : good(`PostgreSQL ${major}.${v % 10_000} answers, ${size} MB`)
  },
}

/** The embedded server runs with the service: where neither does, nothing is wrong with the database. */
async function explain(here: Installation, error: Error & { code?: string }): Promise<Finding> {
  const { databaseUrl } = settingsOf(here)
  const isAway = ['ECONNREFUSED', 'ENOENT', undefined].includes(error.code)
  if (!databaseUrl && isAway && !(await readService(here)))
    return none('the embedded server runs with the service, which does not run')
  const said = [error.code, error.message.split('\n')[0]].filter(Boolean).join(': ')
  return bad(
    `does not answer: ${said}`,
    databaseUrl
      ? 'seaworthy runbook database-gone   # is the server up, and DATABASE_URL right?'
      : 'seaworthy runbook database-gone',
  )
}

/** Whether anything can be written at all. */
export const writes: Check = {
  title: 'writing to the database',
  look: (here) =>
    onDatabase(here, async () => {
      const [row] = await here.query<{ recovery: boolean; held: string; source: string }>(
        `select pg_is_in_recovery() as recovery, reset_val as held, source from pg_settings where name = 'default_transaction_read_only'`,
      )
      if (row?.recovery) return bad('this server is a standby: it only reads', 'DATABASE_URL must name the primary')
      return row?.held === 'on'
        ? bad('it only reads (default_transaction_read_only)', 'is the disk full? seaworthy runbook disk-full')
        : good('it writes')
    }),
}

export const schema: Check = {
  title: 'schema',
  look: (here) =>
    onDatabase(here, async () => {
      const pending = await here.pendingMigrations()
      return pending.length
        ? warn(`${pending.length} migrations are not applied: ${pending.slice(0, 3).join(', ')}`, 'seaworthy migrate')
        : good('as this program needs it')
    }),
}

export const rights: Check = {
  title: 'rights in the database',
  look: (here) =>
    onDatabase(here, async () => {
      const weak = await here.weakRights()
      return weak.length
        ? bad(weak.join('; '), 'put policies and rights back as the migrations made them; a start refuses these')
        : good('the service may do what it must, and no more')
    }),
}

const USED_WARN = 0.8
const USED_BAD = 0.95

export const connections: Check = {
  title: 'connections',
  look: (here) =>
    onDatabase(here, async () => {
      const [row] = await here.query<{ used: number; most: number }>(
        `select (select count(*)::int from pg_stat_activity where usename is not null) as used, current_setting('max_connections')::int as most`,
        'admin',
      )
      const { used, most } = row ?? { used: 0, most: 1 }
      const found = `${used} of ${most} are open`
      const next = 'fewer processes, or a smaller DB_POOL_MAX, or a larger max_connections'
      if (used > most * USED_BAD) return bad(found, next)
      return used > most * USED_WARN ? warn(found, next) : good(found)
    }),
}

const OPEN_MINUTES_WARN = 15

/** What holds locks and keeps old rows alive. */
export const transactions: Check = {
  title: 'long transactions and locks',
  look: (here) =>
    onDatabase(here, async () => {
      const rows = await here.query<{ pid: number; minutes: number; who: string; waiting: number }>(
        `select pid, (extract(epoch from clock_timestamp() - xact_start) / 60)::int as minutes, coalesce(application_name, '') as who,
           (select count(*)::int from pg_stat_activity w where a.pid = any(pg_blocking_pids(w.pid))) as waiting
         from pg_stat_activity a where xact_start < clock_timestamp() - interval '1 minute' and pid <> pg_backend_pid()
           and backend_type = 'client backend' order by xact_start limit 5`,
        'admin',
      )
      const [oldest] = rows
      if (!oldest) return good('none is open for more than a minute')
      const found = rows
        .map(({ pid, minutes, who, waiting }) => `process ${pid} (${who}) for ${minutes} min, ${waiting} wait for it`)
        .join('; ')
      return oldest.minutes >= OPEN_MINUTES_WARN || rows.some(({ waiting }) => waiting > 0)
        ? warn(found, `end it: psql "$(seaworthy database --as admin)" -c 'select pg_terminate_backend(${oldest.pid})'`)
        : good(found)
    }),
}

const XID_AGE_WARN = 500_000_000
const DEAD_ROWS_MIN = 10_000

/** What autovacuum should have done, and the rests of interrupted work. */
export const care: Check = {
  title: 'care of the database',
  look: (here) =>
    onDatabase(here, async () => {
      const [row] = await here.query<{ age: number; bloated: string[]; invalid: string[] }>(
        `select (select age(datfrozenxid) from pg_database where datname = current_database()) as age,
           array(select schemaname || '.' || relname from pg_stat_user_tables where n_dead_tup > ${DEAD_ROWS_MIN} and n_dead_tup > n_live_tup) as bloated,
           array(select indexrelid::regclass::text from pg_index where not indisvalid
             and not exists (select 1 from pg_stat_progress_create_index where datname = current_database())) as invalid`,
      )
      const { age, bloated, invalid } = row ?? { age: 0, bloated: [], invalid: [] }
      if (age > XID_AGE_WARN)
        return bad(`${age} transactions are not frozen`, 'end what is open for days, then: vacuum (freeze)')
      if (invalid.length) return warn(`not valid: ${invalid.join(', ')}`, `reindex index concurrently ${invalid[0]}`)
      return bloated.length
        ? warn(`more dead rows than living: ${bloated.join(', ')}`, `vacuum ${bloated[0]}`)
        : good('vacuum keeps up, and every index is valid')
    }),
}

const BEHIND_SECONDS_WARN = 5

export const replica: Check = {
  title: 'read replica',
  look: (here) => {
    if (!settingsOf(here).databaseReplicaUrl) return none('none is set')
    return onDatabase(here, async () => {
      const rows = await here.query<{ name: string; seconds: number }>(
        `select application_name as name, coalesce(extract(epoch from replay_lag), 0)::int as seconds from pg_stat_replication`,
        'admin',
      )
      if (rows.length === 0)
        return bad(
          'no standby follows this server',
          'start the standby; until then everything is read from the primary',
        )
      const found = rows.map(({ name, seconds }) => `${name} is ${seconds} s behind`).join(', ')
      return rows.some(({ seconds }) => seconds > BEHIND_SECONDS_WARN)
        ? warn(found, 'look at the standby: disk, network, long queries')
        : good(found)
    })
  },
}

/** Where the embedded server does not run there is nothing to look at. */
export async function onDatabase(here: Installation, look: () => Promise<Finding>): Promise<Finding> {
  const first = await database.look(here)
  if (first.verdict === 'none') return first
  if (first.verdict === 'bad' && first.found.startsWith('does not answer'))
    return { verdict: 'unknown', found: 'the database does not answer', next: 'seaworthy runbook database-gone' }
  return look()
}
