import { MINUTE } from '@seaworthy/core'
import { type Database, sql } from '../data/index.ts'
import type { MailBody } from './message.ts'

/** A mail that this process has taken; nobody else takes it until the lease ends. */
export interface TakenMail {
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly body: MailBody
  /** With this one. It is the fence: a mail that was taken again since is not ours any more. */
  readonly tries: number
  readonly createdAt: Date
}

/** Longer than one try can take. Whoever is killed with a mail in hand leaves it to others after this. */
const LEASE_MS = 3 * MINUTE

/** Several processes at once take different ones: a row that is locked is passed over, and one that is taken is not due. */
export const takeDue = (database: Database, max: number): Promise<TakenMail[]> =>
  database.withDuty('mail', (tx) =>
    tx.many<TakenMail>(sql`
      update seaworthy.mail set tries = tries + 1, due_at = clock_timestamp() + ${LEASE_MS} * interval '1 millisecond'
      where id in (
        select id from seaworthy.mail
        where state = 'waiting' and due_at <= clock_timestamp() and (expires_at is null or expires_at > clock_timestamp())
        order by due_at limit ${max} for update skip locked)
      returning id, recipient as "to", subject, body, tries, created_at as "createdAt"`),
  )

/** What it said is forgotten. */
export const markSent = ({ id, tries }: TakenMail, database: Database): Promise<number> =>
  database.withDuty('mail', (tx) =>
    tx.run(sql`
      update seaworthy.mail set state = 'sent', body = null, problem = null, ended_at = clock_timestamp()
      where id = ${id} and tries = ${tries} and state = 'waiting'`),
  )

export const markFailed = ({ id, tries }: TakenMail, problem: string, database: Database): Promise<number> =>
  database.withDuty('mail', (tx) =>
    tx.run(sql`
      update seaworthy.mail set state = 'failed', body = null, problem = ${problem}, ended_at = clock_timestamp()
      where id = ${id} and tries = ${tries} and state = 'waiting'`),
  )

export const postpone = (
  { id, tries }: TakenMail,
  problem: string,
  waitMs: number,
  database: Database,
): Promise<number> =>
  database.withDuty('mail', (tx) =>
    tx.run(sql`
      update seaworthy.mail set problem = ${problem}, due_at = clock_timestamp() + ${waitMs} * interval '1 millisecond'
      where id = ${id} and tries = ${tries} and state = 'waiting'`),
  )
