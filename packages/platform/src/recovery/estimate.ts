import type { DrillReport } from './drill/report.ts'
import { neededBytes } from './restore.ts'
import type { Plan } from './restore-plan.ts'

const BASE_BYTES_PER_SECOND = 60_000_000
const SEGMENTS_PER_SECOND = 100
const OPENING_SECONDS = 5

/** On a machine of two cores. */
const usualSeconds = (bytes: number, segments: number): number =>
  bytes / BASE_BYTES_PER_SECOND + segments / SEGMENTS_PER_SECOND + OPENING_SECONDS

/** About how long a restore takes: as the last trial on this machine, or as usual where none was held. In seconds. */
export function estimateSeconds({ point, chain }: Plan, last?: DrillReport): number {
  const usual = usualSeconds(neededBytes(point, 0), chain.segments.length)
  if (!last?.rtoSeconds || last.bytes === undefined) return Math.ceil(usual)
  return Math.ceil((usual * last.rtoSeconds) / usualSeconds(last.bytes, last.segments ?? 0))
}
