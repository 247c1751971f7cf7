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

const POLL_MS = SECOND
/** Clocks and commits may lag: the last ten seconds are read again each time. */
const OVERLAP_MS = 10 * SECOND

/** Asks once a second, so that no request has to. When the database does not answer, what is known stays in force. */
export function watchRevocations(database: Database, accessMs: number, clock: Clock, log: Logger): Revocations {
  const revoked = new Map<string, number>()
  const listeners: ((sessionId: string) => void)[] = []
  let since = clock.now() - accessMs
  let asking = false
  const add = (sessionId: string): void => {
    if (revoked.has(sessionId)) return
    revoked.set(sessionId, clock.now() + accessMs)
    for (const listener of listeners) listener(sessionId)
  }
  const poll = async (): Promise<void> => {
    if (asking) return
    asking = true
    try {
      const asked = clock.now()
      const rows = await database.withDuty(
        'identity',
        (tx) => tx.many<{ id: string }>(sql`select id from seaworthy.sessions where revoked_at > ${new Date(since)}`),
        { readOnly: true },
      )
      for (const row of rows) add(row.id)
      since = asked - OVERLAP_MS
      for (const [id, until] of revoked) if (until < asked) revoked.delete(id)
    } catch (error) {
      log.debug('ended sessions could not be read; asking again in a second', { error })
    } finally {
      asking = false
    }
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
