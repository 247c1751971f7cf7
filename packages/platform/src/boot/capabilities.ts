import { systemClock } from '@seaworthy/core'
import { type Gateway, openEngines, openGateway } from '../ai/index.ts'
import type { Config } from '../config/index.ts'
import { type Database, type Endpoint, loginOf, openDatabase, type SlowSettings } from '../data/index.ts'
import type { App } from '../definition/index.ts'
import { checkMail } from '../mail/index.ts'
import type { MediaRoom } from '../media/index.ts'
import { checkRecovery, placesOf } from '../recovery/index.ts'
import {
  createHealth,
  createLogger,
  createMetrics,
  createPseudonyms,
  createRedact,
  type Health,
  type Logger,
  type Metrics,
} from '../telemetry/index.ts'
import { createKeyAgeCheck, openKeyRing, openVault, type Vault } from '../vault/index.ts'
import { checkSpace } from './disk-space.ts'
import { openFileCheck, openFiles } from './files.ts'

/** What every process of ours has. */
export interface Capabilities {
  readonly config: Config
  readonly endpoint: Endpoint
  readonly log: Logger
  readonly metrics: Metrics
  readonly health: Health
  readonly database: Database
  /** What is done about slow statements, on whichever server. */
  readonly slow: SlowSettings
  readonly media: MediaRoom
  readonly vault: Vault
  readonly ai: Gateway
}

export interface Telemetry {
  readonly log: Logger
  readonly metrics: Metrics
  readonly health: Health
}

/** What the apps' tables declare as personal is redacted by its name, wherever it is logged. */
export const openTelemetry = (config: Config, process: string, apps: readonly App[]): Telemetry => ({
  log: createLogger({
    level: config.logLevel,
    process,
    redact: createRedact({ personal: personalNames(apps), pseudonym: createPseudonyms(config.secrets.auditSecret) }),
  }),
  metrics: createMetrics(),
  health: createHealth(),
})

const personalNames = (apps: readonly App[]): ReadonlySet<string> =>
  new Set(
    apps
      .flatMap((app) => app.tables)
      .flatMap((table) => Object.entries(table.columns).flatMap(([name, column]) => (column.pii ? [name] : []))),
  )

export async function openCapabilities(
  config: Config,
  endpoint: Endpoint,
  process: string,
  telemetry: Telemetry,
): Promise<Capabilities> {
  const { log, metrics, health } = telemetry
  const countSlow = metrics.counter(
    'database_slow_statements_total',
    'Statements that took longer than DB_SLOW_QUERY.',
    [],
  )
  const slow: SlowSettings = {
    thresholdMs: config.databaseSlowMs,
    count: () => countSlow({}),
    report: (statement) => log.warn('slow statement', { runbook: 'requests-fail', ...statement }),
  }
  const database = openDatabase({
    endpoint,
    login: loginOf('app', config.secrets.databaseRoleSecret, endpoint),
    name: process,
    limits: {
      max: config.databasePoolMax,
      waitMs: config.databaseWaitMs,
      statementMs: config.databaseQueryMs,
      transactionMs: config.databaseTransactionMs,
    },
    slow,
    onEffectError: (error) => log.error('an effect after a commit failed', { runbook: 'requests-fail', error }),
  })
  const media = await openFiles(config, database, openFileCheck(config, telemetry))
  health.add({ name: 'database', kind: 'must', runbook: 'database-gone', check: () => database.ping() })
  const ring = openKeyRing(config)
  const vault = openVault({ ring })
  health.add({
    name: 'encryption key',
    kind: 'nice',
    runbook: 'keys-lost',
    check: createKeyAgeCheck(database, ring, systemClock),
  })
  health.add({ name: 'storage', kind: 'nice', runbook: 'provider-down', check: () => media.store.ping() })
  health.add({ name: 'disk', kind: 'nice', runbook: 'disk-full', check: () => checkSpace(config.dataDirectory) })
  if (config.backupStores.length && !config.databaseUrl) {
    const places = placesOf(config.dataDirectory)
    health.add({
      name: 'recovery',
      kind: 'nice',
      runbook: 'backups-behind',
      check: () => checkRecovery(places, systemClock.now()),
    })
  }
  if (config.smtpUrl)
    health.add({ name: 'mail', kind: 'nice', runbook: 'provider-down', check: () => checkMail(database) })
  const ai = openGateway({
    database,
    vault,
    log,
    metrics,
    engines: openEngines(config),
    budgets: {
      accountMoney: config.aiAccountMoney,
      appMoney: config.aiAppMoney,
      accountTokens: config.aiAccountTokens,
    },
    cache: config.aiCache === 'true',
    connectionsMax: Math.ceil(config.databasePoolMax / 2),
    callMs: config.aiCallMs,
  })
  metrics.gauge('database_connections', 'Connections of this process.', () => database.stats().total)
  metrics.gauge('database_waiting', 'Requests that wait for a connection.', () => database.stats().waiting)
  metrics.gauge('media_waiting', 'Pictures that wait to be worked on.', () => media.queue.waiting)
  return { config, endpoint, log, metrics, health, database, slow, media, vault, ai }
}
