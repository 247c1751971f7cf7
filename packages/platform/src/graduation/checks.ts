import { statfsSync } from 'node:fs'
import { MiB, showBytes } from '@seaworthy/core'
import { explainTlsFailure, openClient, readMove } from '../data/index.ts'
import { type Arrival, readArrival } from './arrival.ts'
import { nameOf, type Session, type Side, withSession } from './session.ts'
import { findUncarried, readTables, type Table } from './tables.ts'

/** One thing that is looked at before anything is done. */
export interface Check {
  readonly what: string
  readonly says: string
  /** What to do about it; undefined when it is well. */
  readonly hint?: string | undefined
}

interface CheckParts {
  readonly from: Side
  readonly to: Side
  readonly isEmbedded: boolean
  /** Where the log waits; undefined when that is another machine's matter. */
  readonly dataDirectory: string | undefined
  /** Migrations of this release that the old database does not have. */
  readonly pending: readonly string[]
  /** How many connections the product opens. */
  readonly connections: number
}

const VERSION_MIN = 160_000
const SLOTS = 2
const NAMES_MAX = 5
const SPACE_MIN_BYTES = 256 * MiB

const good = (what: string, says: string): Check => ({ what, says })
const bad = (what: string, says: string, hint: string): Check => ({ what, says, hint })
const judge = (isGood: boolean, what: string, says: string, hint: string): Check =>
  isGood ? good(what, says) : bad(what, says, hint)
const list = (names: readonly string[]): string =>
  names.length > NAMES_MAX
    ? `${names.slice(0, NAMES_MAX).join(', ')} and ${names.length - NAMES_MAX} more`
    : names.join(', ')

/** Looks at both, and changes nothing. */
export async function checkGraduation(parts: CheckParts): Promise<readonly Check[]> {
  const source = await withSession(parts.from, (session) => checkSource(session, parts))
  return [...source, ...(await checkTarget(parts))]
}

interface SourceRow {
  readonly version: string
  readonly level: string
  readonly free: number
  readonly replicates: boolean
  readonly ends: boolean
  readonly encoding: string
  readonly bytes: number
}

async function checkSource(
  session: Session,
  { from, isEmbedded, dataDirectory, pending }: CheckParts,
): Promise<Check[]> {
  const { rows } = await session.query<SourceRow>(`
    select current_setting('server_version') as version, current_setting('wal_level') as level,
      current_setting('max_replication_slots')::int - (select count(*)::int from pg_replication_slots where slot_name not like 'seaworthy_graduation%') as free,
      (select rolsuper or rolreplication from pg_roles where rolname = current_user) as replicates,
      (select rolsuper from pg_roles where rolname = current_user) or pg_has_role('pg_signal_backend', 'usage') as ends,
      pg_encoding_to_char(encoding) as encoding, pg_database_size(current_database()) as bytes
    from pg_database where datname = current_database()`)
  const row = rows[0] as SourceRow
  const tables = await readTables(session)
  const problems = await findUncarried(session)
  const move = await readMove(session)
  const size = `${tables.length} tables, ${showBytes(row.bytes)}`
  return [
    good('from', `${nameOf(from)}, PostgreSQL ${row.version}, ${size}`),
    ...(move.kind === 'moved'
      ? [
          bad(
            'counts',
            `it was left: ${move.to} counts`,
            'set DATABASE_URL to that one, or: seaworthy graduate --reopen',
          ),
        ]
      : []),
    ...judgeContents(tables, problems, pending),
    ...judgeServer(row, isEmbedded),
    ...(dataDirectory === undefined ? [] : [judgeSpace(row.bytes, freeBytesOf(dataDirectory))]),
  ]
}

function judgeContents(tables: readonly Table[], problems: readonly string[], pending: readonly string[]): Check[] {
  const withoutKey = tables.filter(({ hasKey, isUnlogged }) => !hasKey && !isUnlogged).map(({ name }) => name)
  return [
    judge(
      pending.length === 0,
      'release',
      pending.length ? `${list(pending)} is not applied there` : 'its migrations are all applied',
      'start this release first, so that both have the same tables',
    ),
    judge(
      problems.length === 0,
      'contents',
      problems.length ? list(problems) : 'everything can be carried',
      'remove it, or move it by hand',
    ),
    good('keys', withoutKey.length ? `followed by whole rows: ${list(withoutKey)}` : 'every table has a primary key'),
  ]
}

function judgeServer({ encoding, level, free, replicates, ends }: SourceRow, isEmbedded: boolean): Check[] {
  return [
    judge(encoding === 'UTF8', 'encoding', encoding, 'only databases in UTF8 are carried'),
    isEmbedded && level !== 'logical'
      ? good('log', 'wal_level becomes logical: the embedded server starts again once, which takes about a second')
      : judge(
          level === 'logical',
          'log',
          `wal_level is ${level}`,
          "alter system set wal_level = 'logical', and start that server again",
        ),
    judge(
      free >= SLOTS,
      'slots',
      `${free} replication slots are free`,
      'raise max_replication_slots there, or drop slots that nobody uses',
    ),
    judge(
      replicates,
      'replication',
      `this user may ${replicates ? '' : 'not '}follow changes`,
      'alter role ... replication (managed servers: the role of theirs for it, such as rds_replication)',
    ),
    judge(
      ends,
      'connections',
      `this user may ${ends ? '' : 'not '}end connections of the app`,
      'grant pg_signal_backend to ... with inherit true',
    ),
  ]
}

const judgeSpace = (bytes: number, free: number): Check =>
  judge(
    free >= bytes / 10 + SPACE_MIN_BYTES,
    'space here',
    `${showBytes(free)} free, ${showBytes(bytes / 10 + SPACE_MIN_BYTES)} wanted for the log that waits`,
    'make space on the disk of DATA_DIR',
  )

function freeBytesOf(directory: string): number {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}

interface TargetRow {
  readonly version: string
  readonly number: number
  readonly creates: boolean
  readonly connections: number
}

async function checkTarget({ from, to, connections }: CheckParts): Promise<Check[]> {
  const name = nameOf(to)
  let arrival: Arrival
  try {
    arrival = await readArrival(to)
  } catch (error) {
    const words = explainTlsFailure(error, to.endpoint)
    return [
      bad(
        'to',
        words ?? `${name} cannot be reached: ${(error as Error).message}`,
        'compare address, user and password with those of the server',
      ),
    ]
  }
  const client = await openClient(
    arrival.kind === 'absent' ? { ...to.endpoint, database: 'postgres' } : to.endpoint,
    to.admin,
    'graduate',
  )
  try {
    const { rows } = await client.query<TargetRow>(`
      select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
        (select rolsuper or (rolcreaterole and ${arrival.kind === 'absent' ? 'rolcreatedb' : "has_database_privilege(current_database(), 'create')"}) from pg_roles where rolname = current_user) as creates,
        current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int - (select count(*)::int from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()) as connections`)
    const row = rows[0] as TargetRow
    const system = await systemOf(client)
    const isSame = await withSession(
      from,
      async (session) => (await systemOf(session)) === system && from.endpoint.database === to.endpoint.database,
    )
    return [
      judge(
        row.number >= VERSION_MIN,
        'to',
        `${name}, PostgreSQL ${row.version}, ${to.endpoint.tls === 'verify' ? 'TLS verified' : 'on this machine, without TLS'}`,
        'PostgreSQL 16 or newer is needed',
      ),
      judge(
        !isSame,
        'another',
        isSame ? 'it is the same database' : 'it is another database',
        'name another server, or another database of this one',
      ),
      judge(
        row.creates,
        'rights there',
        row.creates ? 'may make roles and tables' : 'may not make roles, or not make tables there',
        'alter role ... createrole createdb, and grant create on database',
      ),
      judge(
        row.connections >= connections,
        'connections there',
        `${row.connections} free, ${connections} wanted`,
        'raise max_connections there, or lower DB_POOL_MAX',
      ),
      describeArrival(arrival, name),
    ]
  } finally {
    await client.end()
  }
}

function describeArrival(arrival: Arrival, name: string): Check {
  if (arrival.kind === 'occupied')
    return bad(
      'contents there',
      `has tables: ${list(arrival.tables)}`,
      'name an empty database, or one that does not exist yet: nothing there is overwritten',
    )
  if (arrival.kind === 'arriving')
    return good(
      'contents there',
      `begun before, from ${arrival.from}: ${arrival.phase === 'made' ? 'begins again' : 'goes on'}`,
    )
  if (arrival.kind === 'left') return good('contents there', `${name} was left before: it is kept under another name`)
  return good('contents there', arrival.kind === 'absent' ? 'does not exist yet, and is made' : 'empty')
}

/** Which server this is, wherever it is reached; where nobody may ask that, where it is. */
export async function systemOf(session: Session): Promise<string> {
  const where = `select coalesce(host(inet_server_addr()), '') || ':' || inet_server_port() as id`
  const { rows } = await session
    .query<{ id: string }>('select system_identifier::text as id from pg_control_system()')
    .catch(() => session.query<{ id: string }>(where))
  return rows[0]?.id ?? ''
}
