import type { Secret } from '@seaworthy/core'
import { takeLock } from './advisory-lock.ts'
import { applyMigration } from './apply-migration.ts'
import { type Endpoint, type Login, openClient, type PgSingleClient } from './drivers/pg.ts'
import type { Migration, MigrationSource } from './migration.ts'
import { type AppliedMigration, comparePending } from './migration-history.ts'
import { type DatabaseRole, databaseRoles, loginOf, OWNER } from './roles.ts'

const LOCK = 7305810

/**
 * Applies what is not applied yet, in order, each in a transaction of its own unless its first line says why not, under
 * one lock for all processes. Throws when an applied file was changed or is missing. Returns what was applied now.
 */
export async function migrateToLatestOrThrow(
  endpoint: Endpoint,
  admin: Login,
  secret: Secret,
  sources: readonly MigrationSource[],
): Promise<readonly Migration[]> {
  const client = await openClient(endpoint, admin, 'migrate')
  try {
    await takeLock(client, LOCK)
    await prepareQueueSchemas(client, loginOf('worker', secret, endpoint).user)
    await client.query(`set role ${OWNER}`)
    await prepareHistory(client)
    // For starts that only wait: what is applied is no secret of anybody.
    await client.query(
      `grant select on seaworthy.migrations to ${client.escapeIdentifier(loginOf('app', secret, endpoint).user)}`,
    )
    const done: Migration[] = []
    for (const source of sources) {
      for (const migration of await pending(client, source)) {
        await applyMigration(client, migration, withRoles(client, migration.text, roleNames(secret, endpoint)))
        done.push(migration)
      }
    }
    return done
  } finally {
    await client.end()
  }
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
  // Files that run without transaction, while they run.
  const { rows } = await client.query(`select to_regclass('seaworthy.migrations_begun') is not null as there`)
  if (rows[0].there) return
  await client.query(`
    create table seaworthy.migrations_begun (app text not null, name text not null, primary key (app, name));
    alter table seaworthy.migrations_begun enable row level security;
    alter table seaworthy.migrations_begun force row level security;
    create policy owner on seaworthy.migrations_begun to current_user using (true) with check (true)`)
}

async function pending(client: PgSingleClient, source: MigrationSource): Promise<readonly Migration[]> {
  const { rows } = await client.query<AppliedMigration>('select app, name, checksum from seaworthy.migrations')
  return comparePending(source, rows)
}

/** `:app`, `:worker` and `:reader` in a file stand for the names of the database roles, `:'app'` for the name as text. */
function withRoles(client: PgSingleClient, text: string, names: Record<DatabaseRole, string>): string {
  return text
    .replace(/:'(app|worker|reader)'/g, (_, role: DatabaseRole) => client.escapeLiteral(names[role]))
    .replace(/(?<!:):(app|worker|reader)\b/g, (_, role: DatabaseRole) => client.escapeIdentifier(names[role]))
}

function roleNames(secret: Secret, endpoint: Endpoint): Record<DatabaseRole, string> {
  return Object.fromEntries(databaseRoles.map((role) => [role, loginOf(role, secret, endpoint).user])) as Record<
    DatabaseRole,
    string
  >
}
