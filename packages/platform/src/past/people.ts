import type { AccountId } from '@seaworthy/core'
import { type Database, sql, type Transaction } from '../data/index.ts'
import type { Erasure } from '../privacy/index.ts'

/** Who may have rows again, and who never. */
export interface People {
  readonly accounts: ReadonlySet<string>
  /** Of those that were asked for, the ones there are. */
  readonly users: ReadonlySet<string>
  /** Ids of people and accounts in the register of erasures: they stay erased, whatever a database says. */
  readonly erased: ReadonlySet<string>
}

export const erasedIds = (register: readonly Erasure[]): ReadonlySet<string> =>
  new Set(register.flatMap(({ userId, accountIds }) => [userId, ...accountIds]))

/** Accounts and people that are there now and were not erased, of those that rows name. */
export async function findPeople(
  live: Database,
  named: { readonly accounts: readonly string[]; readonly users: readonly string[] },
  erased: ReadonlySet<string>,
): Promise<People> {
  return live.withDuty(
    'identity',
    async (tx) => {
      const accounts = await tx.many(sql<{ id: string }>`
        select id from seaworthy.accounts where id = any (${named.accounts}::uuid[]) and erased_at is null`)
      const users = await tx.many(
        sql<{ id: string }>`select id from seaworthy.users where id = any (${named.users}::uuid[])`,
      )
      const there = (rows: readonly { id: string }[]) =>
        new Set(rows.map(({ id }) => id).filter((id) => !erased.has(id)))
      return { accounts: there(accounts), users: there(users), erased }
    },
    { readOnly: true },
  )
}

/** The account of the transaction, held until it ends: whoever erases it waits. Throws when it is gone. */
export async function holdAccount(tx: Transaction, accountId: AccountId | string): Promise<void> {
  await tx.run(sql`select set_config('app.account_id', ${accountId}, true), set_config('app.duty', 'identity', true)`)
  const rows = await tx.many(
    sql`select 1 from seaworthy.accounts where id = ${accountId} and erased_at is null for share`,
  )
  await tx.run(sql`select set_config('app.duty', '', true)`)
  if (rows.length === 0) throw new Error(`The account ${accountId} was erased: nothing of it comes back.`)
}
