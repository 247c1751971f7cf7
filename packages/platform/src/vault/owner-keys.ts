import { newId } from '@seaworthy/core'
import { type OwnerSession, sql } from '../data/index.ts'
import { newKey } from './cipher.ts'
import type { DataKey } from './data-keys.ts'
import type { KeyRing } from './key-ring.ts'
import type { OwnerColumns } from './place.ts'
import type { SealedColumn } from './sealed-columns.ts'
import { unwrapKey, type WrappedKey, wrapKey } from './wrap.ts'

/** Data keys of many owners at once, for work over whole tables. */
export interface OwnerKeys {
  /** The keys of each of these owners, the newest first; made where there are none. */
  load(kind: SealedColumn['kind'], owners: readonly string[]): Promise<ReadonlyMap<string, readonly DataKey[]>>
  /** The same, and none is made. */
  find(kind: SealedColumn['kind'], owners: readonly string[]): Promise<ReadonlyMap<string, readonly DataKey[]>>
}

interface OwnedKey extends WrappedKey {
  readonly owner: string
}

const KEPT_MAX = 50_000

const ownerColumns = (kind: SealedColumn['kind'], owner: string): OwnerColumns =>
  kind === 'account' ? { account: owner, user: null } : { account: null, user: owner }

export function openOwnerKeys(session: OwnerSession, ring: KeyRing): OwnerKeys {
  const known = new Map<string, readonly DataKey[]>()
  const read = async (kind: SealedColumn['kind'], owners: readonly string[]): Promise<void> => {
    for (const row of await session.many(selectKeys(kind, owners))) {
      const key = { version: row.version, bytes: unwrapKey(ring, ownerColumns(kind, row.owner), row) }
      known.set(row.owner, [...(known.get(row.owner) ?? []), key])
    }
  }
  const readUnknown = async (kind: SealedColumn['kind'], owners: readonly string[]): Promise<readonly string[]> => {
    if (known.size > KEPT_MAX) known.clear()
    const unknown = owners.filter((owner) => !known.has(owner))
    if (unknown.length) await read(kind, unknown)
    return unknown
  }
  return {
    find: async (kind, owners) => {
      await readUnknown(kind, owners)
      return known
    },
    load: async (kind, owners) => {
      const unknown = await readUnknown(kind, owners)
      const without = unknown.filter((owner) => !known.has(owner))
      if (without.length) {
        await makeKeys(session, ring, kind, without, 1)
        await read(kind, without)
      }
      return known
    },
  }
}

/** One key of this version for each owner who has none of it. */
export async function makeKeys(
  session: OwnerSession,
  ring: KeyRing,
  kind: SealedColumn['kind'],
  owners: readonly string[],
  version: number,
): Promise<number> {
  const by = ring.current()
  const wrapped = owners.map((owner) => wrapKey(by, ownerColumns(kind, owner), 'seal', version, newKey()))
  const column = kind === 'account' ? sql`account_id` : sql`user_id`
  return session.run(sql`
    insert into seaworthy.account_keys (id, ${column}, purpose, version, ring_key, wrapped)
    select id, owner, 'seal', ${version}, ${by.id}, wrapped
    from unnest(${owners.map(() => newId())}::uuid[], ${owners}::uuid[], ${wrapped}::text[]) as v(id, owner, wrapped)
    on conflict do nothing`)
}

const selectKeys = (kind: SealedColumn['kind'], owners: readonly string[]) => {
  const column = kind === 'account' ? sql`account_id` : sql`user_id`
  return sql<OwnedKey>`
    select ${column}::text as owner, purpose, version, wrapped from seaworthy.account_keys
    where ${column} = any(${owners}::uuid[]) and num_nonnulls(account_id, user_id) = 1 and purpose = 'seal' order by version desc`
}
