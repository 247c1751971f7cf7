import type { Config } from '../config/index.ts'
import { asRole, type Migration, platformMigrations, readPending } from '../data/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { openKeyRing, readMissingKeys } from '../vault/index.ts'
import { lockDataDirectory } from './lock.ts'
import { migrationSources } from './migration-sources.ts'
import { operatorLink } from './operator-link.ts'
import { type OpenedServer, openDatabaseServer, prepareDatabase } from './prepare-database.ts'
import type { System } from './system.ts'

export interface MigrateSettings {
  readonly config: Config
  readonly system: System
  readonly log: Logger
  /** Only looks. */
  readonly isDryRun: boolean
  readonly makesOperatorLink: boolean
}

export interface MigrateOutcome {
  /** Applied now, or in a dry run what would be. */
  readonly migrations: readonly Migration[]
  /** The address that makes the first operator, while there is none and it was wanted. */
  readonly operatorLink: string | undefined
  /** Keys that the database is sealed with and this installation has not, by their fingerprints. A run that is no dry one throws. */
  readonly missingKeys: readonly string[]
}

/** What a start does before anything serves, and nothing else: for releases whose processes start with MIGRATIONS=wait. */
export async function migrateOnce(settings: MigrateSettings): Promise<MigrateOutcome> {
  const { config, system, log, isDryRun, makesOperatorLink } = settings
  const { server, close } = await openServer(config)
  try {
    if (isDryRun)
      return {
        migrations: await pendingOf(settings, server),
        operatorLink: undefined,
        missingKeys: await missingKeysOf(settings, server),
      }
    const migrations = await prepareDatabase(server, config, system.apps, log)
    const token = makesOperatorLink ? await operatorLink(server.endpoint, config) : undefined
    return { migrations, operatorLink: token && `${config.publicUrl}/sign-up?operator=${token}`, missingKeys: [] }
  } finally {
    await close()
  }
}

const pendingOf = ({ system }: MigrateSettings, { endpoint, admin }: OpenedServer): Promise<readonly Migration[]> =>
  readPending(endpoint, admin, [platformMigrations, ...migrationSources(system.apps)])

const missingKeysOf = ({ config }: MigrateSettings, { endpoint, admin }: OpenedServer): Promise<readonly string[]> =>
  readMissingKeys((work) => asRole(endpoint, admin, 'keys', work), openKeyRing(config))

/** The embedded server is left as it was found: running under another start, or not running. `isOurs`: the latter. */
export async function openServer(
  config: Config,
): Promise<{ server: OpenedServer; isOurs: boolean; close: () => Promise<void> }> {
  if (config.databaseUrl)
    return { server: await openDatabaseServer(config), isOurs: false, close: async () => undefined }
  const unlock = lockUnlessTaken(config.dataDirectory)
  try {
    const server = await openDatabaseServer(config)
    const isOurs = unlock !== undefined && server.embedded?.origin === 'started'
    const close = async (): Promise<void> => {
      if (isOurs) await server.embedded?.stop()
      unlock?.()
    }
    return { server, isOurs, close }
  } catch (error) {
    unlock?.()
    throw error
  }
}

function lockUnlessTaken(dataDirectory: string): (() => void) | undefined {
  try {
    return lockDataDirectory(dataDirectory)
  } catch {
    return undefined
  }
}
