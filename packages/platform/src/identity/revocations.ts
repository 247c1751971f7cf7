import { type Clock, SECOND } from '@seaworthy/core'
import { type Database, sql } from '../data/index.ts'
import type { Logger } from '../telemetry/index.ts'

/** Sessions that were ended while access tokens of theirs may still be about. */
export interface Revocations {
  has(sessionId: string): boolean
  /** Told once per session, when this process learns of it. */
  onRevoked(listener: (sessionId: string) => void): void
  /** At once in this process; the others learn of it within a second. */
  add(sessionId: string): void
  stop(): void
}

/** Half of what is promised: the asking itself takes time too. */
const POLL_MS = SECOND / 2
/** Commits may lag: the last ten seconds are read again each time. */
const OVERLAP_MS = 10 * SECOND

/** Asks twice a second, so that no request has to. When the database does not answer, what is known stays in force. */
export function watchRevocations(database: Database, accessMs: number, clock: Clock, log: Logger): Revocations {
  const revoked = new Map<string, number>()
  const listeners: ((sessionId: string) => void)[] = []
  /** By the database's clock, which also writes when a session was ended. */
  let since: Date | undefined
  let asking = false
  const add = (sessionId: string): void => {
    if (revoked.has(sessionId)) return
    revoked.set(sessionId, clock.now() + accessMs)
    for (const listener of listeners) listener(sessionId)
  }
  const learn = async (): Promise<void> => {
    const asked = clock.now()
    const rows = await endedSince(database, since, accessMs)
    for (const { id } of rows) if (id) add(id)
    if (rows[0]) since = new Date(rows[0].now.getTime() - OVERLAP_MS)
    for (const [id, until] of revoked) if (until < asked) revoked.delete(id)
  }
  const poll = async (): Promise<void> => {
    if (asking) return
    asking = true
    await learn().catch((error: unknown) => log.debug('ended sessions could not be read; asking again soon', { error }))
    asking = false
  }
  const timer = setInterval(() => void poll(), POLL_MS)
  timer.unref()
  void poll()
  return {
    has: (id) => revoked.has(id),
    onRevoked: (listener) => void listeners.push(listener),
    add,
    stop: () => clearInterval(timer),
  }
}

/** At least one row, for the time of the database. */
function endedSince(database: Database, since: Date | undefined, accessMs: number) {
  return database.withDuty(
    'identity',
    (tx) =>
      tx.many<{ now: Date; id: string | null }>(sql`
        select clock.now, s.id from (select clock_timestamp() as now) clock left join seaworthy.sessions s
          on s.revoked_at > coalesce(${since ?? null}::timestamptz, clock.now - ${accessMs} * interval '1 millisecond')`),
    { readOnly: true },
  )
}
