import { join } from 'node:path'
import { type Config, readOrMakeSecret } from '../config/index.ts'
import {
  connectWithRetries,
  type EmbeddedServer,
  type Endpoint,
  ensureDatabaseAndRoles,
  type Login,
  lockServer,
  loginOf,
  type Migration,
  migrateToLatestOrThrow,
  parseDatabaseUrl,
  platformMigrations,
  startEmbeddedServer,
} from '../data/index.ts'
import type { App } from '../definition/index.ts'
import type { Logger } from '../telemetry/index.ts'

export interface OpenedServer {
  readonly endpoint: Endpoint
  readonly admin: Login
  readonly embedded: EmbeddedServer | undefined
}

/** The server by DATABASE_URL, or the embedded one, started or adopted. */
export async function openDatabaseServer(config: Config): Promise<OpenedServer> {
  if (config.databaseUrl) return { ...parseDatabaseUrl(config.databaseUrl.reveal()), embedded: undefined }
  const password = readOrMakeSecret(join(config.dataDirectory, 'secrets'), 'DATABASE_ADMIN_PASSWORD')
  const embedded = await startEmbeddedServer(config.dataDirectory, password, connectionsOf(config))
  return { endpoint: embedded.endpoint, admin: embedded.admin, embedded }
}

const QUEUE_CONNECTIONS = 8
const SPARE_CONNECTIONS = 20

/** What all processes may open at once, and some for migrations and for people who look. */
function connectionsOf(config: Config): number {
  // Each also has one for events and one for the sealer of the audit.
  const web = config.webProcesses * (config.databasePoolMax + 2)
  const workers = config.workerProcesses * (config.databasePoolMax + config.workerConcurrency + QUEUE_CONNECTIONS)
  return web + workers + SPARE_CONNECTIONS
}

/** Database, roles, migrations and queue, brought up to date by one process before anything serves. */
export async function prepareDatabase(
  server: OpenedServer,
  config: Config,
  apps: readonly App[],
  log: Logger,
  signal?: AbortSignal,
): Promise<readonly Migration[]> {
  const { endpoint, admin } = server
  const lock = await connectWithRetries(() => lockServer(endpoint, admin), {
    tries: config.databaseTries,
    ...(signal ? { signal } : {}),
    onFailure: (attempt, waitMs, error) =>
      log.warn('the database cannot be reached yet', {
        attempt,
        of: config.databaseTries,
        waitMs,
        error: (error as Error).message,
      }),
  })
  try {
    return await prepareLocked(server, config, apps)
  } finally {
    await lock.unlock()
  }
}

async function prepareLocked(
  { endpoint, admin }: OpenedServer,
  config: Config,
  apps: readonly App[],
): Promise<readonly Migration[]> {
  const secret = config.secrets.databaseRoleSecret
  await ensureDatabaseAndRoles(endpoint, admin, secret)
  const sources = apps.flatMap((app) => (app.migrations ? [{ app: app.name, directory: app.migrations }] : []))
  const applied = await migrateToLatestOrThrow(endpoint, admin, secret, [platformMigrations, ...sources])
  // Needed once: a supervisor that runs for months does not keep the queue's library.
  const { migrateQueue } = await import('../jobs/index.ts')
  await migrateQueue(endpoint, admin, loginOf('worker', secret, endpoint), loginOf('app', secret, endpoint).user)
  return applied
}
