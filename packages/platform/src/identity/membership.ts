import { type AccountId, type Caller, fault, type Role } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'

export const MEMBERS_MAX = 200

/** The account's row is the queue in which all who change its members wait, so that each sees what the one before did. */
export async function lockMembers(tx: Transaction, accountId: AccountId): Promise<void> {
  await tx.one(sql`select 1 from seaworthy.accounts where id = ${accountId} for no key update`)
}

/** What the caller is now, which may be less than their token says. Throws `forbidden`. */
export async function roleNow(tx: Transaction, { accountId, userId }: Caller): Promise<Role> {
  const found = await tx.maybe<{ role: Role }>(
    sql`select role from seaworthy.memberships where account_id = ${accountId} and user_id = ${userId}`,
  )
  if (!found) throw fault('forbidden', { detail: 'You are no member of this account any more.' })
  return found.role
}
