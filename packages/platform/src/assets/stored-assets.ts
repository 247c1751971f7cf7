import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MiB } from '@seaworthy/core'
import { type Database, sql } from '../data/index.ts'

const KEPT_DAYS = 30
/** Beyond this, what was not seen for longest goes first. */
const KEPT_BYTES_MAX = 256 * MiB
/** Whatever their size: of a release that runs, or ran a moment ago. */
const SPARED_DAYS = 2

/** The names of all that is kept. */
export async function readNames(database: Database): Promise<ReadonlySet<string>> {
  const rows = await database.withDuty(
    'assets',
    (tx) => tx.many<{ name: string }>(sql`select name from seaworthy.web_assets`),
    { readOnly: true },
  )
  return new Set(rows.map(({ name }) => name))
}

/** Undefined when it is not kept any more. */
export async function readBody(database: Database, name: string): Promise<Buffer | undefined> {
  const [row] = await database.withDuty(
    'assets',
    (tx) => tx.many<{ body: Buffer }>(sql`select body from seaworthy.web_assets where name = ${name}`),
    { readOnly: true },
  )
  return row?.body
}

/**
 * All of a release or nothing; what another release has brought stays as it is. In the order of the names, so that two
 * processes that begin together do not wait for each other in a circle. How many are new.
 */
export async function keepFiles(database: Database, directory: string, names: readonly string[]): Promise<number> {
  const kept = await readNames(database)
  const missing = names.filter((name) => !kept.has(name))
  return database.withDuty('assets', async (tx) => {
    for (const name of missing)
      await tx.run(sql`
        insert into seaworthy.web_assets (name, body) values (${name}, ${await readFile(join(directory, name))})
        on conflict (name) do nothing`)
    // Not at each start of each process.
    await tx.run(sql`
      update seaworthy.web_assets set seen_at = now()
      where name = any(${names}) and seen_at < now() - interval '1 hour'`)
    return missing.length
  })
}

/** Removes what no release that was seen lately has. How many files. */
export const sweepKeptAssets = (database: Database, bytesMax: number = KEPT_BYTES_MAX): Promise<number> =>
  database.withDuty('assets', (tx) =>
    tx.run(sql`
      delete from seaworthy.web_assets where seen_at < now() - ${KEPT_DAYS} * interval '1 day' or name in (
        select name from (
          select name, sum(octet_length(body)) over (order by seen_at desc, name) as newer_bytes from seaworthy.web_assets
        ) sized
        where newer_bytes > ${bytesMax}
      ) and seen_at < now() - ${SPARED_DAYS} * interval '1 day'`),
  )
