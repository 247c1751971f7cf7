import { type ChildProcess, spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { MiB, pause } from '@seaworthy/core'
import { type Endpoint, openClient } from '../drivers/pg.ts'
import { type Binaries, installBinaries } from './binaries.ts'
import { ADMIN, prepareCluster, refuseFullDisk, serverEnvironment } from './cluster.ts'
import { logicalSettings } from './logical.ts'
import { isAlive, isServer, readPostmaster } from './postmaster.ts'
import { asServerUser } from './run-as.ts'
import { finishSwap } from './swap.ts'

export interface EmbeddedServer {
  readonly endpoint: Endpoint
  readonly admin: { readonly user: string; readonly password: string }
  /** `adopted`: it was running already, left by a supervisor that was killed. */
  readonly origin: 'started' | 'adopted'
  readonly pid: number
  /** Resolves when the server process is gone, for whatever reason. */
  readonly exited: Promise<void>
  /** It runs on when we end. */
  leave(): void
  /** Fast shutdown: open transactions are rolled back, files are left consistent. */
  stop(): Promise<void>
}

const READY_MS = 60_000
const STOP_MS = 30_000
const POLL_MS = 25
const LOG_BYTES_MAX = 10 * MiB

/**
 * Starts the embedded PostgreSQL with its files below `dataDirectory`, or adopts the one that still runs there. With
 * `archiveDirectory` it copies each segment of its log there when it is full, or at the latest after `ARCHIVE_SECONDS`.
 */
export async function startEmbeddedServer(
  dataDirectory: string,
  password: string,
  connections = 60,
  archiveDirectory?: string,
): Promise<EmbeddedServer> {
  finishSwap(dataDirectory)
  refuseFullDisk(join(dataDirectory, 'database'))
  const binaries = installBinaries(join(dataDirectory, 'postgres'))
  const cluster = join(dataDirectory, 'database')
  prepareCluster(binaries, cluster, password)
  const running = readPostmaster(cluster)
  if (running && isServer(running.pid)) return adopt(running, password)
  // The pid of a server that is long gone may belong to another program by now, which PostgreSQL would not start beside.
  if (running && isAlive(running.pid)) rmSync(join(cluster, 'postmaster.pid'), { force: true })
  const more = { ...archiveSettings(archiveDirectory), ...logicalSettings(dataDirectory) }
  return launch(binaries, cluster, password, { connections, more })
}

async function adopt(running: { pid: number; port: number }, password: string): Promise<EmbeddedServer> {
  const endpoint = localEndpoint(running.port)
  await untilReady(endpoint, password, () => isServer(running.pid))
  const exited = (async () => {
    while (isServer(running.pid)) await pause(250)
  })()
  return describe(endpoint, password, { origin: 'adopted', pid: running.pid, exited, leave: () => undefined })
}

async function launch(
  binaries: Binaries,
  cluster: string,
  password: string,
  { connections, more, patienceMs = READY_MS }: { connections: number; more: ServerSettings; patienceMs?: number },
): Promise<EmbeddedServer> {
  const port = await choosePort(join(cluster, '..', 'database.port'))
  const log = openLog(join(cluster, '..', 'database.log'))
  const child = spawnServer(binaries, cluster, { port, connections, log, more })
  closeSync(log)
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  let alive = true
  void exited.then(() => {
    alive = false
  })
  const endpoint = localEndpoint(port)
  await untilReady(endpoint, password, () => alive, patienceMs).catch((cause: unknown) => {
    throw new Error(`The embedded database did not start: ${lastLogLine(cluster)}`, { cause })
  })
  return describe(endpoint, password, { origin: 'started', pid: child.pid ?? 0, exited, leave: () => child.unref() })
}

/** The last ten megabytes and one older file. While the server runs the janitor sees to it. */
function openLog(path: string): number {
  if (existsSync(path) && statSync(path).size > LOG_BYTES_MAX) renameSync(path, `${path}.1`)
  return openSync(path, 'a', 0o600)
}

type ServerSettings = Readonly<Record<string, string | number>>

/** What is not yet archived after this many seconds would be lost with the disk. */
const ARCHIVE_SECONDS = 5

function archiveSettings(directory: string | undefined): ServerSettings {
  if (!directory) return {}
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  return {
    archive_mode: 'on',
    archive_library: 'basic_archive',
    'basic_archive.archive_directory': directory,
    archive_timeout: `${ARCHIVE_SECONDS}s`,
  }
}

export interface RecoverySettings {
  /** The files of a base backup. */
  readonly cluster: string
  readonly binariesDirectory: string
  readonly password: string
  /** Every segment that may be asked for, as plain files. */
  readonly walDirectory: string
  /** Where segments go that are written from the promotion on. */
  readonly archiveDirectory: string
  readonly timeline: number
  readonly target: { readonly time?: string; readonly transaction?: string }
  /** How long replaying may take. In milliseconds. */
  readonly patienceMs: number
}

/**
 * Replays the log over a base backup up to the target, and opens the database there on a timeline of its own. Nobody can
 * connect before. Throws with what the server said.
 */
export async function recoverCluster(settings: RecoverySettings): Promise<EmbeddedServer> {
  const { cluster, target, patienceMs } = settings
  writeFileSync(join(cluster, 'recovery.signal'), '')
  const wal = settings.walDirectory
  if (/['"%\\]/.test(wal)) throw new Error(`${wal} has a character that no path may have here`)
  return launch(installBinaries(settings.binariesDirectory), cluster, settings.password, {
    connections: 20,
    patienceMs,
    more: {
      ...archiveSettings(settings.archiveDirectory),
      hot_standby: 'off',
      restore_command: `cp "${wal}/%f" "%p" 2>/dev/null`,
      recovery_target_timeline: String(settings.timeline),
      recovery_target_action: 'promote',
      ...(target.time ? { recovery_target_time: target.time } : {}),
      ...(target.transaction ? { recovery_target_xid: target.transaction } : {}),
    },
  })
}

/** In a process group of its own: a Ctrl-C on the terminal must reach the supervisor only, which stops it last. */
function spawnServer(
  binaries: Binaries,
  cluster: string,
  { port, connections, log, more }: { port: number; connections: number; log: number; more: ServerSettings },
): ChildProcess {
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: connections,
    shared_buffers: '32MB',
    max_wal_size: '256MB',
    min_wal_size: '16MB',
    wal_level: 'replica',
    checkpoint_timeout: '5min',
    password_encryption: 'scram-sha-256',
    log_timezone: 'UTC',
    timezone: 'UTC',
    log_min_duration_statement: '500ms',
    // Values of people's rows do not belong into a log: no parameters, and no details of violated keys.
    log_parameter_max_length: 0,
    log_parameter_max_length_on_error: 0,
    log_error_verbosity: 'terse',
    autovacuum_max_workers: 1,
    autovacuum_worker_slots: 2,
    max_worker_processes: 2,
    max_parallel_workers: 0,
    io_method: 'sync',
    jit: 'off',
    ...more,
  }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const { command, args } = asServerUser(binaries.postgres, ['-D', cluster, ...flags])
  return spawn(command, args, { stdio: ['ignore', log, log], env: serverEnvironment(), detached: true })
}

function describe(
  endpoint: Endpoint,
  password: string,
  { pid, exited, ...rest }: Pick<EmbeddedServer, 'origin' | 'pid' | 'exited' | 'leave'>,
): EmbeddedServer {
  const stop = async (): Promise<void> => {
    signal(pid, 'SIGINT')
    const late = new AbortController()
    await Promise.race([exited, pause(STOP_MS, late.signal).then(() => !late.signal.aborted && signal(pid, 'SIGQUIT'))])
    late.abort()
    await exited
  }
  return { endpoint, admin: { user: ADMIN, password }, pid, exited, ...rest, stop }
}

async function untilReady(
  endpoint: Endpoint,
  password: string,
  alive: () => boolean,
  patienceMs = READY_MS,
): Promise<void> {
  const deadline = Date.now() + patienceMs
  let last: unknown
  while (alive() && Date.now() < deadline) {
    try {
      const client = await openClient({ ...endpoint, database: 'postgres' }, { user: ADMIN, password }, 'start')
      await client.end()
      return
    } catch (error) {
      last = error
      await pause(POLL_MS)
    }
  }
  throw new Error('the server does not answer', { cause: last })
}

const PORT_FIRST = 20_000
const PORT_COUNT = 10_000
const PORT_TRIES = 50

/**
 * The port of last time when it is free, else another: a taken port is no reason not to start. Below the range from
 * which the system serves outgoing connections, so that none of them takes it while the server restarts.
 */
async function choosePort(file: string): Promise<number> {
  const last = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
  if (last > 0 && (await tryPort(last))) return last
  for (let tries = 0; tries < PORT_TRIES; tries++) {
    const port = PORT_FIRST + Math.floor(Math.random() * PORT_COUNT)
    if (!(await tryPort(port))) continue
    // On the disk at once: whoever starts after a crash must find it.
    writeFileSync(file, String(port), { flush: true })
    return port
  }
  throw new Error(`No free port was found between ${PORT_FIRST} and ${PORT_FIRST + PORT_COUNT} for the database.`)
}

function tryPort(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)))
  })
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // Gone already.
  }
}

function lastLogLine(cluster: string): string {
  const log = readFileSync(join(cluster, '..', 'database.log'), 'utf8')
  const line =
    log
      .trim()
      .split('\n')
      .findLast((text) => /FATAL|PANIC|ERROR|error/.test(text)) ?? ''
  if (/No space left/.test(log.slice(-4_000)))
    return 'the disk is full.\n    HINT: make space; nothing that was acknowledged is lost.'
  return `${line.replace(/^.*?(FATAL|PANIC|ERROR):\s*/, '')}\n    HINT: read ${join(cluster, '..', 'database.log')}`
}

const localEndpoint = (port: number): Endpoint => ({ host: '127.0.0.1', port, database: 'seaworthy', tls: 'off' })
