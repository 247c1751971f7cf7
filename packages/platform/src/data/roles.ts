import { createHmac } from 'node:crypto'
import type { Secret } from '@seaworthy/core'
import { takeLock } from './advisory-lock.ts'
import { type Endpoint, type Login, openClient, type PgSingleClient } from './drivers/pg.ts'

/**
 * owner: migrations only. app: serves requests; owns nothing, cannot bypass row-level security. worker: the job queue.
 * reader: looks, for operators' tools; tenant rows stay hidden from it.
 */
export const databaseRoles = ['app', 'worker', 'reader'] as const
export type DatabaseRole = (typeof databaseRoles)[number]
export const OWNER = 'seaworthy_owner'
const SERVER_LOCK = 7305808

/** The login of a role. Passwords are derived, so that every machine that shares the secret knows them. */
export function loginOf(role: DatabaseRole, secret: Secret, endpoint: Endpoint): Login {
  const password = createHmac('sha256', secret.reveal()).update(`database role ${role}`).digest('base64url')
  return { user: roleName(role, endpoint), password }
}

/** Roles belong to the whole server, so two installations on one server need names of their own. */
function roleName(role: DatabaseRole, { database, rolesOf = database }: Endpoint): string {
  return rolesOf === 'seaworthy' ? `seaworthy_${role}` : `seaworthy_${role}_${rolesOf}`.slice(0, 63)
}

/** Makes the database and its roles, or brings their passwords up to date. Safe to run twice and at once. */
export async function ensureDatabaseAndRoles(endpoint: Endpoint, admin: Login, secret: Secret): Promise<void> {
  const client = await openAnyDatabase(endpoint, admin)
  try {
    await client.query('select pg_advisory_lock(7305809)')
    const exists = await client.query('select 1 from pg_database where datname = $1', [endpoint.database])
    if (exists.rowCount === 0)
      await client.query(`create database ${client.escapeIdentifier(endpoint.database)} template template0`)
    await ensureRole(client, OWNER, 'nologin')
    await client.query(`grant ${OWNER} to current_user with set true, inherit true`)
    for (const role of databaseRoles) {
      const { user, password } = loginOf(role, secret, endpoint)
      await ensureRole(
        client,
        user,
        `login nosuperuser nobypassrls nocreatedb nocreaterole noinherit password ${client.escapeLiteral(password)}`,
      )
    }
    await client.query(`grant create, connect on database ${client.escapeIdentifier(endpoint.database)} to ${OWNER}`)
  } finally {
    await client.end()
  }
}

/**
 * One preparation at a time on the whole server. Rights on a database and memberships of roles are single rows of the
 * server: two that change them at once fail with "tuple concurrently updated", whichever databases they prepare.
 */
export async function lockServer(endpoint: Endpoint, admin: Login): Promise<{ unlock(): Promise<void> }> {
  const client = await openAnyDatabase(endpoint, admin)
  try {
    await takeLock(client, SERVER_LOCK)
  } catch (error) {
    await client.end()
    throw error
  }
  return { unlock: () => client.end() }
}

async function openAnyDatabase(endpoint: Endpoint, admin: Login): Promise<PgSingleClient> {
  try {
    return await openClient({ ...endpoint, database: 'postgres' }, admin, 'roles')
  } catch {
    return openClient(endpoint, admin, 'roles')
  }
}

async function ensureRole(client: PgSingleClient, name: string, attributes: string): Promise<void> {
  const exists = await client.query('select 1 from pg_roles where rolname = $1', [name])
  await client.query(`${exists.rowCount ? 'alter' : 'create'} role ${client.escapeIdentifier(name)} ${attributes}`)
}
