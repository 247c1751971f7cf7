import { pause } from '@seaworthy/core'
import { openSession, type Session, type Side, withSession } from './session.ts'
import type { Table } from './tables.ts'

const LOCK_MS = 3_000
const LOCK_TRIES = 4
const GONE_MS = 5_000
const STEP_MS = 10

/**
 * Holds every table so that it can be read and not written, until the session ends, also by a crash of ours. What was being
 * written ends first; what does not end in time is ended.
 */
export async function holdTables(side: Side, tables: readonly Table[]): Promise<Session> {
  const session = await openSession(side)
  try {
    for (let tries = 1; ; tries++) {
      await session.query('begin')
      await session.query(`set local lock_timeout = ${LOCK_MS}`)
      const problem = await session
        .query(`lock table ${tables.map(({ name }) => name).join(', ')} in exclusive mode`)
        .then(() => undefined)
        .catch((error: Error) => error)
      if (!problem) return session
      await session.query('rollback')
      if (tries >= LOCK_TRIES) throw new Error(`Somebody does not stop writing: ${problem.message}`, { cause: problem })
      await endOthers(session)
    }
  } catch (error) {
    await session.end().catch(() => undefined)
    throw error
  }
}

/** A user who is no superuser sees of others only what is compared here, and may not end those of superusers. */
const others = `pg_stat_activity where datname = current_database() and coalesce(backend_type, 'client backend') = 'client backend'
  and application_name is distinct from 'seaworthy-graduate' and pid <> pg_backend_pid()
  and usesysid in (select oid from pg_roles where not rolsuper or (select rolsuper from pg_roles where rolname = current_user))`

/** Whoever is connected connects again, and is then one who only reads. Resolves when all are gone. */
export async function endOthers(session: Session): Promise<void> {
  const { rows } = await session.query<{ pid: number }>(`select pid, pg_terminate_backend(pid) from ${others}`)
  const pids = rows.map(({ pid }) => pid)
  for (const end = performance.now() + GONE_MS; ; await pause(STEP_MS)) {
    const { rowCount } = await session.query(`select pid from ${others} and pid = any ($1)`, [pids])
    if (!rowCount) return
    if (performance.now() > end) throw new Error(`${rowCount} connections to the old database do not end`)
  }
}

/** Resolves when somebody who connects now can only read. */
export async function untilHeld(side: Side): Promise<void> {
  for (const end = performance.now() + GONE_MS; ; await pause(STEP_MS)) {
    if (await isHeld(side)) return
    if (performance.now() > end) throw new Error('the old database does not take the hold on writes')
  }
}

/** Our sessions may write in spite of the hold, so what others get is asked of the server. */
const isHeld = (side: Side): Promise<boolean> =>
  withSession(side, async (session) => {
    const { rows } = await session.query<{ held: boolean }>(
      `select reset_val = 'on' as held from pg_settings where name = 'default_transaction_read_only'`,
    )
    return rows[0]?.held === true
  })
