import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pause, systemClock } from '@seaworthy/core'
import { checkSealLag } from '../audit/index.ts'
import type { Config } from '../config/index.ts'
import { guardFetch, loginOf } from '../data/index.ts'
import {
  auditApp,
  createHoldingServer,
  type HttpParts,
  identityApp,
  operationsApp,
  type PrivacyParts,
  privacyApp,
  serveHttp,
  uploadsApp,
} from '../http/index.ts'
import { type Identity, openIdentity } from '../identity/index.ts'
import { createMemoryLimiter } from '../limits/index.ts'
import { openErasureRegister } from '../privacy/index.ts'
import { type Feed, jobsChannel, openFeed, openSockets } from '../realtime/index.ts'
import { createPseudonyms, durationBuckets } from '../telemetry/index.ts'
import { onAccountCreated, withSettings } from './app-settings.ts'
import { openSealer } from './audit-seals.ts'
import { type Capabilities, openCapabilities, openTelemetry } from './capabilities.ts'
import { linkToSupervisor, tellSupervisor } from './child-link.ts'
import { type Closer, createCloser } from './closer.ts'
import { endOnFaults } from './fatal.ts'
import type { Place, System } from './system.ts'

/** Listens at once, serves when the database is there, and stops without losing a request. */
export async function runWebProcess(
  system: System,
  config: Config,
  place: Place,
  isReplacement: boolean,
): Promise<void> {
  guardFetch()
  const telemetry = openTelemetry(config, 'web', system.apps)
  const { log } = telemetry
  endOnFaults(log)
  // What holds connections open goes first, then requests under way finish, and only then what they work with.
  const front = createCloser(log)
  const closer = createCloser(log)
  const server = createHoldingServer(config.requestMs, config.publicUrl.startsWith('https:'))
  let stopping = false
  const stop = (why: string): void => {
    if (stopping) return
    stopping = true
    log.info('stopping', { why })
    telemetry.health.drain()
    void closeAll(server, front, closer, config.shutdownMs)
      .then(log.flush)
      .then(() => process.exit(0))
  }
  const endpoint = linkToSupervisor(telemetry.metrics, stop)
  const open = async (): Promise<void> => {
    await listen(server, config)
    tellSupervisor({ kind: 'listening', port: (server.address() as AddressInfo).port })
  }
  // Where others serve, no request goes to one that is not ready.
  const isLate = isReplacement && config.webProcesses > 1
  if (!isLate) await open()
  const capabilities = await openCapabilities(config, await endpoint, 'web', telemetry)
  closer.add('database', () => capabilities.database.close())
  // Here and not beside the jobs, some of which keep their process busy for seconds.
  const sealer = openSealer(capabilities)
  closer.add('sealer', () => sealer.stop())
  telemetry.health.add({ name: 'audit', kind: 'nice', check: () => checkSealLag(capabilities.database) })
  await openWebService(system, capabilities, place, server, { front, closer })
  if (isLate) await open()
  tellSupervisor({ kind: 'ready' })
  log.info('ready')
}

/** Identity, routes, pages and live events on a server that listens already. */
export async function openWebService(
  system: System,
  capabilities: Capabilities,
  place: Place,
  server: Server,
  { front, closer }: { readonly front: Closer; readonly closer: Closer },
): Promise<void> {
  const { config, database, log, endpoint, metrics } = capabilities
  const { secrets } = config
  const identity = await openIdentity({
    database,
    accessSecret: secrets.accessSecret,
    refreshSecret: secrets.refreshSecret,
    accessMs: config.accessMs,
    refreshMs: config.refreshMs,
    clock: systemClock,
    log,
    onAccountCreated: onAccountCreated(system.apps),
  })
  closer.add('identity', () => identity.stop())
  const secure = config.publicUrl.startsWith('https:')
  const apps = withSettings(
    [
      identityApp(identity, { refreshMs: config.refreshMs, secure }),
      operationsApp(database, system.apps),
      auditApp(database),
      privacyApp(privacyParts(capabilities, system, identity)),
      uploadsApp(),
      ...system.apps,
    ],
    config,
  )
  await serveHttp(server, {
    apps,
    parts: httpParts(capabilities, identity, secure),
    health: capabilities.health,
    media: capabilities.media,
    mediaSecret: secrets.mediaSecret,
    clock: systemClock,
    webDirectory: place.webDirectory,
    version: place.build.version,
    details: () => ({ build: place.build, uptimeSeconds: Math.round(process.uptime()), database: database.stats() }),
  })
  // After the HTTP handler: socket.io wraps the listeners it finds.
  let feed: Feed | undefined
  const sockets = openSockets({
    server,
    channels: [jobsChannel, ...apps.flatMap((app) => app.channels)],
    identify: identity.identify,
    log,
    metrics,
    allowedOrigin: (origin, host) => isAllowedOrigin(config, origin, host),
    feed: () => {
      if (!feed) throw new Error('the event feed is not open yet')
      return feed
    },
  })
  front.add('sockets', () => sockets.close())
  feed = await openFeed({
    database,
    endpoint,
    login: loginOf('app', secrets.databaseRoleSecret, endpoint),
    log,
    deliver: sockets.deliver,
    gapMs: config.databaseTransactionMs + GAP_SPARE_MS,
  })
  closer.add('events', () => feed?.stop())
  identity.onSessionEnded(sockets.endSession)
}

function privacyParts({ config, database, media }: Capabilities, { apps }: System, identity: Identity): PrivacyParts {
  return {
    database,
    store: media.store,
    files: media,
    register: openErasureRegister(config.dataDirectory),
    tables: apps.flatMap((app) => app.tables),
    confirmPassword: identity.reauthenticate,
  }
}

function httpParts(
  { config, database, media, log, metrics }: Capabilities,
  identity: Identity,
  secureCookies: boolean,
): HttpParts {
  return {
    database,
    identity,
    log,
    metrics,
    media: media.media,
    pseudonym: createPseudonyms(config.secrets.auditSecret),
    limiter: createMemoryLimiter(systemClock, config.webProcesses),
    observe: metrics.histogram(
      'http_request_duration_seconds',
      'Time from the first byte to the answer.',
      ['method', 'route', 'status_code'],
      durationBuckets,
    ),
    settings: {
      publicUrl: config.publicUrl,
      allowedOrigins: config.allowedOrigins,
      trustedProxies: config.trustedProxies,
      jsonBytesMax: config.jsonBytesMax,
      networkRate: { max: config.rateMax * 10, windowMs: config.rateWindowMs },
      process: 'web',
      secureCookies,
      cursorSecret: config.secrets.accessSecret,
    },
  }
}

function isAllowedOrigin(config: Config, origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined) return true
  return (
    origin === new URL(config.publicUrl).origin ||
    config.allowedOrigins.includes(origin) ||
    origin.replace(/^https?:\/\//, '') === host
  )
}

function listen(server: Server, config: Config): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(config.port, config.host, () => resolve())
  })
}

const IDLE_CHECK_MS = 50
const GAP_SPARE_MS = 10_000

/** No new connection; idle ones are closed at once, the others after their answer or at the deadline; then the rest. */
async function closeAll(server: Server, front: Closer, closer: Closer, deadlineMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS)
  const late = new AbortController()
  await front.close()
  await Promise.race([closed, pause(deadlineMs, late.signal)])
  late.abort()
  clearInterval(idle)
  server.closeAllConnections()
  await closer.close()
}
