import { sql, type Transaction } from '../data/index.ts'
import type { MailBody } from './message.ts'

type MailState = 'waiting' | 'sent' | 'failed' | 'expired'

export interface ListedMail {
  readonly id: string
  readonly to: string
  readonly subject: string
  readonly state: MailState
  readonly tries: number
  readonly problem: string | null
  readonly createdAt: Date
  readonly endedAt: Date | null
}

export interface ReadMail extends ListedMail {
  /** Null once it was sent, could not be sent, or is of no use any more. */
  readonly body: MailBody | null
}

const columns = sql`id, recipient as "to", subject, state, tries, problem, created_at as "createdAt", ended_at as "endedAt"`

/** The newest first, after the one of this id. For the duty `operations`. */
export const listMail = (tx: Transaction, limit: number, after?: string): Promise<ListedMail[]> =>
  tx.many<ListedMail>(sql`
    select ${columns} from seaworthy.mail where ${after ?? null}::uuid is null or id < ${after ?? null}::uuid
    order by id desc limit ${limit}`)

/** Throws `not_found`. For the duty `operations`. */
export const readMail = (tx: Transaction, id: string): Promise<ReadMail> =>
  tx.one<ReadMail>(sql`
    select ${columns}, case when expires_at is null or expires_at > clock_timestamp() then body end as body
    from seaworthy.mail where id = ${id}`)

/** How long an operator can see that a mail was sent. */
const KEPT_DAYS = 30

/**
 * Erases what is of no use any more and removes what is old, at most `rowsMax` of each. For the duty `mail`.
 *
 * @returns how many rows were changed.
 */
export async function eraseOldMail(tx: Transaction, rowsMax: number): Promise<number> {
  const erased = await tx.run(sql`
    update seaworthy.mail set state = 'expired', body = null, ended_at = clock_timestamp() where id in (
      select id from seaworthy.mail where state = 'waiting' and expires_at < clock_timestamp() limit ${rowsMax} for update skip locked)`)
  const removed = await tx.run(sql`
    delete from seaworthy.mail where id in (
      select id from seaworthy.mail where created_at < now() - ${KEPT_DAYS} * interval '1 day' limit ${rowsMax} for update skip locked)`)
  return erased + removed
}
