import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Secret } from '@seaworthy/core'
import { type Config, readOrMakeSecret } from '../config/index.ts'
import {
  asOwner,
  connectWithRetries,
  type DatabaseRole,
  type EmbeddedServer,
  type Endpoint,
  ensureDatabaseAndRoles,
  explainTlsFailure,
  findWeakRights,
  type Login,
  lockServer,
  loginOf,
  type Migration,
  migrateToLatestOrThrow,
  type OwnerSession,
  openClient,
  parseDatabaseUrl,
  platformMigrations,
  refuseMovedDatabase,
  startEmbeddedServer,
} from '../data/index.ts'
import type { App } from '../definition/index.ts'
import { placesOf } from '../recovery/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { openKeyRing, RING_KEY_DAYS_MAX, rememberRingOrThrow } from '../vault/index.ts'
import { migrationSources } from './migration-sources.ts'

export interface OpenedServer {
  readonly endpoint: Endpoint
  readonly admin: Login
  readonly embedded: EmbeddedServer | undefined
}

/** The server by DATABASE_URL, or the embedded one, started or adopted. */
export async function openDatabaseServer(config: Config): Promise<OpenedServer> {
  if (config.databaseUrl)
    return {
      ...parseDatabaseUrl(config.databaseUrl.reveal(), readAuthority(config.databaseCaFile)),
      embedded: undefined,
    }
  const password = readOrMakeSecret(join(config.dataDirectory, 'secrets'), 'DATABASE_ADMIN_PASSWORD')
  const archive = config.backupStores.length ? placesOf(config.dataDirectory).spool : undefined
  const embedded = await startEmbeddedServer(config.dataDirectory, password, connectionsOf(config), archive)
  return { endpoint: embedded.endpoint, admin: embedded.admin, embedded }
}

function readAuthority(path: string | undefined): string | undefined {
  if (!path) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new Error(`DB_CA_FILE cannot be read: ${(cause as Error).message}.\n    HINT: ls -l "${path}"`, { cause })
  }
}

/** The standby by DATABASE_REPLICA_URL; undefined when there is none. Throws when the setting cannot be meant. */
export function replicaEndpoint(config: Config, primary: Endpoint): Endpoint | undefined {
  if (!config.databaseReplicaUrl) return undefined
  const url = config.databaseReplicaUrl.reveal()
  const { endpoint } = parseDatabaseUrl(url, readAuthority(config.databaseCaFile), 'DATABASE_REPLICA_URL')
  const { database, rolesOf } = primary
  if (new URL(url).pathname.length > 1 && endpoint.database !== database)
    throw new Error(
      `DATABASE_REPLICA_URL names the database ${endpoint.database}, but a standby has the one of its primary: ${database}.\n    HINT: end DATABASE_REPLICA_URL with /${database}`,
    )
  return { ...endpoint, database, ...(rolesOf ? { rolesOf } : {}) }
}

const QUEUE_CONNECTIONS = 8
const LIMITS_CONNECTIONS = 2
const SPARE_CONNECTIONS = 20

/** What all processes may open at once, and some for migrations and for people who look. */
export function connectionsOf(config: Config): number {
  // Each also has one for events, one for the sealer of the audit, and one to compare a replica with.
  const web = config.webProcesses * (config.databasePoolMax + LIMITS_CONNECTIONS + (config.databaseReplicaUrl ? 3 : 2))
  const workers = config.workerProcesses * (config.databasePoolMax + config.workerConcurrency + QUEUE_CONNECTIONS)
  return web + workers + SPARE_CONNECTIONS
}

/**
 * Database, roles, migrations, keys and queue, brought up to date by one process before anything serves.
 * @param isArriving Another database is about to be brought here: what is refused otherwise.
 */
export async function prepareDatabase(
  server: OpenedServer,
  config: Config,
  apps: readonly App[],
  log: Logger,
  signal?: AbortSignal,
  isArriving = false,
): Promise<readonly Migration[]> {
  const { endpoint, admin } = server
  // Refused now, and not by each process.
  replicaEndpoint(config, endpoint)
  const lock = await connectWithRetries(() => lockServer(endpoint, admin), {
    tries: config.databaseTries,
    ...(signal ? { signal } : {}),
    isFinal: (error) => explainTlsFailure(error, endpoint) !== undefined,
    onFailure: (attempt, waitMs, error) =>
      log.warn('the database cannot be reached yet', {
        runbook: 'database-gone',
        attempt,
        of: config.databaseTries,
        waitMs,
        error: (error as Error).message,
      }),
  }).catch((cause: unknown) => {
    const words = explainTlsFailure(cause, endpoint)
    throw words ? new Error(words, { cause }) : cause
  })
  try {
    await ensureDatabaseAndRoles(endpoint, admin, config.secrets.databaseRoleSecret)
    if (!isArriving) await refuseMovedDatabase(endpoint, admin)
    return await prepareLocked(server, config, apps, log)
  } finally {
    await lock.unlock()
  }
}

async function prepareLocked(
  { endpoint, admin }: OpenedServer,
  config: Config,
  apps: readonly App[],
  log: Logger,
): Promise<readonly Migration[]> {
  const secret = config.secrets.databaseRoleSecret
  const sources = migrationSources(apps)
  const applied = await migrateToLatestOrThrow(endpoint, admin, secret, [platformMigrations, ...sources])
  await asOwner(endpoint, admin, 'keys', (session) => checkKeys(session, config, log))
  // Needed once: a supervisor that runs for months does not keep the queue's library.
  const { migrateQueue } = await import('../jobs/index.ts')
  await migrateQueue(endpoint, admin, loginOf('worker', secret, endpoint), loginOf('app', secret, endpoint).user)
  await refuseWeakRights(
    { endpoint, admin },
    secret,
    sources.map(({ app }) => app),
  )
  return applied
}

/** Before anything serves: the keys are the right ones. Whoever operates this is told what they should do about them. */
async function checkKeys(session: OwnerSession, config: Config, log: Logger): Promise<void> {
  const { current, ageDays, unverified } = await rememberRingOrThrow(session, openKeyRing(config))
  if (ageDays > RING_KEY_DAYS_MAX)
    log.warn('the encryption key is old; HINT: seaworthy keys rotate', {
      runbook: 'keys-lost',
      key: current,
      days: ageDays,
    })
  if (config.environment === 'production' && unverified.length)
    log.warn('losing the encryption key would lose what it seals; HINT: seaworthy keys kit FILE', {
      runbook: 'keys-lost',
    })
}

/** A start does not serve what one account could read of another. */
async function refuseWeakRights(
  { endpoint, admin }: Pick<OpenedServer, 'endpoint' | 'admin'>,
  secret: Secret,
  schemas: readonly string[],
): Promise<void> {
  const roleName = (role: DatabaseRole): string => loginOf(role, secret, endpoint).user
  const client = await openClient(endpoint, admin, 'rights')
  try {
    const roles = { app: roleName('app'), worker: roleName('worker'), reader: roleName('reader') }
    const weak = await findWeakRights(client, { roles, schemas: ['seaworthy', ...schemas] })
    if (weak.length)
      throw new Error(
        `The database lets the app do more than it must:\n    ${weak.join('\n    ')}\n    HINT: put the policies and rights back as the migrations made them, or correct the newest migration.`,
      )
  } finally {
    await client.end()
  }
}
