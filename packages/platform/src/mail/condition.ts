import { type Database, sql } from '../data/index.ts'

/** Long enough for a mail server to be restarted. */
const LATE_MINUTES = 5

interface Condition {
  readonly late: number
  readonly sent: boolean
  readonly problem: string | null
}

/**
 * Throws, in an operator's words, when mail waits for minutes and none goes out. One address that takes no mail is no
 * problem of ours: anybody can sign up with one.
 */
export async function checkMail(database: Database): Promise<void> {
  const { late, sent, problem } = await database.withDuty(
    'mail',
    (tx) =>
      tx.one<Condition>(sql`
        select count(*)::int as late, (array_agg(problem order by due_at desc))[1] as problem,
          exists (select 1 from seaworthy.mail where state = 'sent' and ended_at > clock_timestamp() - ${LATE_MINUTES} * interval '1 minute') as sent
        from seaworthy.mail
        where state = 'waiting' and created_at < clock_timestamp() - ${LATE_MINUTES} * interval '1 minute'
          and (expires_at is null or expires_at > clock_timestamp())`),
    { readOnly: true },
  )
  if (late === 0 || sent) return
  throw new Error(`${late} mails wait and none goes out: ${problem ?? 'does a worker process run?'}`)
}
