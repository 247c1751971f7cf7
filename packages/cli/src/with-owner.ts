import { readConfig } from '@seaworthy/platform/config'
import { openDatabase, sql, type Transaction } from '@seaworthy/platform/data'
import { connectionOf } from './database.ts'
import { findPlace } from './place.ts'

/** For operators at the machine: a transaction that sees every account. */
export async function withOwner<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
  const config = readConfig(findPlace().directory)
  const database = openDatabase({
    ...connectionOf(config, 'admin'),
    name: 'command',
    limits: {
      max: 1,
      waitMs: config.databaseWaitMs,
      statementMs: config.databaseQueryMs,
      transactionMs: config.databaseTransactionMs,
    },
  })
  try {
    return await database.withDuty('operations', async (tx) => {
      await tx.run(sql`set local role seaworthy_owner`)
      return work(tx)
    })
  } finally {
    await database.close()
  }
}
