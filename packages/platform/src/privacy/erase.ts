import { type AccountId, fault, pause, SECOND, type UserId } from '@seaworthy/core'
import { recordEvent } from '../audit/index.ts'
import { type Database, sql } from '../data/index.ts'
import type { MediaRoom } from '../media/index.ts'
import { findPerson } from './export.ts'
import type { Erasure, ErasureRegister } from './register.ts'

export interface ErasureParts {
  readonly database: Database
  readonly files: Pick<MediaRoom, 'forgetAccount'>
  readonly register: ErasureRegister
}

/** Every process asks twice a second which sign-ins were ended; rows that are gone could tell nobody. */
const REVOCATION_MS = 1.5 * SECOND
const LAST_OWNER = 'SW001'

/**
 * Removes a person for good: sign-ins, rows, files. The ledger stays, without the person. First written down outside the
 * database, so that it is finished and done again whatever happens to this process or to the database.
 * @throws `conflict` when other people would be left in an account without an owner.
 */
export async function erasePerson(parts: ErasureParts, userId: UserId): Promise<void> {
  const { database, register } = parts
  await refuseLastOwner(database, userId)
  const person = await findPerson(database, { userId })
  if (!person) throw fault('not_found', { detail: 'There is no such person.' })
  await database.withDuty('identity', (tx) =>
    tx.run(sql`update seaworthy.sessions set revoked_at = clock_timestamp(), revoked_why = 'ended'
      where user_id = ${userId} and revoked_at is null`),
  )
  const erasure = { ...person, at: new Date().toISOString(), state: 'asked' as const }
  await register.add(erasure)
  await pause(REVOCATION_MS)
  await eraseNow(parts, erasure)
}

/** Before anything is removed: afterwards it would be too late to say no. */
async function refuseLastOwner(database: Database, userId: UserId): Promise<void> {
  const left = await database.withDuty('identity', (tx) =>
    tx.many(sql`
      select 1 from seaworthy.memberships m where m.user_id = ${userId} and m.role = 'owner'
        and exists (select 1 from seaworthy.memberships o where o.account_id = m.account_id and o.user_id <> m.user_id)
        and not exists (select 1 from seaworthy.memberships o where o.account_id = m.account_id and o.user_id <> m.user_id and o.role = 'owner')
        and m.account_id not in (select a from seaworthy.accounts_alone(${userId}) a) limit 1`),
  )
  if (left.length) throw lastOwner()
}

const lastOwner = () =>
  fault('conflict', {
    detail: 'You are the only owner of an account with other people in it. Make another one the owner first.',
  })

async function eraseNow({ database, files, register }: ErasureParts, erasure: Erasure): Promise<void> {
  const { userId, accountIds } = erasure
  const erased = await database
    .withDuty('identity', async (tx) => {
      const { accounts } = await tx.one<{ accounts: AccountId[] }>(
        sql`select seaworthy.erase_person(${userId}, ${accountIds}::uuid[]) as accounts`,
      )
      for (const accountId of accounts)
        await recordEvent(tx, { action: 'person_erased', outcome: 'done', accountId, userId })
      return accounts
    })
    .catch((error: unknown) => {
      throw (error as { code?: string }).code === LAST_OWNER ? lastOwner() : error
    })
  for (const accountId of new Set([...accountIds, ...erased])) await files.forgetAccount(accountId)
  await register.add({ userId, accountIds: erased, at: new Date().toISOString(), state: 'done' })
}

/**
 * Erases again who has come back with an older database or older files, and finishes what was begun. Before the system
 * opens, and now and then. Returns how many people it was.
 */
export async function reapplyErasures(
  parts: ErasureParts & { readonly hasFiles?: (accountId: AccountId) => boolean },
): Promise<number> {
  const register = await parts.register.read()
  if (register.length === 0) return 0
  const rows = await parts.database.withDuty('identity', (tx) =>
    tx.many<{ id: string }>(sql`select distinct l as id from seaworthy.people_left(
      ${register.map((erasure) => erasure.userId)}::uuid[], ${register.flatMap((erasure) => erasure.accountIds)}::uuid[]) l`),
  )
  const left = new Set(rows.map(({ id }) => id))
  const due = register.filter(
    ({ userId, accountIds, state }) =>
      state === 'asked' ||
      left.has(userId) ||
      accountIds.some((accountId) => left.has(accountId) || parts.hasFiles?.(accountId)),
  )
  for (const erasure of due) await eraseNow(parts, erasure)
  return due.length
}
