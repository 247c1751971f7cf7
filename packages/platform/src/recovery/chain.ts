import type { Point } from './point.ts'
import {
  type Fork,
  historyName,
  isHistoryName,
  isSegmentName,
  parseHistory,
  parseSegment,
  segmentAt,
  segmentName,
} from './segments.ts'
import { readHead } from './ship.ts'
import { DamagedError, type Store } from './store.ts'
import { readWal } from './wal-object.ts'

/** What the log of a store holds from a point on. */
export interface Chain {
  readonly timeline: number
  /** Each segment that is needed, in order, without a hole. */
  readonly segments: readonly string[]
  readonly histories: readonly string[]
  /** The first segment that should be there and is not. What is before it can be restored. */
  readonly gap: string | undefined
}

interface Listing {
  readonly segments: ReadonlySet<string>
  readonly histories: ReadonlyMap<number, readonly Fork[]>
  readonly head: string | undefined
  /** What is wrong with the head. Then nobody knows whether the end of the log is missing. */
  readonly headDamage?: DamagedError | undefined
}

/** Every name of the log in a store. Throws `DamagedError` when a history is damaged. */
export async function listLog(store: Store): Promise<Listing> {
  const segments = new Set<string>()
  const histories = new Map<number, readonly Fork[]>()
  for await (const { key } of store.shelf.list('wal/')) {
    const name = key.slice(key.lastIndexOf('/') + 1)
    if (isSegmentName(name)) segments.add(name)
    else if (isHistoryName(name)) {
      const file = await readWal(store, name)
      if (file) histories.set(Number.parseInt(name.slice(0, 8), 16), parseHistory(file.bytes.toString()))
    }
  }
  try {
    return { segments, histories, head: (await readHead(store))?.segment }
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error
    return { segments, histories, head: undefined, headDamage: error }
  }
}

/** The segments that lead from a point to the end of its newest timeline, or of the given one. */
export function findChain({ segments, histories, head }: Listing, { log }: Pick<Point, 'log'>, wanted?: number): Chain {
  const { segmentBytes } = log
  const timeline = wanted ?? newestTimeline(histories, log.timeline)
  const forks = histories.get(timeline) ?? []
  const path = [...forks.filter((fork) => fork.timeline >= log.timeline), { timeline, endLsn: undefined }]
  const found: string[] = []
  const result = (gap: string | undefined): Chain => ({
    timeline,
    segments: found,
    histories: [...histories.keys()].map(historyName),
    gap,
  })
  let number = parseSegment(log.first, segmentBytes).number
  for (const { timeline: on, endLsn } of path) {
    const end = endLsn ? segmentAt(endLsn, segmentBytes) : lastNumber(segments, head, on, segmentBytes) + 1
    for (; number < end; number++) {
      const name = segmentName({ timeline: on, number }, segmentBytes)
      if (!segments.has(name)) return result(name)
      found.push(name)
    }
  }
  const last = parseSegment(log.last, segmentBytes)
  // Its own sentinel must be in it, whatever else came.
  return result(
    timeline === log.timeline && number <= last.number ? segmentName({ timeline, number }, segmentBytes) : undefined,
  )
}

function newestTimeline(histories: Listing['histories'], from: number): number {
  const later = [...histories].filter(([, forks]) => forks.some((fork) => fork.timeline === from)).map(([on]) => on)
  return Math.max(from, ...later)
}

function lastNumber(
  segments: ReadonlySet<string>,
  head: string | undefined,
  timeline: number,
  segmentBytes: number,
): number {
  let last = -1
  for (const name of head ? [...segments, head] : segments) {
    const segment = parseSegment(name, segmentBytes)
    if (segment.timeline === timeline) last = Math.max(last, segment.number)
  }
  return last
}
