import { execFile } from 'node:child_process'
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { type DatabaseClient, openClient } from './database.ts'
import { bareEnvironment } from './environment.ts'
import { type KeptProcess, keepProcess } from './kept-process.ts'
import { signalTree } from './process-tree.ts'
import type { Rig } from './rig.ts'
import type { Stack } from './stack.ts'
import { until } from './wait.ts'

/** A server of its own that follows the embedded database of a stack by streaming replication. */
export interface Standby {
  readonly port: number
  /** Its files. */
  readonly directory: string
  /** May do anything that a standby lets anybody do: read, pause, promote. */
  readonly admin: DatabaseClient
  /** What comes from the primary is kept and not shown any more. */
  pauseReplay(): Promise<void>
  resumeReplay(): Promise<void>
  /** Frozen or let go on, with everything that it has started: connections stay open and nothing answers. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): Promise<void>
  /** At once, as if its machine was gone; it starts again on the same files. */
  kill(): Promise<void>
  start(): Promise<void>
}

/** What a standby must have no less of than its primary. */
const shared = [
  'max_connections',
  'max_worker_processes',
  'max_wal_senders',
  'max_prepared_transactions',
  'max_locks_per_transaction',
]

/** Copies the stack's database and starts the copy on `port`. Stopped when the experiment has ended. */
export async function startStandby(rig: Rig, stack: Stack, port: number): Promise<Standby> {
  const primary = await stack.database('admin')
  const directory = mkdtempSync(join(rig.scratch, 'standby-'))
  await takeBaseBackup(primary, directory)
  follow(primary, directory, await reserveSlot(primary))
  const { rows } = await primary.query<{ name: string; setting: string }>(
    'select name, setting from pg_settings where name = any ($1)',
    [shared],
  )
  const settings = { port, listen_addresses: '127.0.0.1', unix_socket_directories: '' }
  const flags = [...Object.entries(settings), ...rows.map(({ name, setting }) => [name, setting] as const)]
  const args = ['-D', directory, ...flags.flatMap(([name, value]) => ['-c', `${name}=${value}`])]
  const address = `postgresql://${primary.user}:${encodeURIComponent(primary.password ?? '')}@127.0.0.1:${port}/${primary.database}`
  let server: KeptProcess
  const start = async (): Promise<void> => {
    server = runAsUser(programOf(stack), args)
    await until('the standby answers', () => answers(address))
  }
  const kill = async (): Promise<void> => {
    await server.signal('SIGQUIT')
    await server.exited
  }
  await start()
  rig.defer(async () => {
    signalTree(await server.pid, 'SIGCONT')
    await kill()
  })
  const admin = await openClient(address)
  rig.defer(() => admin.end())
  return {
    port,
    directory,
    admin,
    pauseReplay: async () => {
      await admin.query('select pg_wal_replay_pause()')
      const asked = `select pg_get_wal_replay_pause_state() = 'paused' as paused`
      await until('the replay is paused', async () => (await admin.query(asked)).rows[0].paused)
    },
    resumeReplay: async () => void (await admin.query('select pg_wal_replay_resume()')),
    signal: async (name) => void signalTree(await server.pid, name),
    kill,
    start,
  }
}

/** The files of a running server, through the replication protocol: the embedded build has no program for it. */
async function takeBaseBackup(primary: DatabaseClient, directory: string): Promise<void> {
  const { host, port, user, password } = primary
  const settings = { host, port, user, password, database: 'postgres', replication: 'database' }
  const client = new pg.Client(settings)
  const archive = `${directory}.backup`
  await client.connect()
  try {
    await client.query(`BASE_BACKUP (CHECKPOINT 'fast', WAL true, TARGET 'server', TARGET_DETAIL '${archive}')`)
  } finally {
    await client.end()
  }
  mkdirSync(directory, { recursive: true })
  // Whose they were is written in the archive as the server's own namespace names it.
  await promisify(execFile)('tar', ['--no-same-owner', '-xf', join(archive, 'base.tar'), '-C', directory])
  chmodSync(directory, 0o700)
  rmSync(archive, { recursive: true })
}

/** Where nothing is thrown away that the standby has not received. */
async function reserveSlot(primary: DatabaseClient): Promise<string> {
  const slot = `proof_${Date.now()}`
  await primary.query('select pg_create_physical_replication_slot($1, true)', [slot])
  return slot
}

function follow({ host, port, user, password }: DatabaseClient, directory: string, slot: string): void {
  const source = `host=${host} port=${port} user=${user} password='${password}'`
  writeFileSync(join(directory, 'standby.signal'), '')
  appendFileSync(
    join(directory, 'postgresql.auto.conf'),
    `primary_conninfo = '${source.replaceAll("'", "''")}'\nprimary_slot_name = '${slot}'\n`,
  )
}

/** The server's program as the product has installed it. */
function programOf(stack: Stack): string {
  const versions = join(stack.dataDirectory, 'postgres')
  return join(versions, readdirSync(versions)[0] ?? '', 'bin', 'postgres')
}

/** PostgreSQL does not run as root; as root it gets a namespace in which it is somebody else, like the product's. */
function runAsUser(program: string, args: readonly string[]): KeptProcess {
  const env = { ...bareEnvironment(), LC_ALL: 'C', TZ: 'UTC' }
  if (process.getuid?.() !== 0) return keepProcess(program, args, { env })
  return keepProcess('unshare', ['--user', '--map-user=1000', program, ...args], { env })
}

const answers = (address: string): Promise<boolean> =>
  openClient(address).then(
    async (client) => {
      await client.end()
      return true
    },
    () => false,
  )
