import { fault, newId } from '@seaworthy/core'
import { LRUCache } from 'lru-cache'
import { sql, type Transaction } from '../data/index.ts'
import { newKey } from './cipher.ts'
import type { KeyRing } from './key-ring.ts'
import { columnsOf, nameOf, type Owner, type OwnerColumns, ownedBy, type Purpose } from './place.ts'
import { unwrapKey, type WrappedKey, wrapKey } from './wrap.ts'

export interface DataKey {
  readonly version: number
  readonly bytes: Buffer
}

/** Data keys by owner: unwrapped once, kept in memory for a while, a bounded number of them. */
export interface DataKeys {
  /** The newest key, made now if there is none. */
  newest(tx: Transaction, owner: Owner, purpose: Purpose): Promise<DataKey>
  /** The key of this version, or the newest; undefined when there is none. */
  find(tx: Transaction, owner: Owner, purpose: Purpose, version?: number): Promise<DataKey | undefined>
  forget(owner: Owner): void
}

export interface DataKeySettings {
  readonly ring: KeyRing
  /** Owners whose keys are kept in memory. */
  readonly ownersMax?: number
  /** How long a process may go on sealing with a key after a newer one was made. In milliseconds. */
  readonly keptMs?: number
}

const OWNERS_MAX = 10_000
/** How long a key stays in the memory of a process, in milliseconds. */
export const KEPT_MS = 15_000

type Keys = readonly DataKey[]

export function openDataKeys({ ring, ownersMax = OWNERS_MAX, keptMs = KEPT_MS }: DataKeySettings): DataKeys {
  const kept = new LRUCache<string, Keys>({ max: ownersMax * 2, ttl: keptMs })
  // A key that this transaction made is nobody's until the commit: it may still be undone.
  const unsettled = new WeakMap<Transaction, Set<string>>()
  const nameFor = (owner: OwnerColumns, purpose: Purpose): string => `${purpose} ${nameOf(owner)}`

  async function load(tx: Transaction, owner: OwnerColumns, purpose: Purpose): Promise<Keys> {
    const name = nameFor(owner, purpose)
    const keys = (await tx.many(selectKeys(owner, purpose))).map((row) => ({
      version: row.version,
      bytes: unwrapKey(ring, owner, row),
    }))
    if (keys.length > 0 && !unsettled.get(tx)?.has(name)) kept.set(name, keys)
    return keys
  }

  async function keysOf(tx: Transaction, owner: OwnerColumns, purpose: Purpose): Promise<Keys> {
    return kept.get(nameFor(owner, purpose)) ?? load(tx, owner, purpose)
  }

  return {
    newest: async (tx, of, purpose) => {
      const owner = columnsOf(of)
      const [found] = await keysOf(tx, owner, purpose)
      if (found) return found
      const mine = unsettled.get(tx) ?? new Set()
      unsettled.set(tx, mine.add(nameFor(owner, purpose)))
      await makeKey(tx, ring, owner, purpose, 1)
      const [made] = await load(tx, owner, purpose)
      if (!made)
        throw fault('unavailable', {
          internal: `no ${purpose} key could be made for ${nameOf(owner)}: the database does not know the key ${ring.current().id}`,
        })
      return made
    },
    find: async (tx, of, purpose, version) => {
      const owner = columnsOf(of)
      const pick = (keys: Keys): DataKey | undefined =>
        version === undefined ? keys[0] : keys.find((key) => key.version === version)
      const known = pick(await keysOf(tx, owner, purpose))
      // Made by another process since this one looked.
      return known ?? (version === undefined ? undefined : pick(await load(tx, owner, purpose)))
    },
    forget: (of) => {
      for (const purpose of ['seal', 'index'] as const) kept.delete(nameFor(columnsOf(of), purpose))
    },
  }
}

const selectKeys = (owner: OwnerColumns, purpose: Purpose) => sql<WrappedKey>`
  select purpose, version, wrapped from seaworthy.account_keys
  where ${ownedBy(owner)} and purpose = ${purpose} order by version desc`

/** Does nothing when another transaction has made this version, or when the ring's current key was retired. */
async function makeKey(
  tx: Pick<Transaction, 'run'>,
  ring: KeyRing,
  owner: OwnerColumns,
  purpose: Purpose,
  version: number,
): Promise<void> {
  const by = ring.current()
  const wrapped = wrapKey(by, owner, purpose, version, newKey())
  await tx.run(sql`
    insert into seaworthy.account_keys (id, account_id, user_id, purpose, version, ring_key, wrapped)
    select ${newId()}::uuid, ${owner.account}::uuid, ${owner.user}::uuid, ${purpose}, ${version}, id, ${wrapped}
    from seaworthy.ring_keys where id = ${by.id}
    on conflict do nothing`)
}
