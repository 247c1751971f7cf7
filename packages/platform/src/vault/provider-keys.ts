import { type AccountCaller, fault, newId, Secret } from '@seaworthy/core'
import { type Sealed, sql, type Transaction } from '../data/index.ts'
import type { Place } from './place.ts'
import type { Vault } from './vault.ts'

/** What may be seen of a key that an account keeps for a provider. */
export interface ProviderKey {
  readonly id: string
  readonly name: string
  readonly lastFour: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

interface Row {
  readonly id: string
  readonly name: string
  readonly secret: Sealed
  readonly created_at: Date
  readonly updated_at: Date
}

/** Keys that one account may keep. */
const KEYS_MAX = 50
const SHOWN = 4

const placeOf = (caller: AccountCaller, id: string): Place => ({
  table: 'seaworthy.provider_keys',
  column: 'secret',
  row: id,
  accountId: caller.accountId,
})

export async function listProviderKeys(vault: Vault, tx: Transaction, caller: AccountCaller): Promise<ProviderKey[]> {
  const rows = await tx.many(sql<Row>`
    select id, name, secret, created_at, updated_at from seaworthy.provider_keys
    where account_id = ${caller.accountId} order by name limit ${KEYS_MAX * 2}`)
  const shown: ProviderKey[] = []
  for (const row of rows) shown.push(toShown(row, await vault.open(tx, placeOf(caller, row.id), row.secret)))
  return shown
}

/** Keeps a key under its name; one that was there under this name is replaced. Throws `quota_exceeded` after fifty. */
export async function putProviderKey(
  vault: Vault,
  tx: Transaction,
  caller: AccountCaller,
  { name, secret }: { readonly name: string; readonly secret: Secret },
): Promise<ProviderKey> {
  const [id, text] = [newId(), secret.reveal()]
  const sealed = await vault.seal(tx, placeOf(caller, id), text)
  const made = await tx.maybe(sql<Row>`
    insert into seaworthy.provider_keys (id, account_id, name, secret)
    select ${id}::uuid, ${caller.accountId}::uuid, ${name}, ${sealed}
    where (select count(*) from seaworthy.provider_keys where account_id = ${caller.accountId} and name <> ${name}) < ${KEYS_MAX}
    on conflict (account_id, name) do nothing returning *`)
  if (made) return toShown(made, text)
  const existing = await tx.maybe(sql<Row>`
    select * from seaworthy.provider_keys where account_id = ${caller.accountId} and name = ${name} for update`)
  if (!existing)
    throw fault('quota_exceeded', { detail: `An account keeps at most ${KEYS_MAX} keys. Delete one first.` })
  // Sealed for the row in which it stands: the one that was made for a new row opens nowhere else.
  const again = await vault.seal(tx, placeOf(caller, existing.id), text)
  const row = await tx.one(
    sql<Row>`update seaworthy.provider_keys set secret = ${again}, updated_at = now() where id = ${existing.id} returning *`,
  )
  return toShown(row, text)
}

/** Throws `not_found` when the account has none with this id. */
export async function deleteProviderKey(tx: Transaction, caller: AccountCaller, id: string): Promise<void> {
  await tx.one(
    sql`delete from seaworthy.provider_keys where account_id = ${caller.accountId} and id = ${id} returning id`,
  )
}

/** For a job that calls the provider on behalf of the account; undefined when the account keeps none of this name. */
export async function readProviderKey(
  vault: Vault,
  tx: Transaction,
  caller: AccountCaller,
  name: string,
): Promise<Secret | undefined> {
  const row = await tx.maybe(sql<Pick<Row, 'id' | 'secret'>>`
    select id, secret from seaworthy.provider_keys where account_id = ${caller.accountId} and name = ${name}`)
  return row && new Secret(await vault.open(tx, placeOf(caller, row.id), row.secret))
}

const toShown = ({ id, name, created_at, updated_at }: Row, text: string): ProviderKey => ({
  id,
  name,
  lastFour: text.slice(-SHOWN),
  createdAt: created_at,
  updatedAt: updated_at,
})
