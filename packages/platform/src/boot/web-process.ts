import type { Server } from 'node:http'
import { join } from 'node:path'
import { systemClock } from '@seaworthy/core'
import { AI_USAGE_KEPT_MS } from '../ai/index.ts'
import { openKeptAssets } from '../assets/index.ts'
import { checkSealLag } from '../audit/index.ts'
import type { Config } from '../config/index.ts'
import { guardFetch, loginOf, type Replica } from '../data/index.ts'
import { type App, scopesOf } from '../definition/index.ts'
import { type OpenFlags, openFlags } from '../flags/index.ts'
import {
  auditApp,
  batchApp,
  bounds,
  createHoldingServer,
  createPositions,
  drainServer,
  type HttpParts,
  identityApp,
  operationsApp,
  type PrivacyParts,
  privacyApp,
  readWebBuild,
  serveHttp,
  showCertificate,
  signUps,
  uploadsApp,
  vaultApp,
} from '../http/index.ts'
import type { Identity } from '../identity/index.ts'
import { createGuard, createSuspicion, type RateLimiter } from '../limits/index.ts'
import { openErasureRegister } from '../privacy/index.ts'
import { type Channel, type Feed, jobsChannel, openFeed, openSockets } from '../realtime/index.ts'
import { createPseudonyms, durationBuckets, watchHealth } from '../telemetry/index.ts'
import { withSettings } from './app-settings.ts'
import { openSealer } from './audit-seals.ts'
import { type Capabilities, openCapabilities, openTelemetry } from './capabilities.ts'
import { openCertificate } from './certificate.ts'
import { linkToSupervisor, tellSupervisor } from './child-link.ts'
import { type Closer, createCloser } from './closer.ts'
import { endOnFaults } from './fatal.ts'
import { openLimits } from './limits.ts'
import { openIdentityOf } from './open-identity.ts'
import { openReadReplica } from './replica.ts'
import { socketDraft } from './socket-name.ts'
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
  const certificate = await openCertificate(config, telemetry)
  const server = createHoldingServer({
    requestMs: config.requestMs,
    isHttps: config.publicUrl.startsWith('https:'),
    certificate: certificate?.current(),
  })
  const unwatch = certificate?.watch((pair) => showCertificate(server, pair))
  if (unwatch) closer.add('certificate', unwatch)
  let stopping = false
  const stop = (why: string): void => {
    if (stopping) return
    stopping = true
    log.info('stopping', { why })
    telemetry.health.drain()
    void closeAll(server, front, closer, config)
      .then(log.flush)
      .then(() => process.exit(0))
  }
  const endpoint = linkToSupervisor(telemetry.metrics, stop)
  const open = async (): Promise<void> => {
    await listen(server, config)
    const address = server.address()
    tellSupervisor({ kind: 'listening', port: typeof address === 'object' && address ? address.port : config.port })
  }
  // Where others serve, no request goes to one that is not ready.
  const isLate = isReplacement && config.webProcesses > 1
  if (!isLate) await open()
  const capabilities = await openCapabilities(config, await endpoint, 'web', telemetry)
  closer.add('database', () => capabilities.database.close())
  // Here and not beside the jobs, some of which keep their process busy for seconds.
  closer.add('ai', () => capabilities.ai.stop())
  const sealer = openSealer(capabilities)
  closer.add('sealer', () => sealer.stop())
  telemetry.health.add({
    name: 'audit',
    kind: 'nice',
    runbook: 'audit-broken',
    check: () => checkSealLag(capabilities.database),
  })
  await openWebService(system, capabilities, place, server, { front, closer })
  const watch = watchHealth(telemetry.health, log, telemetry.metrics)
  closer.add('health', () => watch.stop())
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
  const { config, database, log } = capabilities
  const { secrets } = config
  const identity = await openIdentityOf(system, capabilities)
  closer.add('identity', () => identity.stop())
  const flags = await openFlags({ database, log, flags: [signUps, ...system.apps.flatMap((app) => app.flags)] })
  closer.add('flags', () => flags.stop())
  const replica = openReadReplica(capabilities)
  if (replica) closer.add('replica', () => replica.close())
  const limiter = await openLimits(capabilities)
  closer.add('limits', () => limiter.close())
  const secure = config.publicUrl.startsWith('https:')
  const webBuild = readWebBuild(place.webDirectory)
  const apps = allApps(system, capabilities, { identity, flags, secure, webBuild })
  const keptAssets = await openKeptAssets({ database, directory: join(place.webDirectory, 'assets'), log })
  closer.add('assets', () => keptAssets.stop())
  await serveHttp(server, {
    apps,
    parts: httpParts(capabilities, { identity, flags, limiter, replica, secure }),
    health: capabilities.health,
    media: capabilities.media,
    mediaSecret: secrets.mediaSecret,
    clock: systemClock,
    databaseWaitMs: database.expectedWaitMs,
    webDirectory: place.webDirectory,
    keptAssets,
    version: place.build.version,
    publicKeys: identity.publicKeys,
    details: () => ({ build: place.build, uptimeSeconds: Math.round(process.uptime()), database: database.stats() }),
  })
  await openLiveEvents({
    capabilities,
    server,
    identity,
    webBuild,
    channels: apps.flatMap((app) => app.channels),
    front,
    closer,
  })
}

interface LiveParts {
  readonly capabilities: Capabilities
  readonly server: Server
  readonly identity: Identity
  readonly webBuild: string
  readonly channels: readonly Channel[]
  readonly front: Closer
  readonly closer: Closer
}

/** Sockets, and the events that they are told. */
async function openLiveEvents({
  capabilities,
  server,
  identity,
  webBuild,
  channels,
  front,
  closer,
}: LiveParts): Promise<void> {
  const { config, database, log, endpoint, metrics } = capabilities
  // After the HTTP handler: socket.io wraps the listeners it finds.
  let feed: Feed | undefined
  const sockets = openSockets({
    server,
    channels: [jobsChannel, ...channels],
    identify: identity.identify,
    webBuild,
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
    login: loginOf('app', config.secrets.databaseRoleSecret, endpoint),
    log,
    deliver: sockets.deliver,
    gapMs: config.databaseTransactionMs + GAP_SPARE_MS,
  })
  closer.add('events', () => feed?.stop())
  identity.onSessionChanged(sockets.endSession)
}

/** The platform's own routes, and those of the apps. */
function allApps(
  system: System,
  capabilities: Capabilities,
  { identity, flags, secure, webBuild }: Pick<Door, 'identity' | 'flags' | 'secure'> & { readonly webBuild: string },
): readonly App[] {
  const { config, database, vault, log } = capabilities
  const guard = createGuard({ database, secret: config.secrets.refreshSecret, clock: systemClock, log })
  const { refreshMs, publicUrl } = config
  const scopes = scopesOf([uploadsApp(), ...system.apps])
  return withSettings(
    [
      identityApp(identity, guard, { refreshMs, secure, publicUrl, scopes, webBuild }),
      operationsApp({ database, identity, flags, apps: system.apps, deliversMail: config.smtpUrl !== undefined }),
      uploadsApp(),
      vaultApp(vault),
      batchApp(),
      auditApp(database),
      privacyApp(privacyParts(capabilities, system, identity)),
      ...system.apps,
    ],
    config,
  )
}

interface Door {
  readonly identity: Identity
  readonly flags: OpenFlags
  readonly limiter: RateLimiter
  readonly replica: Replica | undefined
  readonly secure: boolean
}

function privacyParts(
  { config, database, media, vault }: Capabilities,
  { apps }: System,
  identity: Identity,
): PrivacyParts {
  return {
    database,
    store: media.store,
    vault,
    files: media,
    register: openErasureRegister(config.dataDirectory),
    tables: apps.flatMap((app) => app.tables),
    consents: apps.flatMap((app) => app.consents),
    confirmPassword: identity.confirmPassword,
    keptMs: {
      'sign-ins': config.sessionRetentionMs,
      'seaworthy.jobs': config.jobRetentionMs,
      'seaworthy.audit': config.auditRetentionMs,
      'seaworthy.ai_usage': AI_USAGE_KEPT_MS,
    },
  }
}

function httpParts(
  { config, database, media, vault, ai, log, metrics }: Capabilities,
  { identity, flags, limiter, replica, secure }: Door,
): HttpParts {
  return {
    database: replica?.database ?? database,
    positions: replica && createPositions(config.secrets.accessSecret),
    identity,
    log,
    metrics,
    media: media.media,
    flags,
    ai,
    vault,
    limiter,
    suspicion: createSuspicion({ mode: config.suspicion, clock: systemClock, log, metrics }),
    pseudonym: createPseudonyms(config.secrets.auditSecret),
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
      networkRate: { max: config.rateMax * bounds.callersPerNetwork, windowMs: config.rateWindowMs },
      process: 'web',
      secureCookies: secure,
      cursorSecret: config.secrets.accessSecret,
      secondFactorFor: config.secondFactorFor,
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
    const where = config.socket
      ? { path: socketDraft(config.socket, process.ppid) }
      : { port: config.port, host: config.host }
    server.listen(where, () => resolve())
  })
}

const GAP_SPARE_MS = 10_000

/** No request is lost: see `drainServer`. Then the rest. */
async function closeAll(server: Server, front: Closer, closer: Closer, config: Config): Promise<void> {
  await drainServer(server, {
    isBehindProxy: config.trustedProxies > 0,
    deadlineMs: config.shutdownMs,
    tellSockets: () => front.close(),
  })
  await closer.close()
}
