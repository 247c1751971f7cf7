/** Names and numbers of PostgreSQL's write-ahead log. */
export interface Segment {
  readonly timeline: number
  /** How many segments of this size begin before it. */
  readonly number: number
}

const segmentForm = /^[0-9A-F]{24}$/
const historyForm = /^([0-9A-F]{8})\.history$/
const otherForm = /^[0-9A-F]{24}\.[0-9A-F]{8}\.backup$/

export const isSegmentName = (name: string): boolean => segmentForm.test(name)
export const isHistoryName = (name: string): boolean => historyForm.test(name)
/** What an archive gets: segments, histories of timelines, and labels of backups. Never a draft. */
export const isArchivedName = (name: string): boolean =>
  isSegmentName(name) || isHistoryName(name) || otherForm.test(name)

const HIGH = 2 ** 32
const hex = (value: number): string => value.toString(16).toUpperCase().padStart(8, '0')

export function parseSegment(name: string, segmentBytes: number): Segment {
  const perHigh = HIGH / segmentBytes
  const [timeline, high, low] = [0, 8, 16].map((at) => Number.parseInt(name.slice(at, at + 8), 16))
  return { timeline: timeline ?? 0, number: (high ?? 0) * perHigh + (low ?? 0) }
}

export function segmentName({ timeline, number }: Segment, segmentBytes: number): string {
  const perHigh = HIGH / segmentBytes
  return hex(timeline) + hex(Math.floor(number / perHigh)) + hex(number % perHigh)
}

/** `16/B374D848` as a number of bytes. */
export function parseLsn(lsn: string): number {
  const [high = '', low = ''] = lsn.split('/')
  return Number.parseInt(high, 16) * HIGH + Number.parseInt(low, 16)
}

/** The segment that holds the byte before this position, or the byte at it. */
export const segmentAt = (lsn: string, segmentBytes: number): number => Math.floor(parseLsn(lsn) / segmentBytes)
export const segmentBefore = (lsn: string, segmentBytes: number): number =>
  Math.floor((parseLsn(lsn) - 1) / segmentBytes)

export interface Fork {
  readonly timeline: number
  /** Where its successor begins. */
  readonly endLsn: string
}

/** The lines of a history file: the timelines that this one comes from, the oldest first. */
export function parseHistory(text: string): readonly Fork[] {
  return text.split('\n').flatMap((line) => {
    const [, timeline, endLsn] = /^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/i.exec(line) ?? []
    return timeline && endLsn ? [{ timeline: Number(timeline), endLsn }] : []
  })
}

export const historyName = (timeline: number): string => `${hex(timeline)}.history`

/** A segment is in a folder with the 4,095 others that share its first digits: no folder grows without end. */
export const keyOfWal = (name: string): string =>
  isSegmentName(name) ? `wal/${name.slice(0, 8)}/${name.slice(8, 16)}/${name}` : `wal/${name}`
