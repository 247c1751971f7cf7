import { DAY } from '@seaworthy/core'
import type { KeyRing } from '../vault/index.ts'
import type { Restic } from './drivers/restic.ts'
import { blobsKeyOf, deletePoint, isPointId, listPoints, type Point } from './point.ts'
import { isSegmentName, parseSegment } from './segments.ts'
import { RefusedError, type Shelf } from './shelf.ts'
import { keyOfBlob } from './ship.ts'
import { ownerOf, prepareStore, type Store } from './store.ts'

/** Between the base of a point and its record. */
const LATE_MS = DAY

export interface RetentionSettings {
  readonly now: number
  /** Any instant of this time can be restored. In milliseconds. */
  readonly retentionMs: number
  /** At least so many points stay. */
  readonly keep: number
}

/**
 * Which of these points may go, the oldest first in both lists: none that an instant within the retention needs, none of
 * the newest few, and one that is much smaller than those before counts for nothing.
 */
export function choosePointsToForget(
  points: readonly Point[],
  { now, retentionMs, keep }: RetentionSettings,
): readonly Point[] {
  const sound = points.filter((point) => !point.isShrunken)
  const oldest = now - retentionMs
  return points.filter((point) => {
    const newer = sound.filter(({ id }) => id > point.id)
    return newer.length >= keep && newer.some((next) => Date.parse(next.from) <= oldest)
  })
}

export interface Forgotten {
  readonly points: readonly string[]
  readonly objects: number
  /** Why nothing went, or not everything. */
  readonly problem?: string
}

/** Run only after a new point was verified. Who may add and not delete has made the point all the same. */
export async function forgetOld(store: Store, restic: Restic, settings: RetentionSettings): Promise<Forgotten> {
  return prune(store, restic, settings).catch((error: Error) => {
    if (!(error instanceof RefusedError)) throw error
    const problem = `what is older than BACKUP_RETENTION stays: the key used here may not delete in ${store.shelf.name}; HINT: with the key that may: seaworthy backups prune`
    return { points: [], objects: 0, problem }
  })
}

/**
 * For whoever keeps a store that the running system may only add to, from anywhere: tells it of the ring's keys, and lets
 * go what is older than the retention. Throws where the key used may not, or where there is no store.
 */
export async function keepStore(
  { shelf, ring, restic }: { readonly shelf: Shelf; readonly ring: KeyRing; readonly restic: Restic },
  settings: RetentionSettings,
): Promise<Forgotten> {
  await shelf.ping()
  const owner = await ownerOf(shelf)
  if (owner === undefined) throw new Error(`There is no recovery point in ${shelf.name}.`)
  const store = await prepareStore(shelf, ring, owner)
  // A backup may be under way, whose copy has no record yet.
  return prune(store, restic, { ...settings, snapshotsBefore: settings.now - LATE_MS }).catch((error: Error) => {
    if (!(error instanceof RefusedError)) throw error
    throw new Error(`${error.message} Pruning needs the other key, which may delete.\n    HINT: ${otherKey}`, {
      cause: error,
    })
  })
}

const otherKey = 'BACKUP_S3_ACCESS_KEY_ID=... BACKUP_S3_SECRET_ACCESS_KEY=... seaworthy backups prune'

/** What it is interrupted in, the next run finishes. Throws `RefusedError`. */
async function prune(
  store: Store,
  restic: Restic,
  settings: RetentionSettings & { readonly snapshotsBefore?: number },
): Promise<Forgotten> {
  const listed = await listPoints(store)
  // A damaged record hides what it needs.
  const damaged = listed.find(({ point }) => !point)
  if (damaged) return { points: [], objects: 0, problem: `nothing goes while ${damaged.id} is damaged` }
  const points = listed.flatMap(({ point, at }) => (point ? asItCame(point, at) : []))
  const gone = choosePointsToForget(points, settings)
  for (const { id } of gone) await deletePoint(store, id)
  const kept = points.filter((point) => !gone.includes(point))
  const snapshots = (await restic.snapshots(store)).filter(({ at }) => at < (settings.snapshotsBefore ?? at + 1))
  await restic.forget(store, chooseSnapshotsToForget(snapshots, kept))
  const objects = gone.length ? (await forgetLog(store, kept)) + (await forgetBlobs(store, kept)) : 0
  return { points: gone.map(({ id }) => id), objects }
}

/** A record that came long after what it says of itself counts from when it came: nobody can make older ones go with it. */
export const asItCame = (point: Point, at: number): Point =>
  at - Date.parse(point.from) > LATE_MS ? { ...point, from: new Date(at).toISOString() } : point

/** Those of points that are no more, or never came to be. What somebody else has put there is left alone. */
export function chooseSnapshotsToForget(
  snapshots: readonly { readonly id: string; readonly tags: readonly string[] }[],
  kept: readonly Point[],
): readonly string[] {
  const names = new Set(kept.map(({ id }) => id))
  const needed = new Set(kept.map(({ base }) => base.snapshot))
  return snapshots.flatMap(({ id, tags }) =>
    tags.some(isPointId) && !tags.some((tag) => names.has(tag)) && !needed.has(id) ? [id] : [],
  )
}

async function forgetLog(store: Store, kept: readonly Point[]): Promise<number> {
  const segmentBytes = kept[0]?.log.segmentBytes
  if (!segmentBytes) return 0
  const firsts = kept.map(({ log }) => parseSegment(log.first, segmentBytes))
  const timelineMin = Math.min(...firsts.map(({ timeline }) => timeline))
  const numberMin = Math.min(...firsts.map(({ number }) => number))
  let count = 0
  for await (const { key } of store.shelf.list('wal/')) {
    const name = key.slice(key.lastIndexOf('/') + 1).slice(0, 24)
    if (!isSegmentName(name)) continue
    const { timeline, number } = parseSegment(name, segmentBytes)
    if (timeline > timelineMin || number >= numberMin) continue
    await store.shelf.delete(key)
    count++
  }
  return count
}

/** A file goes when no kept point had it and it came before all of them: no instant between them knew it. */
async function forgetBlobs(store: Store, kept: readonly Point[]): Promise<number> {
  const begunMin = Math.min(...kept.map(({ begunAt }) => Date.parse(begunAt)))
  const needed = new Set<string>()
  for (const { id } of kept)
    for (const [account, hash] of await readBlobList(store, id)) needed.add(keyOfBlob(account, hash))
  let count = 0
  for await (const { key, at } of store.shelf.list('blobs/')) {
    if (needed.has(key) || at >= begunMin) continue
    await store.shelf.delete(key)
    count++
  }
  return count
}

export type BlobList = readonly (readonly [account: string, hash: string, bytes: number])[]

async function readBlobList(store: Store, id: string): Promise<BlobList> {
  const bytes = await store.read(blobsKeyOf(id))
  if (!bytes) throw new Error(`the list of files of the point ${id} is missing in ${store.shelf.name}`)
  return JSON.parse(bytes.toString()) as BlobList
}
