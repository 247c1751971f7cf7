import { type AccountId, fault } from '@seaworthy/core'
import { type Database, sql, type Transaction } from '../data/index.ts'

/** A job that failed for good, and what it was to do. */
export interface DeadLetter {
  readonly id: string
  readonly accountId: AccountId
  readonly task: string
  readonly input: unknown
  readonly attempts: number
  readonly errorCode: string | null
  readonly createdAt: Date
  readonly finishedAt: Date
}

const columns = sql`id, account_id as "accountId", task, input, attempts, error_code as "errorCode", created_at as "createdAt", finished_at as "finishedAt"`

/** Of all accounts, the newest first. For operators. */
export function listDeadLetters(database: Database, limit: number): Promise<DeadLetter[]> {
  return database.withDuty('operations', (tx) =>
    tx.many<DeadLetter>(
      sql`select ${columns} from seaworthy.jobs where state = 'dead' order by finished_at desc limit ${limit}`,
    ),
  )
}

/**
 * Gives a job another life, with as many tries as it had at first. For operators.
 * @param prepare In the same transaction: takes again what was given back when the job died.
 * @throws `not_found` when there is no such dead job, or somebody revived it in between.
 */
export async function replayDeadLetter(
  database: Database,
  id: string,
  attemptsOf: (task: string) => number,
  prepare: (letter: DeadLetter, tx: Transaction) => Promise<void>,
): Promise<void> {
  const letter = await database.withDuty('operations', (tx) =>
    tx.one<DeadLetter>(sql`select ${columns} from seaworthy.jobs where state = 'dead' and id = ${id}`),
  )
  await database.withCaller({ accountId: letter.accountId }, async (tx) => {
    await tx.run(sql`set local app.duty = 'operations'`)
    const { revived } = await tx.one<{ revived: boolean }>(
      sql`select seaworthy_queue.revive(${id}, ${attemptsOf(letter.task)}) as revived`,
    )
    if (!revived) throw fault('not_found', { internal: `the job ${id} is not dead any more` })
    await prepare(letter, tx)
  })
}
