import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { KiB, SECOND } from '@seaworthy/core'
import { addressOf, type Config } from '../config/index.ts'
import { hasErasures } from '../privacy/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { type AdminParts, startAdminServer } from './admin-server.ts'
import { awaitPreparedDatabase } from './await-database.ts'
import { type ChildView, type SupervisedChild, superviseChild } from './child.ts'
import { type Closer, createCloser } from './closer.ts'
import { keepReserve } from './disk-space.ts'
import { type KeptServer, openKeptServer } from './kept-server.ts'
import { lockDataDirectory } from './lock.ts'
import { operatorLink } from './operator-link.ts'
import { type OpenedServer, prepareDatabase } from './prepare-database.ts'
import { type SocketName, socketDraft, takeSocketName } from './socket-name.ts'
import type { Build, System } from './system.ts'
import { refuseTakenPort } from './taken-port.ts'

export interface SupervisorSettings {
  /** Aborted when the start is no longer wanted. */
  readonly signal: AbortSignal
  readonly system: System
  readonly build: Build
  readonly config: Config
  readonly log: Logger
  /** The program that runs one process: `<entry> web`. */
  readonly entry: string
  readonly execArgv: readonly string[]
  /** Variables that the processes get instead of ours. */
  readonly environment?: Record<string, string>
  readonly onLine: (line: string) => void
  /** Called once, when everything is ready for the first time. */
  readonly onReady: (summary: Summary) => void
}

export interface Summary {
  /** The commit that runs. */
  readonly release: string
  /** Where people come in; undefined where no web process runs. */
  readonly url: string | undefined
  /** The Unix socket that a proxy opens instead of a port. */
  readonly socket: string | undefined
  /** Address, or the path of a Unix socket. */
  readonly adminUrl: string
  readonly parts: readonly ChildView[]
  readonly database: string
  readonly dataDirectory: string
  readonly migrations: number
  /** While there is no operator. */
  readonly operatorLink: string | undefined
}

export interface Supervisor {
  /** In order: requests, jobs, database. */
  stop(): Promise<void>
  /** Web processes end and start at once, workers after them: their program has changed. */
  reload(): Promise<void>
  /** At once; the database still stops cleanly. */
  force(): Promise<void>
  /** Rejects when something is wrong that no restart mends. */
  readonly failed: Promise<never>
}

/** Starts every part on this machine, keeps each running, and stops them in order. */
export async function startSupervisor(settings: SupervisorSettings): Promise<Supervisor> {
  const { config, log } = settings
  const socketName = await takeEntrance(config)
  const adminName = await takeAdminEntrance(config)
  const closer = createCloser(log)
  // Two releases beside each other share the directory. Only the embedded database must not have two owners.
  if (!config.databaseUrl) closer.add('lock', lockDataDirectory(config.dataDirectory))
  let fail: (error: Error) => void = () => undefined
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  failed.catch(() => undefined)
  const aborted = new AbortController()
  settings.signal.addEventListener('abort', () => aborted.abort(), { once: true })
  let publicPort = config.port
  const children = startChildren(settings, fail, (port) => {
    publicPort = port
    try {
      socketName?.publish()
    } catch (error) {
      fail(error as Error)
    }
  })
  const stop = async (deadlineMs: number): Promise<void> => {
    aborted.abort()
    await Promise.all(children.all.map((child) => child.stop(deadlineMs)))
    socketName?.remove()
    await closer.close()
  }
  try {
    let kept: KeptServer | undefined
    const adminUrl = await openAdmin(config, adminName, closer, {
      snapshots: () => snapshots(children.all),
      status: () => statusOf(children.all, kept?.current(), settings.build),
    })
    kept = await openServer(settings, closer, children.all, aborted.signal)
    const server = kept.current()
    const prepared = await prepareOrWait(server, settings, aborted.signal)
    await careForDisk(settings, server, aborted.signal)
    // Where nobody was ever erased the supervisor stays small.
    if (hasErasures(config.dataDirectory)) await (await import('./privacy.ts')).eraseAgain(config, server.endpoint, log)
    for (const child of children.all) child.go(server.endpoint)
    const url = config.port === 0 ? `http://localhost:${publicPort}` : config.publicUrl
    const database = describeDatabase(server)
    void children.ready.then(() => {
      log.info('ready', { release: settings.build.commit, version: settings.build.version })
      settings.onReady({
        release: settings.build.commit,
        url: config.webProcesses > 0 ? url : undefined,
        socket: config.webProcesses > 0 ? config.socket : undefined,
        adminUrl,
        parts: children.all.map((child) => child.view()),
        database,
        dataDirectory: config.dataDirectory,
        migrations: prepared.migrations,
        operatorLink: prepared.operatorToken && `${url}/sign-up?operator=${prepared.operatorToken}`,
      })
    })
  } catch (error) {
    await stop(SECOND)
    throw error
  }
  return {
    stop: () => stop(config.shutdownMs + 5 * SECOND),
    force: () => stop(0),
    reload: async () => {
      const [web, workers] = [children.all.filter(isWeb), children.all.filter((child) => !isWeb(child))]
      await Promise.all(web.map((child) => child.reload()))
      await Promise.all(workers.map((child) => child.reload()))
    },
    failed,
  }
}

const openServer = (
  settings: SupervisorSettings,
  closer: Closer,
  children: readonly SupervisedChild[],
  signal: AbortSignal,
): Promise<KeptServer> =>
  openKeptServer({
    ...settings,
    closer,
    children,
    signal,
    onCameBack: (embedded) => void careForDisk(settings, embedded, signal),
  })

/** Where nothing is backed up the supervisor stays small. */
async function careForDisk(
  settings: SupervisorSettings,
  { embedded }: OpenedServer,
  signal: AbortSignal,
): Promise<void> {
  const { config, log } = settings
  if (embedded) void keepReserve(config.dataDirectory, log, signal)
  if (config.backupStores.length === 0) return
  if (embedded) (await import('./recovery.ts')).keepRecoverable({ ...settings, signal })
  else log.warn('BACKUP_STORES keeps the embedded database only; HINT: back up the server of DATABASE_URL by itself')
}

/** Where people or their proxy come in: refused now when it is taken, with words. */
async function takeEntrance(config: Config): Promise<SocketName | undefined> {
  if (config.webProcesses === 0) return undefined
  if (config.socket) return takeSocketName(config.socket)
  await refuseTakenPort(config.port, config.host, 'PORT', 'HOST')
  return undefined
}

/** The same for whoever watches it. */
async function takeAdminEntrance({ adminSocket, adminHost, adminPort }: Config): Promise<SocketName | undefined> {
  if (adminSocket) return takeSocketName(adminSocket)
  await refuseTakenPort(adminPort, adminHost, 'ADMIN_PORT', 'ADMIN_HOST')
  return undefined
}

/** Says where it answers. */
async function openAdmin(
  { adminSocket, adminHost, adminPort }: Config,
  name: SocketName | undefined,
  closer: Closer,
  parts: AdminParts,
): Promise<string> {
  const admin = await startAdminServer(
    adminSocket ? { path: socketDraft(adminSocket, process.pid) } : { host: adminHost, port: adminPort },
    parts,
  )
  name?.publish()
  closer.add('admin', () => {
    name?.remove()
    admin.close()
  })
  return adminSocket ?? addressOf(adminHost, (admin.address() as AddressInfo).port)
}

/** Brings the database up to date, or only waits until somebody else has: then they print the link as well. */
async function prepareOrWait(
  server: OpenedServer,
  { config, log, system: { apps } }: SupervisorSettings,
  signal: AbortSignal,
): Promise<{ readonly migrations: number; readonly operatorToken?: string | undefined }> {
  if (config.migrations === 'wait') {
    await awaitPreparedDatabase({ endpoint: server.endpoint, config, apps, log, signal })
    return { migrations: 0 }
  }
  const { length } = await prepareDatabase(server, config, apps, log, signal)
  return { migrations: length, operatorToken: await operatorLink(server.endpoint, config) }
}

const isWeb = (child: SupervisedChild): boolean => child.role === 'web'

function startChildren(
  settings: SupervisorSettings,
  fail: (error: Error) => void,
  onListening: (port: number) => void,
) {
  const { config, log } = settings
  let waiting = config.webProcesses + config.workerProcesses
  let allReady: () => void = () => undefined
  const ready = new Promise<void>((resolve) => {
    allReady = resolve
  })
  const names = [
    ...Array.from({ length: config.webProcesses }, (_, i) => ({
      role: 'web' as const,
      name: config.webProcesses > 1 ? `web ${i + 1}` : 'web',
    })),
    ...Array.from({ length: config.workerProcesses }, (_, i) => ({
      role: 'worker' as const,
      name: config.workerProcesses > 1 ? `worker ${i + 1}` : 'worker',
    })),
  ]
  const all = names.map(({ role, name }): SupervisedChild => {
    let counted = false
    return superviseChild({
      role,
      name,
      entry: settings.entry,
      execArgv: settings.execArgv,
      environment: settings.environment ?? {},
      onLine: settings.onLine,
      onListening,
      onReady: () => {
        if (counted) return
        counted = true
        if (--waiting === 0) allReady()
      },
      onFatal: (message) => fail(new Error(message)),
      onRestart: (part, code) =>
        log.error('a process ended and is started again', { runbook: 'service-down', part, code }),
    })
  })
  return { all, ready }
}

async function snapshots(children: readonly SupervisedChild[]): Promise<readonly unknown[][]> {
  const all = await Promise.all(children.map((child) => child.metrics()))
  return all.filter((snapshot) => snapshot !== undefined)
}

function statusOf(children: readonly SupervisedChild[], server: OpenedServer | undefined, build: Build) {
  // Here and not by who asks: in a container a process has another number than outside.
  const parts = children.map((child) => ({ ...child.view(), memoryBytes: memoryOf(child.view().pid) }))
  return {
    status: parts.every((part) => part.state === 'ready') ? ('ok' as const) : ('failed' as const),
    release: build.commit,
    version: build.version,
    parts,
    database: server ? describeDatabase(server) : 'not reached yet',
    memoryBytes: process.memoryUsage().rss,
  }
}

/** Resident memory of a process in bytes; undefined where there is none, or the machine has no /proc. */
function memoryOf(pid: number | undefined): number | undefined {
  try {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return kibibytes === undefined ? undefined : Number(kibibytes) * KiB
  } catch {
    return undefined
  }
}

const describeDatabase = ({ endpoint, embedded }: OpenedServer): string =>
  embedded
    ? `embedded, ${embedded.origin === 'adopted' ? 'adopted from an earlier start, ' : ''}port ${endpoint.port}`
    : `${endpoint.host}:${endpoint.port}/${endpoint.database}`
