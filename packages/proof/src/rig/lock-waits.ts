import { setTimeout as sleep } from 'node:timers/promises'
import type { DatabaseClient } from './database.ts'

/** How long requests wait for a whole table, as the server's list of locks shows it. */
export interface LockWaits {
  /** The longest wait of a web process so far, in milliseconds. */
  longest(): number
  /** How often a migration was seen waiting. */
  migrator(): number
  stop(): Promise<void>
}

const STEP_MS = 10

const waiting = `
  select coalesce(max(extract(epoch from clock_timestamp() - l.waitstart) * 1000) filter (where a.application_name = 'seaworthy-web'), 0)::float8 as web,
    count(*) filter (where a.application_name = 'seaworthy-migrate')::int as migrator
  from pg_locks l join pg_stat_activity a using (pid) where not l.granted and l.locktype = 'relation'`

/** Looks a hundred times a second until stopped. The connection is used for nothing else meanwhile. */
export function watchLockWaits(client: DatabaseClient): LockWaits {
  let [longest, migrator, stopped] = [0, 0, false]
  const look = async (): Promise<void> => {
    while (!stopped) {
      const { rows } = await client.query<{ web: number; migrator: number }>(waiting)
      longest = Math.max(longest, rows[0]?.web ?? 0)
      migrator += rows[0]?.migrator ?? 0
      await sleep(STEP_MS)
    }
  }
  const loop = look()
  // Told by `stop`, unless the experiment has ended before.
  loop.catch(() => undefined)
  return {
    longest: () => longest,
    migrator: () => migrator,
    stop: () => {
      stopped = true
      return loop
    },
  }
}
