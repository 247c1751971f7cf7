import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { MINUTE, MiB, newId, pause, showBytes } from '@seaworthy/core'
import type { Config } from '../config/index.ts'
import {
  asOwner,
  type BaseBackup,
  type Endpoint,
  type Login,
  openClient,
  type PgSingleClient,
  sql,
  takeBaseBackup,
} from '../data/index.ts'
import { type KeyRing, unverifiedKeys } from '../vault/index.ts'
import { readBase } from './base-files.ts'
import { bringBlobs, listBlobsOnDisk } from './blobs-on-disk.ts'
import type { Restic } from './drivers/restic.ts'
import { collectFiles, packFiles } from './kept-files.ts'
import { parseManifest } from './manifest.ts'
import { identityOf, type Places } from './places.ts'
import { blobsKeyOf, filesKeyOf, listPoints, newPointId, type Point, writePoint } from './point.ts'
import { type BlobList, type Forgotten, forgetOld } from './retention.ts'
import { keyOfWal, segmentAt, segmentBefore, segmentName } from './segments.ts'
import type { Shelf } from './shelf.ts'
import { type Shipped, shipOnce } from './ship.ts'
import { prepareStore, type Store } from './store.ts'

export interface BackUpSettings {
  readonly config: Config
  readonly endpoint: Endpoint
  readonly admin: Login
  readonly ring: KeyRing
  readonly shelves: readonly Shelf[]
  readonly places: Places
  readonly restic: Restic
  readonly release: { readonly version: string; readonly commit: string }
  /** From an installation that is gone, for good. */
  readonly takeOver?: boolean
  /** Each step when it begins. */
  readonly tell: (step: string) => void
}

export interface BackUpResult {
  readonly points: readonly { readonly store: string; readonly point: Point; readonly forgotten: Forgotten }[]
  readonly failures: readonly { readonly store: string; readonly problem: string }[]
}

const LOCK = 7305831
const SHIP_MS = MINUTE
const SHRUNKEN_PART = 0.5
const SPARE_BYTES = 200 * MiB
const BASE = 'base.tar'
const MANIFEST = 'backup_manifest'

/**
 * Makes a recovery point in every store. It counts when its base was read back from the store and compared with the
 * server's manifest, and when everything that it needs is there: only then its record is written, and old ones may go.
 * Throws when no store has a new point.
 */
export async function backUp(settings: BackUpSettings): Promise<BackUpResult> {
  const { endpoint, admin, tell } = settings
  const client = await openClient(endpoint, admin, 'backup')
  try {
    tell('look whether it can be made')
    await refuse(client, settings)
    return await backUpLocked(client, settings)
  } finally {
    await client.end()
  }
}

async function refuse(client: PgSingleClient, { config, shelves, endpoint, admin }: BackUpSettings): Promise<void> {
  if (config.databaseUrl)
    throw new Error(
      'Recovery points are made of the embedded database only.\n    HINT: back up the server of DATABASE_URL with its own tools, such as pgBackRest',
    )
  if (shelves.length === 0)
    throw new Error(
      'There is no store for backups.\n    HINT: export BACKUP_STORES=/mnt/backup   # another disk or machine',
    )
  const unverified = await asOwner(endpoint, admin, 'backup', unverifiedKeys)
  if (unverified.length)
    throw new Error(
      `A backup is worth nothing without its keys, and no verified recovery kit holds ${unverified.join(', ')}.\n` +
        '    HINT: seaworthy keys kit FILE, carry it elsewhere, and then: seaworthy keys kit --verify FILE',
    )
  const { rows } = await client.query<{ mode: string }>(`select current_setting('archive_mode') as mode`)
  if (rows[0]?.mode !== 'on')
    throw new Error(
      'The database was started without an archive.\n    HINT: stop and start it, now that BACKUP_STORES is set',
    )
  const { rows: locks } = await client.query<{ taken: boolean }>(`select pg_try_advisory_lock(${LOCK}) as taken`)
  if (!locks[0]?.taken) throw new Error('Another backup is under way.\n    HINT: wait until it has ended')
}

interface Copy {
  readonly id: string
  readonly directory: string
  readonly base: BaseBackup
  readonly begunAt: string
  readonly manifest: Buffer
}

async function backUpLocked(client: PgSingleClient, settings: BackUpSettings): Promise<BackUpResult> {
  const { places, tell } = settings
  tell('open the stores')
  const opened = await eachStore(settings.shelves, (shelf) => openForBackup(shelf, settings))
  if (opened.good.length === 0) throw failureOf(opened.failures)
  tell('copy the database')
  const copy = await copyDatabase(client, settings)
  try {
    tell('save the copy')
    const saved = await eachStore(opened.good, (store) => saveCopy(store, copy, settings))
    tell('write the sentinel')
    const sentinel = await writeSentinel(client, settings, copy)
    tell('bring files')
    const blobs = settings.config.s3Endpoint ? undefined : await listBlobsOnDisk(places.blobs)
    const brought = await eachStore(saved.good, async (one) => {
      await bringRest(one.store, copy, settings, blobs)
      return one
    })
    tell('wait for the log')
    await untilShipped(brought.good, sentinel.segment, settings)
    tell('write the point')
    const finished = await eachStore(brought.good, (one) => finish(one, { copy, sentinel, blobs, settings, client }))
    const failures = [...opened.failures, ...saved.failures, ...brought.failures, ...finished.failures]
    if (finished.good.length === 0) throw failureOf(failures)
    return { points: finished.good, failures }
  } finally {
    await rm(copy.directory, { recursive: true, force: true })
  }
}

type Failure = { readonly store: string; readonly problem: string }

const failureOf = (failures: readonly Failure[]): Error =>
  new Error(failures.map(({ store, problem }) => `${store}: ${problem}`).join('\n'))

/** One store that fails does not keep the others from having a point. */
async function eachStore<A extends Shelf | Store | { readonly store: Store }, B>(
  all: readonly A[],
  work: (one: A) => Promise<B>,
): Promise<{ readonly good: readonly B[]; readonly failures: readonly Failure[] }> {
  const good: B[] = []
  const failures: Failure[] = []
  for (const one of all)
    try {
      good.push(await work(one))
    } catch (error) {
      failures.push({ store: nameOf(one), problem: (error as Error).message })
    }
  return { good, failures }
}

const nameOf = (one: Shelf | Store | { readonly store: Store }): string =>
  'name' in one ? one.name : 'shelf' in one ? one.shelf.name : one.store.shelf.name

async function openForBackup(shelf: Shelf, { ring, places, restic, takeOver }: BackUpSettings): Promise<Store> {
  const store = await prepareStore(shelf, ring, identityOf(places), takeOver)
  await restic.prepare(store)
  return store
}

async function copyDatabase(client: PgSingleClient, { places, endpoint, admin }: BackUpSettings): Promise<Copy> {
  // What an earlier one left that was killed.
  await rm(places.staging, { recursive: true, force: true })
  await mkdir(places.staging, { recursive: true, mode: 0o700 })
  await refuseFullDisk(client, places.staging)
  const at = new Date()
  const id = newPointId(at, randomBytes(3).toString('hex'))
  const directory = join(places.staging, id)
  const base = await takeBaseBackup(endpoint, admin, { label: id, directory })
  return { id, directory, base, begunAt: at.toISOString(), manifest: await readFile(join(directory, MANIFEST)) }
}

/** The server writes the copy beside itself first; it must never fill its own disk with it. */
async function refuseFullDisk(client: PgSingleClient, directory: string): Promise<void> {
  const { rows } = await client.query<{ bytes: number }>(
    'select sum(pg_database_size(oid))::bigint as bytes from pg_database',
  )
  const { bavail, bsize } = await statfs(directory)
  const needed = Number(rows[0]?.bytes ?? 0) + SPARE_BYTES
  if (bavail * bsize < needed)
    throw new Error(
      `A copy of the database needs ${showBytes(needed)} on the disk of DATA_DIR, where ${showBytes(bavail * bsize)} are free.\n    HINT: make space`,
    )
}

interface SavedCopy {
  readonly store: Store
  readonly base: Point['base']
  readonly systemId: string
}

async function saveCopy(store: Store, copy: Copy, { restic }: BackUpSettings): Promise<SavedCopy> {
  const names = [BASE, MANIFEST]
  const { snapshot, addedBytes } = await restic.save(store, { directory: copy.directory, names, tag: copy.id })
  // Read back from where a restore would read it.
  const manifest = parseManifest(copy.manifest)
  const { bytes, done } = await restic.open(store, snapshot, BASE)
  const { files, bytes: size } = await readBase(bytes, manifest)
  await done
  const manifestSha256 = createHash('sha256').update(copy.manifest).digest('hex')
  return { store, systemId: manifest.systemId, base: { snapshot, addedBytes, files, bytes: size, manifestSha256 } }
}

interface Sentinel {
  readonly id: string
  readonly at: string
  readonly segment: string
  readonly segmentBytes: number
  readonly transaction: string
}

/** After the base, in the log: whoever finds it has replayed without a hole until here. */
async function writeSentinel(
  client: PgSingleClient,
  { endpoint, admin }: BackUpSettings,
  copy: Copy,
): Promise<Sentinel> {
  const id = newId()
  await asOwner(endpoint, admin, 'backup', async (session) => {
    await session.run(sql`delete from seaworthy.recovery_sentinels where made_at < now() - interval '1 year'`)
    await session.run(sql`insert into seaworthy.recovery_sentinels (id, point) values (${id}::uuid, ${copy.id})`)
  })
  const { rows } = await client.query<{ lsn: string; at: string; size: string; transaction: string }>(`
    select pg_current_wal_lsn()::text as lsn, to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at,
      (select setting from pg_settings where name = 'wal_segment_size') as size,
      pg_snapshot_xmax(pg_current_snapshot())::text as transaction`)
  const { lsn = '0/0', at = '', size = '0', transaction = '0' } = rows[0] ?? {}
  const segmentBytes = Number(size)
  await client.query('select pg_switch_wal()')
  const segment = segmentName({ timeline: copy.base.timeline, number: segmentBefore(lsn, segmentBytes) }, segmentBytes)
  return { id, at, segment, segmentBytes, transaction }
}

async function bringRest(
  store: Store,
  copy: Copy,
  { config, places }: BackUpSettings,
  blobs: BlobList | undefined,
): Promise<void> {
  if (blobs) await bringBlobs(store, places.blobs, blobs)
  await store.put(blobsKeyOf(copy.id), [Buffer.from(JSON.stringify(blobs ?? []))])
  await store.put(filesKeyOf(copy.id), [packFiles(await collectFiles(config))])
}

/** Also where no supervisor runs that would ship. */
async function untilShipped(saved: readonly SavedCopy[], segment: string, settings: BackUpSettings): Promise<void> {
  const { shelves, ring, places, config } = settings
  const deadline = Date.now() + SHIP_MS
  let last: Shipped | undefined
  while (Date.now() < deadline) {
    last = await shipOnce({
      shelves,
      ring,
      places,
      identity: identityOf(places),
      spoolBytesMax: config.backupSpoolBytes,
    })
    const sizes = await Promise.all(saved.map(({ store }) => store.shelf.size(keyOfWal(segment))))
    if (sizes.every((size) => size !== undefined)) return
    await pause(100)
  }
  const why =
    last?.problems.map(({ store, problem }) => `${store}: ${problem}`).join('; ') || 'the server did not archive it'
  throw new Error(`The log did not reach the stores within ${SHIP_MS / 1_000} s: ${why}`)
}

interface Finish {
  readonly copy: Copy
  readonly sentinel: Sentinel
  readonly blobs: BlobList | undefined
  readonly settings: BackUpSettings
  readonly client: PgSingleClient
}

async function finish({ store, base, systemId }: SavedCopy, { copy, sentinel, blobs, settings, client }: Finish) {
  const { config, ring, release, restic, tell } = settings
  const { segmentBytes } = sentinel
  const { timeline, startLsn, endLsn } = copy.base
  const before = (await listPoints(store)).findLast(({ point }) => point && !point.isShrunken)?.point
  const point: Point = {
    format: 1,
    id: copy.id,
    begunAt: copy.begunAt,
    from: sentinel.at,
    base,
    log: {
      systemId,
      timeline,
      segmentBytes,
      startLsn,
      endLsn,
      first: segmentName({ timeline, number: segmentAt(startLsn, segmentBytes) }, segmentBytes),
      last: sentinel.segment,
      transaction: sentinel.transaction,
    },
    sentinel: sentinel.id,
    keys: ring.all().map(({ id }) => id),
    release: { ...release, migrations: await readMigrations(client) },
    server: (await client.query<{ server_version: string }>('show server_version')).rows[0]?.server_version ?? '',
    blobs: {
      count: blobs?.length ?? 0,
      bytes: (blobs ?? []).reduce((sum, [, , bytes]) => sum + bytes, 0),
      where: blobs ? 'store' : 'elsewhere',
    },
    verifiedAt: new Date().toISOString(),
    isShrunken: before !== undefined && base.bytes < before.base.bytes * SHRUNKEN_PART,
    tookMs: Date.now() - Date.parse(copy.begunAt),
  }
  await writePoint(store, point)
  tell('forget old points')
  const retention = { now: Date.now(), retentionMs: config.backupRetentionMs, keep: config.backupKeep }
  const forgotten = point.isShrunken ? { points: [], objects: 0 } : await forgetOld(store, restic, retention)
  return { store: store.shelf.name, point, forgotten }
}

async function readMigrations(client: PgSingleClient): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select app || '/' || max(name) as name from seaworthy.migrations group by app order by app`,
  )
  return rows.map(({ name }) => name)
}
