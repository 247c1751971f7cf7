import { DamagedError, type Store } from './store.ts'

/** One instant of everything: what a restore needs besides the log that came after it. Written last: before, there is none. */
export interface Point {
  readonly format: 1
  readonly id: string
  /** When its base was begun. Times are ISO 8601. */
  readonly begunAt: string
  /** From this instant on anything can be restored with it. */
  readonly from: string
  readonly base: {
    readonly snapshot: string
    readonly bytes: number
    readonly files: number
    readonly manifestSha256: string
    /** What the store grew by. */
    readonly addedBytes: number
  }
  readonly log: {
    readonly systemId: string
    readonly timeline: number
    readonly segmentBytes: number
    readonly startLsn: string
    readonly endLsn: string
    /** The first segment that is needed, and the one that has the sentinel. */
    readonly first: string
    readonly last: string
    /** No transaction before this one is in the log after it. */
    readonly transaction: string
  }
  /** A row that was written after the base, and must be there after a restore. */
  readonly sentinel: string
  /** Fingerprints of the ring. */
  readonly keys: readonly string[]
  readonly release: { readonly version: string; readonly commit: string; readonly migrations: readonly string[] }
  readonly server: string
  readonly blobs: { readonly count: number; readonly bytes: number; readonly where: 'store' | 'elsewhere' }
  /** Read back from the store, and every file compared with the manifest. */
  readonly verifiedAt: string
  /** It is much smaller than the one before: it never makes that one go. */
  readonly isShrunken: boolean
  readonly tookMs: number
}

const POINTS = 'points/'
const keyOf = (id: string): string => `${POINTS}${id}.json`
export const filesKeyOf = (id: string): string => `${POINTS}${id}.files`
export const blobsKeyOf = (id: string): string => `${POINTS}${id}.blobs`
/** What the last trial of it gave. */
export const drillKeyOf = (id: string): string => `drills/${id}.json`

export const writePoint = (store: Store, point: Point): Promise<void> =>
  store.put(keyOf(point.id), [Buffer.from(JSON.stringify(point))])

export interface ListedPoint {
  readonly id: string
  readonly store: Store
  /** Undefined when it is damaged. */
  readonly point: Point | undefined
  readonly problem?: string
  /** When the store got its record. In milliseconds since 1970. */
  readonly at: number
}

/** The points of a store, the oldest first. A damaged one is named, not left out. */
export async function listPoints(store: Store): Promise<readonly ListedPoint[]> {
  const found: { id: string; at: number }[] = []
  for await (const { key, at } of store.shelf.list(POINTS))
    if (key.endsWith('.json')) found.push({ id: key.slice(POINTS.length, -'.json'.length), at })
  found.sort((a, b) => (a.id < b.id ? -1 : 1))
  return Promise.all(found.map(({ id, at }) => readPoint(store, id, at)))
}

async function readPoint(store: Store, id: string, at: number): Promise<ListedPoint> {
  try {
    const bytes = await store.read(keyOf(id))
    return { id, store, point: bytes && (JSON.parse(bytes.toString()) as Point), at }
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error
    return { id, store, point: undefined, problem: error.message, at }
  }
}

/** The record goes first: what is left is then nobody's. */
export async function deletePoint(store: Store, id: string): Promise<void> {
  for (const key of [keyOf(id), filesKeyOf(id), blobsKeyOf(id), drillKeyOf(id)]) await store.shelf.delete(key)
}

/** Sorts by time. */
export const newPointId = (at: Date, random: string): string =>
  `${at.toISOString().replace(/[-:]/g, '').slice(0, 15)}Z-${random}`

export const isPointId = (text: string): boolean => /^\d{8}T\d{6}Z-[0-9a-f]{6}$/.test(text)
