import type { Restic } from './drivers/restic.ts'
import { blobsKeyOf, deletePoint, isPointId, listPoints, type Point } from './point.ts'
import { isSegmentName, parseSegment } from './segments.ts'
import { keyOfBlob } from './ship.ts'
import type { Store } from './store.ts'

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
}

/** Run only after a new point was verified. What it is interrupted in, the next run finishes. */
export async function forgetOld(store: Store, restic: Restic, settings: RetentionSettings): Promise<Forgotten> {
  const listed = await listPoints(store)
  // A damaged record hides what it needs.
  if (listed.some(({ point }) => !point)) return { points: [], objects: 0 }
  const points = listed.flatMap(({ point }) => point ?? [])
  const gone = choosePointsToForget(points, settings)
  for (const { id } of gone) await deletePoint(store, id)
  const kept = points.filter((point) => !gone.includes(point))
  await restic.forget(store, chooseSnapshotsToForget(await restic.snapshots(store), kept))
  const objects = gone.length ? (await forgetLog(store, kept)) + (await forgetBlobs(store, kept)) : 0
  return { points: gone.map(({ id }) => id), objects }
}

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
  const oldest = kept[0]
  if (!oldest) return 0
  const { segmentBytes, first } = oldest.log
  const from = parseSegment(first, segmentBytes)
  let count = 0
  for await (const { key } of store.shelf.list('wal/')) {
    const name = key.slice(key.lastIndexOf('/') + 1).slice(0, 24)
    if (!isSegmentName(name)) continue
    const { timeline, number } = parseSegment(name, segmentBytes)
    if (timeline > from.timeline || number >= from.number) continue
    await store.shelf.delete(key)
    count++
  }
  return count
}

/** A file goes when no kept point had it and it came before the oldest of them: no instant between them knew it. */
async function forgetBlobs(store: Store, kept: readonly Point[]): Promise<number> {
  const oldest = kept[0]
  if (!oldest) return 0
  const needed = new Set<string>()
  for (const { id } of kept)
    for (const [account, hash] of await readBlobList(store, id)) needed.add(keyOfBlob(account, hash))
  let count = 0
  for await (const { key, at } of store.shelf.list('blobs/')) {
    if (needed.has(key) || at >= Date.parse(oldest.begunAt)) continue
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
