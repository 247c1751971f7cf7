import { createHash } from 'node:crypto'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseClient } from './database.ts'
import { bareEnvironment } from './environment.ts'
import { type KeptProcess, keepProcess } from './kept-process.ts'
import type { Person } from './person.ts'
import type { Rig } from './rig.ts'
import { type ProgramRun, runProgram } from './run-program.ts'
import type { Stack } from './stack.ts'

/** An operator who brings back one account or one table beside a running service. */
interface Historian {
  /** `seaworthy restore ...`, to its end. */
  restore(...args: readonly string[]): Promise<ProgramRun>
  /** The same, to be killed. */
  begin(...args: readonly string[]): KeptProcess
  /** What is left of a database of the past. */
  leftovers(): readonly string[]
}

const COMMAND_MS = 240_000

export function historianOf(rig: Rig, { dataDirectory }: Stack, store: string): Historian {
  const entry = join(rig.product, 'packages', 'cli', 'dist', 'main.js')
  const environment = { DATA_DIR: dataDirectory, BACKUP_STORES: store }
  return {
    restore: (...args) =>
      runProgram(process.execPath, [entry, 'restore', ...args], { environment, timeoutMs: COMMAND_MS }),
    begin: (...args) =>
      keepProcess(process.execPath, [entry, 'restore', ...args], { env: { ...bareEnvironment(), ...environment } }),
    leftovers: () => ['looking'].filter((name) => existsSync(join(dataDirectory, 'recovery', name))),
  }
}

/** An instant of whole milliseconds, as people name one: after all that was done, and over before anything else is. */
export async function instantNow(admin: DatabaseClient): Promise<string> {
  const { rows } = await admin.query<{ at: Date }>(
    "select date_trunc('milliseconds', clock_timestamp() + interval '1 ms') as at, pg_sleep(0.002)",
  )
  return rows[0]?.at.toISOString() ?? ''
}

/** How the rows of an account look in each table that has any: the catalogue says which tables there are, not we. */
export async function looksOf(admin: DatabaseClient, { accountId }: Person): Promise<Readonly<Record<string, string>>> {
  const { rows: tables } = await admin.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     join pg_attribute a on a.attrelid = c.oid and a.attname = 'account_id' and not a.attisdropped
     where c.relkind in ('r', 'p') and not c.relispartition and n.nspname in ('seaworthy', 'cosnap')`,
  )
  const looks: Record<string, string> = {}
  for (const { name } of tables) {
    const { rows } = await admin.query<{ look: string | null }>(
      `select md5(string_agg(t::text, ',' order by t::text)) as look from ${name} t where account_id = $1`,
      [accountId],
    )
    if (rows[0]?.look) looks[name] = rows[0].look
  }
  return looks
}

/** What the janitor does with files that nobody has referred to for a day. */
export async function forgetUnused(
  admin: DatabaseClient,
  { dataDirectory }: Stack,
  { accountId }: Person,
): Promise<number> {
  const { rows } = await admin.query<{ hash: string }>(
    'delete from seaworthy.blobs where account_id = $1 and unused_since is not null returning hash',
    [accountId],
  )
  for (const { hash } of rows) rmSync(join(dataDirectory, 'blobs', accountId, hash.slice(0, 2), hash))
  return rows.length
}

interface ShownPhoto {
  readonly id: string
  readonly name: string
  readonly picture: { readonly full: string }
}

/** What a person sees of their photos: names, and hashes of the pictures themselves. */
export async function seePhotos({ url }: Stack, person: Person): Promise<Readonly<Record<string, string>>> {
  const { items } = await person.json<{ items: readonly ShownPhoto[] }>('/api/cosnap/photos?limit=50')
  const seen: Record<string, string> = {}
  for (const {
    id,
    name,
    picture: { full },
  } of items) {
    const picture = await fetch(new URL(full, url))
    const hash = createHash('sha256')
      .update(Buffer.from(await picture.arrayBuffer()))
      .digest('hex')
    seen[id] = `${name} ${picture.status} ${hash}`
  }
  return seen
}

/** Ids of merges that can be undone. */
export const mergesOf = ({ dataDirectory }: Stack): readonly string[] => {
  const folder = join(dataDirectory, 'recovery', 'merged')
  return existsSync(folder) ? readdirSync(folder) : []
}
