import { randomUUID } from 'node:crypto'
import type { DatabaseClient } from './database.ts'
import type { Person } from './person.ts'

/** More credits than the gift, for experiments with many effects: a line of the ledger, as administrators write it. */
export async function giveCredits(admin: DatabaseClient, person: Person, amount: number): Promise<void> {
  const id = randomUUID()
  await admin.query(
    `insert into seaworthy.ledger (id, account_id, kind, from_book, to_book, amount, reference)
     values ($1, $2, 'grant', 'gifts', 'available', $3, $4)`,
    [id, person.accountId, amount, `proof:${id}`],
  )
}

/** What an account has in its books: one row for each effect that was paid, set aside or given back. */
export interface Books {
  readonly runs: number
  readonly done: number
  readonly holds: number
  readonly captures: number
  readonly releases: number
  /** Settled more than once. */
  readonly twice: number
}

export async function booksOf(admin: DatabaseClient, person: Person): Promise<Books> {
  const { rows } = await admin.query<Books>(
    `select (select count(*)::int from cosnap.runs where account_id = $1) as runs,
       (select count(*)::int from cosnap.runs where account_id = $1 and state = 'done') as done,
       count(*) filter (where kind = 'hold')::int as holds,
       count(*) filter (where kind = 'capture')::int as captures,
       count(*) filter (where kind = 'release')::int as releases,
       (count(*) filter (where hold_id is not null) - count(distinct hold_id))::int as twice
     from seaworthy.ledger where account_id = $1`,
    [person.accountId],
  )
  const [books] = rows
  if (!books) throw new Error('the ledger did not answer')
  return books
}
