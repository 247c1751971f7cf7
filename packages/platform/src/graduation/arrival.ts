import { ARRIVING, openClient, readMove } from '../data/index.ts'
import { openSession, type Session, type Side, withSession } from './session.ts'
import { bringMonths, carriedSchemas, readTables } from './tables.ts'

/** How far a database has come that another one is brought to. */
export type Arrival =
  | { readonly kind: 'absent' | 'empty' }
  /** Left for another one some time ago: it is put aside, and not touched. */
  | { readonly kind: 'left' }
  | { readonly kind: 'occupied'; readonly tables: readonly string[] }
  | { readonly kind: 'arriving'; readonly from: string; readonly phase: Phase; readonly place: string }

/** `made`: being copied. `copied`: has everything up to its place. `complete`: may be used. */
export type Phase = 'made' | 'copied' | 'complete'

const MISSING_DATABASE = '3D000'

export async function readArrival(side: Side): Promise<Arrival> {
  let session: Session
  try {
    session = await openSession(side)
  } catch (error) {
    if ((error as { code?: string }).code === MISSING_DATABASE) return { kind: 'absent' }
    throw error
  }
  try {
    const move = await readMove(session)
    if (move.kind === 'moved') return { kind: 'left' }
    if (move.kind === 'arriving') {
      const { rows } = await session.query<{ from: string; phase: Phase; place: string }>(
        `select came_from as from, phase, place from ${ARRIVING}.progress`,
      )
      return { kind: 'arriving', from: '', phase: 'made', place: '0/0', ...rows[0] }
    }
    const tables = (await readTables(session)).map(({ name }) => name)
    return tables.length ? { kind: 'occupied', tables } : { kind: 'empty' }
  } finally {
    await session.end()
  }
}

/** Under another name, which is given back. */
export async function putAside({ endpoint, admin }: Side): Promise<string> {
  const client = await openClient({ ...endpoint, database: 'postgres' }, admin, 'graduate')
  const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14)
  const name = `${endpoint.database.slice(0, 40)}_before_${stamp}`
  try {
    await client.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()',
      [endpoint.database],
    )
    await client.query(
      `alter database ${client.escapeIdentifier(endpoint.database)} rename to ${client.escapeIdentifier(name)}`,
    )
    return name
  } finally {
    await client.end()
  }
}

/** Marks an empty database, or clears one that is marked: a start refuses it from now on until it is complete. */
export const markArriving = (side: Side, from: string): Promise<void> =>
  withSession(side, async (session) => {
    const { rows } = await session.query<{ name: string }>(
      `select quote_ident(nspname) as name from pg_namespace n where ${carriedSchemas} and nspname <> 'public'`,
    )
    await session.query('begin')
    await session.query(`create schema if not exists ${ARRIVING}`)
    await session.query(`create table if not exists ${ARRIVING}.progress (only_one boolean primary key default true, came_from text not null, phase text not null, place text not null);
      create table if not exists ${ARRIVING}.keys (of text not null, name text not null, definition text not null);
      truncate ${ARRIVING}.progress, ${ARRIVING}.keys`)
    await session.query(`insert into ${ARRIVING}.progress (came_from, phase, place) values ($1, 'made', '0/0')`, [from])
    for (const { name } of rows) await session.query(`drop schema ${name} cascade`)
    await session.query('commit')
  })

/**
 * After the release has made everything there: the months that the other one has, no rows, no foreign keys, which would ask for
 * an order of tables, and no triggers, which have had their effect there already.
 */
export async function emptyOut(from: Session, to: Session): Promise<void> {
  await bringMonths(from, to)
  const tables = (await readTables(to)).map(({ name }) => name)
  await to.query('begin')
  await to.query(`truncate ${tables.join(', ')}`)
  const { rows } = await to.query<{ of: string; name: string; definition: string }>(
    `select conrelid::regclass::text as of, quote_ident(conname) as name, pg_get_constraintdef(k.oid) as definition
     from pg_constraint k join pg_class c on c.oid = conrelid join pg_namespace n on n.oid = c.relnamespace
     where contype = 'f' and conparentid = 0 and ${carriedSchemas}`,
  )
  for (const { of, name, definition } of rows) {
    await to.query(`insert into ${ARRIVING}.keys values ($1, $2, $3)`, [of, name, definition])
    await to.query(`alter table ${of} drop constraint ${name}`)
  }
  await to.query('commit')
  await setTriggers(to, false)
}

/** Which exist, whatever they are called; on each table and each month. */
async function setTriggers(session: Session, areOn: boolean): Promise<void> {
  const { rows } = await session.query<{ of: string; name: string }>(
    `select tgrelid::regclass::text as of, quote_ident(tgname) as name from pg_trigger g join pg_class c on c.oid = tgrelid join pg_namespace n on n.oid = c.relnamespace
     where not tgisinternal and tgparentid = 0 and ${carriedSchemas}`,
  )
  for (const { of, name } of rows)
    await session.query(`alter table ${of} ${areOn ? 'enable' : 'disable'} trigger ${name}`)
}

/** Foreign keys come back, and look at every row that was copied. From here on it can be gone on with after a crash. */
export async function finishCopy(session: Session, place: string): Promise<void> {
  const { rows } = await session.query<{ of: string; name: string; definition: string }>(
    `select * from ${ARRIVING}.keys`,
  )
  await session.query('begin')
  for (const { of, name, definition } of rows)
    await session.query(`alter table ${of} add constraint ${name} ${definition}`)
  await session.query(`truncate ${ARRIVING}.keys`)
  await session.query(`update ${ARRIVING}.progress set phase = 'copied', place = $1`, [place])
  await session.query('commit')
}

/** Everything is here: a start may use it, when it is told to. */
export async function finishArrival(session: Session): Promise<void> {
  await session.query('begin')
  await setTriggers(session, true)
  await session.query(`update ${ARRIVING}.progress set phase = 'complete'`)
  await session.query('commit')
}

/** Again like one that is still followed. */
export async function goOnArriving(session: Session): Promise<void> {
  await session.query(`update ${ARRIVING}.progress set phase = 'copied'`)
  await setTriggers(session, false)
}
