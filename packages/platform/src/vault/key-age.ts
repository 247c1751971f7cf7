import { type Clock, DAY, MINUTE } from '@seaworthy/core'
import { type Database, sql } from '../data/index.ts'
import type { KeyRing } from './key-ring.ts'
import { RING_KEY_DAYS_MAX } from './status.ts'

/** For health: throws once the current key should be replaced. Asks the database once a minute. */
export function createKeyAgeCheck(database: Database, ring: KeyRing, clock: Clock): () => Promise<void> {
  let known: { readonly at: number; readonly days: number } | undefined
  return async () => {
    if (!known || clock.now() - known.at > MINUTE) known = { at: clock.now(), days: await ageOf(database, ring, clock) }
    if (known.days > RING_KEY_DAYS_MAX)
      throw new Error(`the encryption key is ${known.days} days old; HINT: seaworthy keys rotate`)
  }
}

async function ageOf(database: Database, ring: KeyRing, clock: Clock): Promise<number> {
  const row = await database.withDuty('operations', (tx) =>
    tx.maybe(sql<{ created_at: Date }>`select created_at from seaworthy.ring_keys where id = ${ring.current().id}`),
  )
  return row ? Math.floor((clock.now() - row.created_at.getTime()) / DAY) : 0
}
