import { backoffMs, pause } from '@seaworthy/core'
import type { PgSingleClient } from './drivers/pg.ts'

const BASE_MS = 20
const MAX_MS = 500

/**
 * Takes a lock of the server's that its session holds until it ends. Asks again and again instead of waiting in the
 * server: a statement that waits holds a snapshot, and an index that is built concurrently waits for every snapshot, so
 * whoever builds one under this lock and whoever waits for the lock would wait for each other.
 */
export async function takeLock(client: PgSingleClient, key: number): Promise<void> {
  for (let tries = 1; ; tries++) {
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1::bigint) as taken', [key])
    if (rows[0]?.taken) return
    await pause(backoffMs(tries, BASE_MS, MAX_MS))
  }
}
