import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pause, SECOND, type Secret } from '@seaworthy/core'
import { type Config, forgetKeptDatabase, keepDatabase } from '../config/index.ts'
import {
  ensureDatabaseAndRoles,
  holdWrites,
  isServer,
  loginOf,
  markMoved,
  parseDatabaseUrl,
  platformMigrations,
  readPending,
  readPostmaster,
  refuseWrites,
  reopenDatabase,
  wantLogical,
} from '../data/index.ts'
import {
  type Check,
  checkGraduation,
  closeFeed,
  forgetGraduation,
  type Graduated,
  graduate,
  isUnderWay,
  nameOf,
  readGraduation,
  type Side,
  untilHeld,
  withSession,
  writeGraduation,
} from '../graduation/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { openServer } from './migrate-once.ts'
import { migrationSources } from './migration-sources.ts'
import { connectionsOf, openDatabaseServer, prepareDatabase } from './prepare-database.ts'
import type { System } from './system.ts'

/** Where to: a server by its address, or the embedded one. */
export type Target =
  | { readonly kind: 'url'; readonly url: Secret; readonly ca: string | undefined }
  | { readonly kind: 'embedded' }

interface GraduationSettings {
  readonly config: Config
  readonly system: System
  readonly log: Logger
  readonly target: Target
}

export interface Graduation {
  readonly from: string
  readonly to: string
  /** Looks only. */
  check(): Promise<readonly Check[]>
  run(pauseMaxMs: number, tell: (step: string, part?: number) => void): Promise<Graduated>
  /** Servers that only we have started stop. */
  close(): Promise<void>
}

/**
 * Opens both databases; undefined when the one that is meant counts already, also after a graduation that was killed when it had
 * given its word. Throws when one cannot be meant, or another graduation is under way.
 */
export async function openGraduation(settings: GraduationSettings): Promise<Graduation | undefined> {
  const { config, target } = settings
  const other = readGraduation(config.dataDirectory)
  if (other && other.pid !== process.pid && isUnderWay(other))
    throw new Error(`Another graduation is under way, to ${other.to} (process ${other.pid}).`)
  await finishMove(config)
  if (isThere(settings)) return undefined
  const source = await openSource(config)
  const opened = target.kind === 'url' ? openUrl(target) : await openEmbedded(config)
  const [from, to] = [nameOf(source.side()), nameOf(opened.side)]
  return {
    from,
    to,
    check: () => check(settings, source, opened.side),
    run: async (pauseMaxMs, tell) => {
      writeGraduation(config.dataDirectory, { pid: process.pid, to })
      try {
        await source.makeLogical(tell)
        return await run(settings, { source, to: opened.side, pauseMaxMs, tell })
      } finally {
        forgetGraduation(config.dataDirectory)
      }
    },
    close: async () => {
      await opened.close()
      await source.close()
    },
  }
}

function isThere({ config: { databaseUrl, isDatabaseKept }, target }: GraduationSettings): boolean {
  if (target.kind === 'embedded') return !databaseUrl
  const nameOfUrl = (url: Secret): string => nameOf(parseDatabaseUrl(url.reveal()))
  return isDatabaseKept && databaseUrl !== undefined && nameOfUrl(databaseUrl) === nameOfUrl(target.url)
}

interface Source {
  side(): Side
  readonly isEmbedded: boolean
  makeLogical(tell: (step: string) => void): Promise<void>
  /** Nobody follows it any more. */
  endLogical(): void
  close(): Promise<void>
}

async function openSource(config: Config): Promise<Source> {
  let opened = await openServer(config)
  const isEmbedded = opened.server.embedded !== undefined
  const makeLogical = async (tell: (step: string) => void): Promise<void> => {
    if (!isEmbedded || (await isLogical(opened.server))) return
    tell('starting the embedded server again, so that its changes can be followed')
    wantLogical(config.dataDirectory, true)
    if (opened.isOurs) await opened.close()
    else process.kill(opened.server.embedded?.pid ?? 0, 'SIGINT')
    await opened.server.embedded?.exited
    opened = await reopen(config, opened)
  }
  return {
    side: () => opened.server,
    isEmbedded,
    makeLogical,
    endLogical: () => isEmbedded && wantLogical(config.dataDirectory, false),
    close: () => opened.close(),
  }
}

const REOPEN_MS = 30_000

/** Whoever keeps it running starts it again; where nobody does, we do. */
async function reopen(config: Config, { server, isOurs }: OpenedSource): Promise<OpenedSource> {
  if (isOurs) return openServer(config)
  for (const end = Date.now() + REOPEN_MS; ; await pause(SECOND / 20)) {
    const running = readPostmaster(join(config.dataDirectory, 'database'))
    if (running && isServer(running.pid)) {
      const again = { ...server, endpoint: { ...server.endpoint, port: running.port } }
      if (await isLogical(again).catch(() => false))
        return { server: again, isOurs: false, close: async () => undefined }
    }
    if (Date.now() > end)
      throw new Error(
        'The embedded server does not come back with wal_level = logical.\n    HINT: what runs here is an older release: start this one first',
      )
  }
}

type OpenedSource = Awaited<ReturnType<typeof openServer>>

const isLogical = (side: Side): Promise<boolean> =>
  withSession(side, async (session) => {
    const { rows } = await session.query<{ level: string }>(`select current_setting('wal_level') as level`)
    return rows[0]?.level === 'logical'
  })

const openUrl = ({ url, ca }: Extract<Target, { kind: 'url' }>) => ({
  side: parseDatabaseUrl(url.reveal(), ca, '--to') as Side,
  close: async (): Promise<void> => undefined,
})

/** Left running when a supervisor has taken it over. */
async function openEmbedded(config: Config) {
  // Since it was left; the database in it that was left has a mark of its own.
  holdWrites(config.dataDirectory, false)
  const server = await openDatabaseServer({ ...config, databaseUrl: undefined })
  return {
    side: server as Side,
    close: async (): Promise<void> => {
      for (let looks = 0; looks < 20; looks++, await pause(SECOND / 10))
        if (existsSync(join(config.dataDirectory, 'supervisor.pid'))) return server.embedded?.leave()
      await server.embedded?.stop()
    },
  }
}

async function check(
  { config, system, target }: GraduationSettings,
  source: Source,
  to: Side,
): Promise<readonly Check[]> {
  const { endpoint, admin } = source.side()
  const pending = await readPending(endpoint, admin, [platformMigrations, ...migrationSources(system.apps)])
  return checkGraduation({
    from: source.side(),
    to,
    isEmbedded: source.isEmbedded,
    dataDirectory: source.isEmbedded ? config.dataDirectory : undefined,
    pending: pending.map(({ app, name }) => `${app}/${name}`),
    connections: target.kind === 'url' ? connectionsOf(config) : 0,
  })
}

interface RunParts {
  readonly source: Source
  readonly to: Side
  readonly pauseMaxMs: number
  readonly tell: (step: string, part?: number) => void
}

async function run(settings: GraduationSettings, { source, to, pauseMaxMs, tell }: RunParts): Promise<Graduated> {
  const { config, system, log } = settings
  const secret = config.secrets.databaseRoleSecret
  const from = source.side()
  const rolesOf = ({ endpoint, admin }: Side) => ({
    admin: admin.user,
    app: loginOf('app', secret, endpoint).user,
    worker: loginOf('worker', secret, endpoint).user,
    reader: loginOf('reader', secret, endpoint).user,
  })
  const done = await graduate({
    from,
    to,
    roles: { from: rolesOf(from), to: rolesOf(to) },
    makeDatabase: () => ensureDatabaseAndRoles(to.endpoint, to.admin, secret),
    prepare: async () =>
      void (await prepareDatabase({ ...to, embedded: undefined }, config, system.apps, log, undefined, true)),
    pauseMaxMs,
    hold: (isHeld) =>
      source.isEmbedded ? hold(config.dataDirectory, from, to, isHeld ? pauseMaxMs : undefined) : Promise.resolve(),
    isHoldOurs: source.isEmbedded,
    decide: async () => decide(settings),
    tell,
  })
  source.endLogical()
  return done
}

/** Written down first: whoever keeps the database running ends the hold when we are gone. */
async function hold(dataDirectory: string, from: Side, to: Side, pauseMaxMs: number | undefined): Promise<void> {
  const state = { pid: process.pid, to: nameOf(to) }
  if (pauseMaxMs !== undefined) writeGraduation(dataDirectory, { ...state, pausedUntil: Date.now() + pauseMaxMs })
  holdWrites(dataDirectory, pauseMaxMs !== undefined)
  if (pauseMaxMs === undefined) writeGraduation(dataDirectory, state)
  else await untilHeld(from)
}

/** Where a setting says where the database is, only its owner can say otherwise: then the mark in the old one is the word. */
function decide({ config, target }: GraduationSettings): void {
  if (!config.isDatabaseKept) return
  if (target.kind === 'url') keepDatabase(config.dataDirectory, target.url.reveal(), target.ca)
  else forgetKeptDatabase(config.dataDirectory)
}

/** Of a graduation that was killed after its word: the embedded database still keeps its log for somebody. */
async function finishMove(config: Config): Promise<void> {
  if (!config.isDatabaseKept || !config.databaseUrl || !existsSync(join(config.dataDirectory, 'database.logical')))
    return
  const old = await openServer({ ...config, databaseUrl: undefined })
  try {
    await withSession(old.server, async (session) => {
      await closeFeed(session)
      await refuseWrites(session, old.server.endpoint.database)
      await markMoved(session, nameOf(parseDatabaseUrl(config.databaseUrl?.reveal() ?? '')))
    })
    wantLogical(config.dataDirectory, false)
  } finally {
    await old.close()
  }
}

/** What waits for a graduation that nobody goes on with is let go. The half-filled database stays, marked as such. */
export async function abandonGraduation(config: Config): Promise<void> {
  const { server, close } = await openServer(config)
  try {
    await withSession(server, closeFeed)
    if (server.embedded) {
      wantLogical(config.dataDirectory, false)
      holdWrites(config.dataDirectory, false)
    }
    forgetGraduation(config.dataDirectory)
  } finally {
    await close()
  }
}

/** The word of an operator: the database that was left counts again, and what was written to the other one since is given up. */
export async function reopenOld(
  config: Config,
): Promise<{ readonly reopened: string; readonly left: string | undefined }> {
  const isEmbedded = config.isDatabaseKept
  const { server, close } = await openServer(isEmbedded ? { ...config, databaseUrl: undefined } : config)
  try {
    const reopened = nameOf(server)
    await withSession(server, async (session) => {
      await closeFeed(session)
      await reopenDatabase(session, server.endpoint.database)
    })
    if (!isEmbedded || !config.databaseUrl) return { reopened, left: undefined }
    wantLogical(config.dataDirectory, false)
    holdWrites(config.dataDirectory, false)
    const other = await openDatabaseServer(config)
    await withSession(other, async (session) => {
      await refuseWrites(session, other.endpoint.database)
      await markMoved(session, reopened)
    }).catch(() => undefined)
    forgetKeptDatabase(config.dataDirectory)
    return { reopened, left: nameOf(other) }
  } finally {
    await close()
  }
}
