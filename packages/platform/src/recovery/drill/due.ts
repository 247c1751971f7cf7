import { DAY, HOUR } from '@seaworthy/core'
import type { DrillStatus } from './report.ts'

interface NewestBackup {
  readonly verifiedAt: number | undefined
  readonly since?: number | undefined
  readonly point: string | undefined
}

interface Due {
  readonly now: number
  readonly backup: NewestBackup | undefined
  readonly drill: DrillStatus | undefined
  readonly everyDays: number
}

const PAUSE_MS = HOUR
const AGAIN_MS = 6 * HOUR
/** A backup does not take the same time each day. */
const SLACK_MS = 4 * HOUR
const LATE_MS = 2 * HOUR

/** Whether the newest point is to be restored on trial now: after each backup, or after so many days of them. */
export function isDrillDue({ now, backup, drill, everyDays }: Due): boolean {
  if (!backup?.verifiedAt || !backup.point) return false
  if (!drill) return true
  const { last, passed } = drill
  const sinceMs = now - Date.parse(last.at)
  if (sinceMs < PAUSE_MS) return false
  if (last.point === backup.point) return last.outcome !== 'passed' && sinceMs >= AGAIN_MS
  if (!passed || last.outcome !== 'passed') return true
  return backup.verifiedAt - Date.parse(passed.pointFrom) >= everyDays * DAY - SLACK_MS
}

/** Why one cannot rely on the recovery points, as far as trials say. */
export function findDrillProblem({ now, backup, drill, everyDays }: Due): string | undefined {
  const last = drill?.last
  if (last?.outcome === 'failed')
    return `the recovery point ${last.point ?? ''} could not be restored on trial: ${last.problem ?? ''}`
  const since = drill?.passed ? Date.parse(drill.passed.pointFrom) : backup?.since
  if (since === undefined || now - since <= everyDays * DAY + LATE_MS) return undefined
  const why = last?.outcome === 'unknown' ? `: ${last.problem ?? ''}` : ''
  return drill?.passed
    ? `the newest recovery point that was restored on trial is ${Math.floor((now - since) / HOUR)} h old${why}`
    : `no recovery point was ever restored on trial${why || '; seaworthy drill does it'}`
}
