import { systemClock } from '@seaworthy/core'
import type { Config } from '../config/index.ts'
import { type Endpoint, loginOf, openDatabase } from '../data/index.ts'

/** The token of the link that makes the first operator; undefined where there is one. */
export async function operatorLink(endpoint: Endpoint, config: Config): Promise<string | undefined> {
  const database = openDatabase({
    endpoint,
    login: loginOf('app', config.secrets.databaseRoleSecret, endpoint),
    name: 'start',
    limits: {
      max: 1,
      waitMs: config.databaseWaitMs,
      statementMs: config.databaseQueryMs,
      transactionMs: config.databaseTransactionMs,
    },
  })
  try {
    const { makeFirstOperatorLink } = await import('../identity/index.ts')
    return await makeFirstOperatorLink(database, systemClock)
  } finally {
    await database.close()
  }
}
