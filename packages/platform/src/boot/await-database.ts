import type { Config } from '../config/index.ts'
import {
  type AppliedMigration,
  ARRIVING,
  asRole,
  comparePending,
  connectWithRetries,
  type Endpoint,
  explainTlsFailure,
  HistoryError,
  loginOf,
  MOVED,
  type OwnerSession,
  platformMigrations,
  sql,
} from '../data/index.ts'
import type { App } from '../definition/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { isRingRememberedOrThrow, openKeyRing, WrongKeyError } from '../vault/index.ts'
import { migrationSources } from './migration-sources.ts'

interface WaitParts {
  readonly endpoint: Endpoint
  readonly config: Config
  readonly apps: readonly App[]
  readonly log: Logger
  readonly signal?: AbortSignal
}

/** What a start waits for: somebody else is about to do it. */
class NotPreparedError extends Error {
  constructor(missing: string, options?: ErrorOptions) {
    super(`The database is not prepared for this release: ${missing}.\n    HINT: seaworthy migrate`, options)
    this.name = 'NotPreparedError'
  }
}

const SHOWN_MAX = 5

/**
 * For MIGRATIONS=wait: comes back when a release like this one, or a newer one, has prepared the database, and changes
 * nothing in it. Asks as the app's role, which is all that this start has. Throws when it waited for as long as for a
 * database that is away, and at once when waiting would not help: another content of a migration, another key.
 */
export async function awaitPreparedDatabase({ endpoint, config, apps, log, signal }: WaitParts): Promise<void> {
  const login = loginOf('app', config.secrets.databaseRoleSecret, endpoint)
  const look = (): Promise<void> =>
    asRole(endpoint, login, 'wait', (session) => refuseUnprepared(session, config, apps)).catch((error: unknown) => {
      throw explain(error)
    })
  await connectWithRetries(look, {
    tries: config.databaseTries,
    ...(signal ? { signal } : {}),
    isFinal: (error) =>
      error instanceof HistoryError ||
      error instanceof WrongKeyError ||
      explainTlsFailure(error, endpoint) !== undefined,
    onFailure: (attempt, waitMs, error) =>
      log.warn('waiting until the database is prepared', {
        runbook: 'database-gone',
        attempt,
        of: config.databaseTries,
        waitMs,
        reason: (error as Error).message.replace(/\n\s*/g, ' '),
      }),
  }).catch((cause: unknown) => {
    const words = explainTlsFailure(cause, endpoint)
    throw words ? new Error(words, { cause }) : cause
  })
}

/** In the order in which a database is prepared. */
async function refuseUnprepared(
  session: Pick<OwnerSession, 'many'>,
  config: Config,
  apps: readonly App[],
): Promise<void> {
  const marks = await session.many(
    sql<{ name: string }>`select nspname as name from pg_namespace where nspname in (${MOVED}, ${ARRIVING})`,
  )
  if (marks.length) throw new NotPreparedError('it was left for another one, or is still being filled from one')
  const history = await session.many(sql<AppliedMigration>`select app, name, checksum from seaworthy.migrations`)
  const sources = [platformMigrations, ...migrationSources(apps)]
  const missing = sources.flatMap((source) => comparePending(source, history))
  if (missing.length) throw new NotPreparedError(listOf(missing.map(({ app, name }) => `${app}/${name}`)))
  if (!(await isRingRememberedOrThrow(session, openKeyRing(config))))
    throw new NotPreparedError('the current encryption key is not known to it')
  const { hasQueue } = await import('../jobs/index.ts')
  if (!(await hasQueue(session))) throw new NotPreparedError('the queue is not installed')
}

const listOf = (names: readonly string[]): string => {
  const more = names.length > SHOWN_MAX ? ` and ${names.length - SHOWN_MAX} more` : ''
  return `${names.slice(0, SHOWN_MAX).join(', ')}${more} ${names.length === 1 ? 'is' : 'are'} missing`
}

/** What PostgreSQL says of a database that nobody has prepared yet, by its codes. */
const unprepared: Readonly<Record<string, string>> = {
  '3D000': 'it does not exist',
  '3F000': 'it is empty',
  '42P01': 'it is empty',
  '42501': 'it was prepared by an older release only',
  '28000': 'the role of the app does not exist',
  '28P01':
    'the password of the app is refused, which is so before the first preparation, and where DATABASE_ROLE_SECRET is not the one of whoever prepared it',
}

function explain(error: unknown): unknown {
  const words = unprepared[(error as { code?: string }).code ?? '']
  return words ? new NotPreparedError(words, { cause: error }) : error
}
