import { type OwnerSession, sql } from '../data/index.ts'
import type { KeyRing } from './key-ring.ts'
import type { OwnerColumns } from './place.ts'
import { unwrapKey, type WrappedKey, wrapKey } from './wrap.ts'

interface KeyRow extends WrappedKey {
  readonly id: string
  readonly account_id: string | null
  readonly user_id: string | null
}

const BATCH = 1_000

/**
 * Wraps every data key by the ring's current key. What is not done yet says so itself, so that it goes on where it was
 * after a crash. Readers meanwhile find each key under its old or its new wrapping. Returns how many were wrapped.
 */
export async function rewrapAll(session: OwnerSession, ring: KeyRing): Promise<number> {
  let done = 0
  for (;;) {
    const rows = await session.transaction(() => rewrapBatch(session, ring))
    done += rows
    if (rows < BATCH) return done
  }
}

async function rewrapBatch(session: OwnerSession, ring: KeyRing): Promise<number> {
  const by = ring.current()
  const rows = await session.many(sql<KeyRow>`
    select id, account_id, user_id, purpose, version, wrapped from seaworthy.account_keys
    where ring_key <> ${by.id} order by id limit ${BATCH} for update`)
  const wrapped = rows.map((row) => {
    const owner: OwnerColumns = { account: row.account_id, user: row.user_id }
    return wrapKey(by, owner, row.purpose, row.version, unwrapKey(ring, owner, row))
  })
  await session.run(sql`
    update seaworthy.account_keys k set ring_key = ${by.id}, wrapped = v.wrapped
    from unnest(${rows.map((row) => row.id)}::uuid[], ${wrapped}::text[]) as v(id, wrapped) where k.id = v.id`)
  return rows.length
}
