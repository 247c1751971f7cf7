import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Secret } from '@seaworthy/core'
import { prepareDatabase } from '@seaworthy/platform/boot'
import { type Config, type Environment, readConfig, replaceSecret } from '@seaworthy/platform/config'
import { type EmbeddedServer, openClient, type PgSingleClient, startEmbeddedServer } from '@seaworthy/platform/data'
import {
  type BackUpResult,
  backUp,
  findRestic,
  identityOf,
  openStore,
  type Places,
  parseTarget,
  placesOf,
  planRestore,
  type Restored,
  restore,
  type Shelf,
  type Store,
  shelvesOf,
  shipOnce,
} from '@seaworthy/platform/recovery'
import { createMemoryLogger } from '@seaworthy/platform/telemetry'
import { type KeyRing, openKeyRing, ringOf } from '@seaworthy/platform/vault'

/** An installation of one database with an archive, and stores beside it. No process of it runs but the server. */
export interface ArchivedDatabase {
  readonly config: Config
  readonly places: Places
  readonly ring: KeyRing
  readonly shelves: readonly Shelf[]
  readonly keys: readonly [Secret, ...Secret[]]
  /** For everything, on the database that runs now. */
  readonly admin: () => PgSingleClient
  readonly server: () => EmbeddedServer
  /** An empty directory that is removed with everything else. */
  scratch(name: string): string
  store(index?: number): Promise<Store>
  backUp(tell?: (step: string) => void): Promise<BackUpResult>
  /** Everything that was committed is in the stores afterwards. */
  archive(): Promise<void>
  restoreInto(directory: string, to?: string, index?: number): Promise<Restored>
  stop(): Promise<void>
  start(): Promise<void>
  close(): Promise<void>
}

export async function openArchivedDatabase(stores = 1, environment: Environment = {}): Promise<ArchivedDatabase> {
  const root = mkdtempSync(join(tmpdir(), 'seaworthy-archived-'))
  const directories = Array.from({ length: stores }, (_, i) => join(root, `store-${i + 1}`))
  for (const directory of directories) mkdirSync(directory)
  const dataDirectory = join(root, 'data')
  const config = readConfig(root, { DATA_DIR: dataDirectory, BACKUP_STORES: directories.join(','), ...environment })
  const places = placesOf(dataDirectory)
  const [ring, shelves, restic] = [openKeyRing(config), shelvesOf(config), findRestic(config.restic)]
  const keys = [config.secrets.encryptionKey] as const
  let server: EmbeddedServer
  let admin: PgSingleClient
  const start = async (): Promise<void> => {
    server = await startEmbeddedServer(dataDirectory, 'only for tests', 30, places.spool)
    await prepareDatabase({ ...server, embedded: server }, config, [], createMemoryLogger())
    admin = await openClient(server.endpoint, server.admin, 'testkit')
  }
  const stop = async (): Promise<void> => {
    await admin.end().catch(() => undefined)
    await server.stop()
  }
  const shipping = { places, shelves, ring, identity: identityOf(places), spoolBytesMax: config.backupSpoolBytes }
  replaceSecret(join(dataDirectory, 'secrets'), 'DATABASE_ADMIN_PASSWORD', 'only for tests')
  await start()
  const release = { version: '1.0.0', commit: 'test' }
  const store = async (index = 0): Promise<Store> => {
    const shelf = shelves[index]
    const opened = shelf && (await openStore(shelf, ring))
    if (!opened) throw new Error(`there is no store ${index}`)
    return opened
  }
  return {
    config,
    places,
    ring,
    shelves,
    keys,
    admin: () => admin,
    server: () => server,
    scratch: (name) => join(root, name),
    store,
    backUp: async (tell = () => undefined) => {
      await admin.query('update seaworthy.ring_keys set kit_verified_at = now()')
      const { endpoint, admin: login } = server
      return backUp({ config, endpoint, admin: login, ring, shelves, places, restic, release, tell })
    },
    archive: () => archiveAll(admin, () => shipOnce(shipping)),
    restoreInto: async (directory, to = 'latest', index = 0) =>
      restore({
        plan: await planRestore(await store(index), parseTarget(to)),
        destination: { kind: 'beside', directory, keys },
        ring: ringOf(...keys),
        restic,
        tell: () => undefined,
      }),
    stop,
    start,
    close: async () => {
      await stop()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

async function archiveAll(admin: PgSingleClient, ship: () => Promise<unknown>): Promise<void> {
  const { rows } = await admin.query<{ name: string }>('select pg_walfile_name(pg_switch_wal()) as name')
  for (let waiting = true; waiting; ) {
    await ship()
    const { rows: archived } = await admin.query<{ done: boolean }>(
      'select last_archived_wal >= $1 as done from pg_stat_archiver',
      [rows[0]?.name],
    )
    waiting = archived[0]?.done !== true
  }
  await ship()
}
