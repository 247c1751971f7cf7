import type { Caller, UserId } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'

/** Somebody with an account, whether signed in or not. */
export interface Person {
  readonly userId: UserId
  readonly email: string
  /** They have shown that they read the mail of this address. */
  readonly verified: boolean
  /** As whom the audit line of what they do by a link is written: signed in nowhere, and not for tokens. */
  readonly caller: Caller
}

interface Row extends Omit<Person, 'caller'> {
  readonly accountId: Caller['accountId']
  readonly operator: boolean
}

const columns = sql`u.id as "userId", u.email, u.email_verified_at is not null as verified, u.operator, a.id as "accountId" from seaworthy.users u join seaworthy.accounts a on a.personal_user_id = u.id`

/** Locked until the transaction ends, so that two changes of one person go one by one. Throws `not_found`. */
export const personOf = async (tx: Transaction, userId: UserId): Promise<Person> =>
  toPerson(await tx.one<Row>(sql`select ${columns} where u.id = ${userId} for no key update of u`))

export async function findPersonByEmail(tx: Transaction, email: string): Promise<Person | undefined> {
  const row = await tx.maybe<Row>(
    sql`select ${columns} where u.id = seaworthy.user_by_address(${email.trim()}) for no key update of u`,
  )
  return row && toPerson(row)
}

const toPerson = ({ accountId, operator, ...person }: Row): Person => ({
  ...person,
  caller: {
    userId: person.userId,
    accountId,
    role: 'owner',
    sessionId: '',
    authenticatedAtMs: 0,
    secondFactor: false,
    operator,
  },
})
