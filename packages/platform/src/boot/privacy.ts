import { existsSync } from 'node:fs'
import { copyFile, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { MiB } from '@seaworthy/core'
import type { Config } from '../config/index.ts'
import { type Database, type Endpoint, loginOf, openDatabase } from '../data/index.ts'
import type { ScheduledTask } from '../jobs/index.ts'
import type { MediaRoom } from '../media/index.ts'
import { forgetUndo } from '../past/index.ts'
import { openErasureRegister, reapplyErasures } from '../privacy/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { openFiles } from './files.ts'

/** Before the system opens: whoever was erased and came back with an older database is erased again. */
export async function eraseAgain(config: Config, endpoint: Endpoint, log: Logger): Promise<void> {
  const register = openErasureRegister(config.dataDirectory)
  if ((await register.read()).length === 0) return
  const database = openDatabase({
    endpoint,
    login: loginOf('app', config.secrets.databaseRoleSecret, endpoint),
    name: 'start',
    limits: {
      max: 1,
      waitMs: config.databaseWaitMs,
      statementMs: config.databaseTransactionMs,
      transactionMs: config.databaseTransactionMs,
    },
  })
  try {
    const files = await openFiles(config, database)
    await eraseDue({ config, database, media: files, log })
  } finally {
    await database.close()
  }
}

interface PrivacyParts {
  readonly config: Config
  readonly database: Database
  readonly media: MediaRoom
  readonly log: Logger
}

async function eraseDue({ config, database, media, log }: PrivacyParts): Promise<void> {
  const people = await reapplyErasures({
    database,
    files: media,
    register: openErasureRegister(config.dataDirectory),
    hasFiles: (accountId) => existsSync(join(config.dataDirectory, 'blobs', accountId)),
  })
  if (people) log.warn('people who were erased had come back and were erased again', { people })
}

const LOG_BYTES_MAX = 10 * MiB

/** What the documents promise about people and logs, kept by the clock. */
export function privacySchedules(parts: PrivacyParts): readonly ScheduledTask[] {
  const path = join(parts.config.dataDirectory, 'database.log')
  return [
    { name: 'platform.erase-again', cron: '53 * * * *', run: () => eraseDue(parts) },
    {
      name: 'platform.forget-merges',
      cron: '41 * * * *',
      run: () => forgetUndo(parts.config.dataDirectory, Date.now()).then(() => undefined),
    },
    { name: 'platform.rotate-database-log', cron: '*/5 * * * *', run: () => rotate(path) },
  ]
}

/** The server holds the file open and appends, so the file stays and its content moves: one older file is kept. */
async function rotate(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined)
  if (!found || found.size < LOG_BYTES_MAX) return
  await copyFile(path, `${path}.1`)
  await truncate(path)
}
