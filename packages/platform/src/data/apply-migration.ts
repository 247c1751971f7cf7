import { backoffMs, pause } from '@seaworthy/core'
import type { PgSingleClient } from './drivers/pg.ts'
import { type Migration, whyNoTransaction } from './migration.ts'
import { isLockTimeout } from './sqlstate.ts'
import { splitStatements } from './statements.ts'
import { type BuiltIndex, dropInvalidIndex, indexBuiltBy, isIndexValid } from './unfinished-index.ts'

/** Whoever waits for a table holds up everybody behind it: rather give up soon, and come again. */
const LOCK_WAIT_MS = 300
const LOCK_TRIES = 60
const RETRY_BASE_MS = 100
const RETRY_MAX_MS = 2_000
/** Building an index concurrently waits for old transactions, and holds up nobody meanwhile. */
const CONCURRENT_WAIT = '10min'

/**
 * Applies one file and records it. Throws when it fails; nothing of it stays then, unless the file runs without
 * transaction: its next start finishes it.
 * @param text The file with the names of the roles filled in.
 */
export async function applyMigration(client: PgSingleClient, migration: Migration, text: string): Promise<void> {
  try {
    if (whyNoTransaction(migration)) await applyAlone(client, migration, text)
    else await whenFree(() => applyWhole(client, migration, text))
  } catch (error) {
    throw new Error(`The migration ${migration.app}/${migration.name} ${describe(migration, error)}`, { cause: error })
  }
}

function describe(migration: Migration, error: unknown): string {
  const { message } = error as Error
  if (isLockTimeout(error))
    return `found its table held by another transaction ${LOCK_TRIES} times and was undone.\n    HINT: select pid, xact_start, query from pg_stat_activity order by xact_start; end the oldest, start again.`
  return whyNoTransaction(migration)
    ? `failed: ${message}\n    HINT: it runs without transaction; mend what it says, and the next start finishes it.`
    : `failed and was undone: ${message}`
}

async function applyWhole(client: PgSingleClient, migration: Migration, text: string): Promise<void> {
  try {
    await client.query(`begin; set local lock_timeout = ${LOCK_WAIT_MS}`)
    await client.query(text)
    await record(client, migration)
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {
      // The connection is gone, and the transaction with it.
    })
    throw error
  }
}

/** Its one statement commits by itself. A mark before it tells the next start whose leftovers it finds. */
async function applyAlone(client: PgSingleClient, migration: Migration, text: string): Promise<void> {
  const [statement, ...more] = splitStatements(text)
  if (!statement || more.length)
    throw new Error(`a file without transaction holds exactly one statement, not ${more.length + (statement ? 1 : 0)}`)
  const index = indexBuiltBy(statement.text)
  const isOurs = await isBegun(client, migration)
  if (!(isOurs && index && (await isIndexValid(client, index)))) {
    await mark(client, migration)
    await whenFree(() => runAlone(client, statement.text, index)).catch(async (error: unknown) => {
      // Seen by us, so the next start need not wonder; an index that is not valid shows by itself.
      await unmark(client, migration).catch(() => {
        // The connection is gone: as after a kill, the mark stays.
      })
      throw error
    })
  }
  await client.query('begin')
  await record(client, migration)
  await unmark(client, migration)
  await client.query('commit')
}

async function runAlone(client: PgSingleClient, statement: string, index: BuiltIndex | undefined): Promise<void> {
  const wait = /\bconcurrently\b/i.test(statement) ? CONCURRENT_WAIT : LOCK_WAIT_MS
  await client.query(`set lock_timeout = '${wait}'`)
  try {
    if (index) await dropInvalidIndex(client, index)
    await client.query(statement)
  } finally {
    await client.query('reset lock_timeout')
  }
}

/** Another try, later each time, when a table was held by somebody else. */
async function whenFree(attempt: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (tries >= LOCK_TRIES || !isLockTimeout(error)) throw error
      await pause(backoffMs(tries, RETRY_BASE_MS, RETRY_MAX_MS))
    }
  }
}

const record = (client: PgSingleClient, { app, name, checksum }: Migration) =>
  client.query('insert into seaworthy.migrations (app, name, checksum) values ($1, $2, $3)', [app, name, checksum])

const mark = (client: PgSingleClient, { app, name }: Migration) =>
  client.query('insert into seaworthy.migrations_begun (app, name) values ($1, $2) on conflict do nothing', [app, name])

const unmark = (client: PgSingleClient, { app, name }: Migration) =>
  client.query('delete from seaworthy.migrations_begun where app = $1 and name = $2', [app, name])

async function isBegun(client: PgSingleClient, { app, name }: Migration): Promise<boolean> {
  const found = await client.query('select 1 from seaworthy.migrations_begun where app = $1 and name = $2', [app, name])
  return found.rowCount === 1
}
