import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Secret } from '@seaworthy/core'
import { type Endpoint, type Login, openClient, type PgSingleClient } from './drivers/pg.ts'
import { type DatabaseRole, databaseRoles, loginOf, OWNER } from './roles.ts'

/** Where an app, or the platform, keeps its numbered SQL files. */
export interface MigrationSource {
  readonly app: string
  readonly directory: URL
}

export interface Migration {
  readonly app: string
  /** `0001-photos.sql` */
  readonly name: string
  readonly text: string
  readonly checksum: string
}

const LOCK = 7305810
const fileForm = /^\d{4}-[a-z0-9-]+\.sql$/

export const platformMigrations: MigrationSource = {
  app: 'platform',
  directory: new URL('../../migrations/', import.meta.url),
}

/**
 * Applies what is not applied yet, in order, each in a transaction of its own, under one lock for all processes.
 * Throws when an applied file was changed or is missing. Returns what was applied now.
 */
export async function migrateToLatestOrThrow(
  endpoint: Endpoint,
  admin: Login,
  secret: Secret,
  sources: readonly MigrationSource[],
): Promise<readonly Migration[]> {
  const client = await openClient(endpoint, admin, 'migrate')
  try {
    await client.query('select pg_advisory_lock($1)', [LOCK])
    await prepareQueueSchemas(client, loginOf('worker', secret, endpoint).user)
    await client.query(`set role ${OWNER}`)
    await prepareHistory(client)
    const done: Migration[] = []
    for (const source of sources) {
      for (const migration of await pending(client, source)) {
        await apply(client, migration, roleNames(secret, endpoint))
        done.push(migration)
      }
    }
    return done
  } finally {
    await client.end()
  }
}

/** The files of one source in the order of their numbers. */
export function readMigrations(source: MigrationSource): readonly Migration[] {
  const directory = fileURLToPath(source.directory)
  const names = readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  return names.map((name) => {
    if (!fileForm.test(name)) throw new Error(`${join(directory, name)} is not named like 0001-what-it-does.sql`)
    const text = readFileSync(join(directory, name), 'utf8')
    return { app: source.app, name, text, checksum: createHash('sha256').update(text).digest('hex') }
  })
}

/** The queue belongs to the worker's role: its library installs itself, and nobody else can touch its tables. */
async function prepareQueueSchemas(client: PgSingleClient, worker: string): Promise<void> {
  const name = client.escapeIdentifier(worker)
  await client.query(`grant ${name} to current_user with set true, inherit true`)
  for (const schema of ['graphile_worker', 'seaworthy_queue'])
    await client.query(`create schema if not exists ${schema} authorization ${name}`)
}

async function prepareHistory(client: PgSingleClient): Promise<void> {
  await client.query(`
    create schema if not exists seaworthy;
    create table if not exists seaworthy.migrations (
      app text not null,
      name text not null,
      checksum text not null,
      applied_at timestamptz not null default now(),
      primary key (app, name)
    )`)
}

async function pending(client: PgSingleClient, source: MigrationSource): Promise<readonly Migration[]> {
  const { rows } = await client.query<{ name: string; checksum: string }>(
    'select name, checksum from seaworthy.migrations where app = $1',
    [source.app],
  )
  const applied = new Map(rows.map((row) => [row.name, row.checksum]))
  const files = readMigrations(source)
  for (const file of files) {
    const checksum = applied.get(file.name)
    if (checksum && checksum !== file.checksum) {
      throw new Error(
        `The migration ${source.app}/${file.name} was changed after it was applied.\n    HINT: restore the file and put the change into a new one.`,
      )
    }
    applied.delete(file.name)
  }
  // A newer release expanded the schema and was rolled back: its migrations come after all of ours, and ours still hold.
  const newest = files.at(-1)?.name ?? ''
  const missing = [...applied.keys()].filter((name) => name <= newest)
  if (missing.length) {
    throw new Error(
      `The database has migrations of ${source.app} that this release lost: ${missing.join(', ')}.\n    HINT: restore the files.`,
    )
  }
  const known = new Set(rows.map((row) => row.name))
  return files.filter((file) => !known.has(file.name))
}

/** `:app`, `:worker` and `:reader` in a file stand for the names of the database roles, `:'app'` for the name as text. */
async function apply(client: PgSingleClient, migration: Migration, names: Record<DatabaseRole, string>): Promise<void> {
  const text = migration.text
    .replace(/:'(app|worker|reader)'/g, (_, role: DatabaseRole) => client.escapeLiteral(names[role]))
    .replace(/(?<!:):(app|worker|reader)\b/g, (_, role: DatabaseRole) => client.escapeIdentifier(names[role]))
  try {
    await client.query(`begin; set local lock_timeout = '5s'`)
    await client.query(text)
    await client.query('insert into seaworthy.migrations (app, name, checksum) values ($1, $2, $3)', [
      migration.app,
      migration.name,
      migration.checksum,
    ])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => {
      // The connection is gone, and the transaction with it.
    })
    throw new Error(
      `The migration ${migration.app}/${basename(migration.name)} failed and was undone: ${(error as Error).message}`,
      { cause: error },
    )
  }
}

function roleNames(secret: Secret, endpoint: Endpoint): Record<DatabaseRole, string> {
  return Object.fromEntries(databaseRoles.map((role) => [role, loginOf(role, secret, endpoint).user])) as Record<
    DatabaseRole,
    string
  >
}
