import { DAY, HOUR, MINUTE } from '@seaworthy/core'

interface Due {
  readonly now: number
  /** Minutes after midnight, UTC. */
  readonly atMinutes: number
  readonly verifiedAt: number | undefined
  /** When one was last begun; undefined when none was since the start. */
  readonly triedAt: number | undefined
  /** When the archive was cut. */
  readonly cutAt: number | undefined
}

const AGAIN_MS = HOUR

/** Whether a recovery point is to be made now: each day at its time, later when that was missed, and after a cut. */
export function isBackupDue({ now, atMinutes, verifiedAt = 0, triedAt, cutAt = 0 }: Due): boolean {
  if (triedAt !== undefined && now - triedAt < AGAIN_MS) return false
  const today = Math.floor(now / DAY) * DAY + atMinutes * MINUTE
  const slot = today <= now ? today : today - DAY
  return verifiedAt < slot || verifiedAt < cutAt
}
