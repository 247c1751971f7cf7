import { type AccountId, type Caller, fault, newId, type Role } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'
import { accessFor } from './entry.ts'
import type { Access, Also, Parts } from './parts.ts'
import { knownOf, readSession } from './sessions.ts'

/** Everybody has a personal account; others are shared, and a sign-in works in one of them at a time. */
export interface Accounts {
  /** A shared account of which the caller is the owner. Throws `conflict` when the caller has made too many. */
  create(caller: Caller, name: string, also?: Also): Promise<{ readonly id: AccountId }>
  /** Those that the caller belongs to, the personal one first. */
  list(caller: Caller): Promise<readonly AccountListed[]>
  /** The account that the caller works in. Throws `not_found` for any other. */
  rename(caller: Caller, accountId: AccountId, name: string, also?: Also): Promise<void>
  /** The same sign-in goes on in another account. Throws `not_found` when the caller is no member of it. */
  switchTo(caller: Caller, accountId: AccountId, also?: Also): Promise<Access>
}

export interface AccountListed {
  readonly id: AccountId
  readonly name: string
  readonly role: Role
  readonly personal: boolean
  readonly members: number
}

const MADE_MAX = 20

export function accountsOf(parts: Parts): Accounts {
  const { database } = parts.settings
  return {
    create: (caller, name, also) =>
      database.withDuty('identity', (tx) => makeAccount(parts, tx, { caller, name, also })),
    list: (caller) => database.withDuty('identity', (tx) => listAccounts(tx, caller), { readOnly: true }),
    rename: (caller, accountId, name, also) =>
      database.withDuty('identity', async (tx) => {
        if (accountId !== caller.accountId) throw fault('not_found')
        await tx.run(sql`update seaworthy.accounts set name = ${name} where id = ${accountId}`)
        await also?.(tx, caller)
      }),
    switchTo: async (caller, accountId, also) => {
      const known = await database.withDuty('identity', (tx) => switchAccount(parts, tx, { caller, accountId, also }))
      return accessFor(parts, known)
    },
  }
}

interface NewShared {
  readonly caller: Caller
  readonly name: string
  readonly also: Also | undefined
}

async function makeAccount({ settings }: Parts, tx: Transaction, { caller, name, also }: NewShared) {
  // The person's row is the queue in which several at once wait.
  await tx.one(sql`select 1 from seaworthy.users where id = ${caller.userId} for no key update`)
  const { made } = await tx.one<{ made: number }>(
    sql`select count(*)::int as made from seaworthy.accounts where made_by = ${caller.userId}`,
  )
  if (made >= MADE_MAX) throw fault('conflict', { detail: `A person may make ${MADE_MAX} accounts.` })
  const id = newId() as AccountId
  await tx.run(sql`insert into seaworthy.accounts (id, name, made_by) values (${id}, ${name}, ${caller.userId})`)
  await tx.run(
    sql`insert into seaworthy.memberships (account_id, user_id, role) values (${id}, ${caller.userId}, 'owner')`,
  )
  await settings.onAccountCreated?.(tx, { id, personal: false })
  await also?.(tx, { ...caller, accountId: id, role: 'owner' })
  return { id }
}

const listAccounts = (tx: Transaction, { userId }: Caller): Promise<AccountListed[]> =>
  tx.many<AccountListed>(sql`
    select a.id, a.name, m.role, a.personal_user_id is not null as personal,
      (select count(*)::int from seaworthy.memberships o where o.account_id = a.id) as members
    from seaworthy.memberships m join seaworthy.accounts a on a.id = m.account_id
    where m.user_id = ${userId} order by personal desc, lower(a.name), a.id`)

interface Switch {
  readonly caller: Caller
  readonly accountId: AccountId
  readonly also: Also | undefined
}

/** Tokens for the account before are refused from now on: their holder fetches one for this account. */
async function switchAccount(parts: Parts, tx: Transaction, { caller, accountId, also }: Switch) {
  // Held until the commit: whoever removes the member meanwhile waits, and then finds the sign-in here.
  await tx.one(
    sql`select 1 from seaworthy.memberships where account_id = ${accountId} and user_id = ${caller.userId} for share`,
  )
  await tx.run(sql`
    update seaworthy.sessions set account_id = ${accountId}, version = version + 1, changed_at = clock_timestamp()
    where id = ${caller.sessionId} and revoked_at is null`)
  const row = await readSession(tx, caller.sessionId)
  if (!row || row.revoked_at) throw fault('unauthenticated')
  tx.afterCommit(() => parts.revocations.change(row.id, row.version))
  const known = knownOf(row)
  await also?.(tx, known.caller)
  return known
}
