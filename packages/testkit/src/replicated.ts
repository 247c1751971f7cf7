import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cosnap } from '@seaworthy/cosnap/app'
import { prepareDatabase } from '@seaworthy/platform/boot'
import { readConfig } from '@seaworthy/platform/config'
import {
  type EmbeddedServer,
  type Endpoint,
  loginOf,
  openClient,
  openDatabase,
  type PgSingleClient,
  startEmbeddedServer,
} from '@seaworthy/platform/data'
import { createMemoryLogger } from '@seaworthy/platform/telemetry'
import pg from 'pg'
import { makeAccount, type TestDatabase } from './database.ts'
import { generous } from './service.ts'

/** Two servers of this file's own: a migrated primary, and a standby that follows it. */
export interface ReplicatedDatabase {
  /** The primary, set up to be read from the standby. Closed with the pair. */
  readonly test: TestDatabase
  readonly standby: TestStandby
  close(): Promise<void>
}

export interface TestStandby {
  readonly endpoint: Endpoint
  readonly admin: PgSingleClient
  /** What the primary writes is received and not shown any more. */
  pauseReplay(): Promise<void>
  resumeReplay(): Promise<void>
  /** Frozen: connections stay open, and nothing answers. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void
}

const PASSWORD = 'only for tests'
const SLOT = 'standby'

export async function openReplicatedDatabase(): Promise<ReplicatedDatabase> {
  const directory = mkdtempSync(join(tmpdir(), 'seaworthy-replicated-'))
  const [home, other] = [join(directory, 'primary'), join(directory, 'standby')]
  const config = readConfig(home, { DATA_DIR: home })
  const server = await startEmbeddedServer(home, PASSWORD)
  await prepareDatabase({ ...server, embedded: server }, config, [cosnap], createMemoryLogger())
  await copyCluster(server, other)
  const copy = await startEmbeddedServer(other, PASSWORD)
  const appLogin = loginOf('app', config.secrets.databaseRoleSecret, server.endpoint)
  const limits = { max: 8, waitMs: 5_000, statementMs: 10_000, transactionMs: 30_000 }
  const database = openDatabase({ endpoint: server.endpoint, login: appLogin, name: 'test', limits })
  const [admin, watcher] = [
    await openClient(server.endpoint, server.admin, 'testkit'),
    await openClient(copy.endpoint, copy.admin, 'testkit'),
  ]
  const url = `postgresql://127.0.0.1:${copy.endpoint.port}/${copy.endpoint.database}`
  return {
    test: {
      endpoint: server.endpoint,
      config: readConfig(home, { DATA_DIR: home, DATABASE_REPLICA_URL: url, ...generous }),
      database,
      appLogin,
      admin,
      makeAccount: () => makeAccount(database),
      close: async () => undefined,
    },
    standby: {
      endpoint: copy.endpoint,
      admin: watcher,
      pauseReplay: async () => void (await watcher.query('select pg_wal_replay_pause()')),
      resumeReplay: async () => void (await watcher.query('select pg_wal_replay_resume()')),
      signal: (name) => signalServer(copy.pid, name),
    },
    close: async () => {
      await Promise.all([database.close(), admin.end(), watcher.end()])
      await copy.stop()
      await server.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** By the server's own base backup: the embedded build has no program for it. What is started there follows the primary. */
async function copyCluster({ endpoint, admin }: EmbeddedServer, directory: string): Promise<void> {
  const [backup, cluster] = [join(directory, 'backup'), join(directory, 'database')]
  mkdirSync(cluster, { recursive: true, mode: 0o700 })
  const settings = { host: endpoint.host, port: endpoint.port, ...admin, database: 'postgres', replication: 'database' }
  const client = new pg.Client(settings)
  await client.connect()
  await client.query(`select pg_create_physical_replication_slot('${SLOT}', true)`)
  await client.query(`BASE_BACKUP (CHECKPOINT 'fast', WAL true, TARGET 'server', TARGET_DETAIL '${backup}')`)
  await client.end()
  execFileSync('tar', ['--no-same-owner', '-xf', join(backup, 'base.tar'), '-C', cluster])
  execFileSync('chmod', ['700', cluster])
  rmSync(backup, { recursive: true })
  const source = `host=${endpoint.host} port=${endpoint.port} user=${admin.user} password='${admin.password}'`
  writeFileSync(join(cluster, 'standby.signal'), '')
  appendFileSync(
    join(cluster, 'postgresql.auto.conf'),
    `primary_conninfo = '${source.replaceAll("'", "''")}'\nprimary_slot_name = '${SLOT}'\n`,
  )
}

/** The postmaster and everything that it started. */
function signalServer(pid: number, name: NodeJS.Signals): void {
  const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
  for (const id of [...children.trim().split(/\s+/).map(Number), pid]) process.kill(id, name)
}
