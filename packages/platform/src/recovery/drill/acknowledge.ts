import { MINUTE, newId, pause } from '@seaworthy/core'
import { asOwner, type Endpoint, type Login, openClient, sql } from '../../data/index.ts'
import { keyOfWal } from '../segments.ts'
import type { Store } from '../store.ts'

/** A write of a client outside the trial, that the restored database must have. */
export interface Acknowledged {
  readonly id: string
  /** From its commit until it was in the store: what a lost disk would have cost. */
  readonly seconds: number
}

const WAIT_MS = MINUTE
const ASK_AGAIN_MS = 100

/**
 * Writes a row as anybody does, and waits until the archive has brought it to the store by itself. Throws when it does
 * not come within a minute.
 */
export async function acknowledge(endpoint: Endpoint, admin: Login, store: Store): Promise<Acknowledged> {
  const id = newId()
  await asOwner(endpoint, admin, 'drill', (session) =>
    session.run(sql`insert into seaworthy.recovery_sentinels (id, point) values (${id}::uuid, 'drill')`),
  )
  const committed = performance.now()
  const key = keyOfWal(await newestSegment(endpoint, admin))
  while ((await store.shelf.size(key)) === undefined) {
    if (performance.now() - committed > WAIT_MS)
      throw new Error(`what was written did not reach ${store.shelf.name} within ${WAIT_MS / 1_000} s`)
    await pause(ASK_AGAIN_MS)
  }
  return { id, seconds: Math.round(performance.now() - committed) / 1_000 }
}

/** The one that has everything that is committed now. */
async function newestSegment(endpoint: Endpoint, admin: Login): Promise<string> {
  const client = await openClient(endpoint, admin, 'drill')
  try {
    const { rows } = await client.query<{ name: string }>('select pg_walfile_name(pg_current_wal_lsn()) as name')
    return rows[0]?.name ?? ''
  } finally {
    await client.end()
  }
}
