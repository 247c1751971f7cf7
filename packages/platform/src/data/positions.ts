import { AsyncLocalStorage } from 'node:async_hooks'

/** A place in the server's log of changes, in bytes from its beginning. Whoever has replayed it has every commit before. */
export type Position = number

/** How much of the log somebody has seen; undefined: nothing is known about it, so nothing may be left out. */
export interface Seen {
  position: Position | undefined
}

const current = new AsyncLocalStorage<Seen>()

/** Of the request under way; undefined where nobody follows. */
export const seenNow = (): Seen | undefined => current.getStore()

/** What `work` does on the primary moves `seen` on. */
export const following = <T>(seen: Seen, work: () => Promise<T>): Promise<T> => current.run(seen, work)

export function moveOn(seen: Seen, position: Position | undefined): void {
  if (position !== undefined && position > (seen.position ?? -1)) seen.position = position
}

/**
 * Behind every commit that anybody can see now. What is flushed is enough where commits wait for it, and a standby gets
 * there without another write; where they do not wait, only what was inserted is enough.
 */
export const positionNow = `select case when pg_is_in_recovery() then null else pg_wal_lsn_diff(
  case current_setting('synchronous_commit') when 'off' then pg_current_wal_insert_lsn() else pg_current_wal_flush_lsn() end, '0/0')::bigint end as position`

/** On a standby: whether it has replayed this. False, and not an error, on a server that is none. */
export const hasReplayed = (position: Position): string =>
  `select coalesce(pg_is_in_recovery() and pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0') >= ${position}, false) as replayed`

/** The standby that was asked has not replayed what the request has seen: nothing that it says counts. */
export class BehindError extends Error {
  constructor() {
    super('the replica has not replayed what the request has seen')
    this.name = 'BehindError'
  }
}
