import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HOUR, MINUTE } from '@seaworthy/core'
import { findDrillProblem } from './drill/due.ts'
import { type DrillStatus, readDrillStatus } from './drill/report.ts'
import { readJson } from './json-file.ts'
import type { Places } from './places.ts'
import { readShippingStatus, type ShippingStatus } from './shipper.ts'

/** The newest backup, written down beside the database so that nobody has to ask a store for it. */
export interface BackupStatus {
  /** When the newest verified point was made; in milliseconds since 1970. */
  readonly verifiedAt: number | undefined
  /** When the first one was made that this file knows of; from then on trials are waited for. */
  readonly since?: number | undefined
  readonly point: string | undefined
  /** Why the last one failed; undefined when it did not. */
  readonly problem: string | undefined
}

const POINT_AGE_MAX_MS = 26 * HOUR
const WAITING_MAX_MS = MINUTE
const SILENCE_MAX_MS = MINUTE

const pathOf = ({ recovery }: Places): string => join(recovery, 'backup.json')

export async function readBackupStatus(places: Places): Promise<BackupStatus | undefined> {
  return readJson<BackupStatus>(pathOf(places))
}

export async function writeBackupStatus(places: Places, status: BackupStatus): Promise<void> {
  await mkdir(places.recovery, { recursive: true, mode: 0o700 })
  const path = pathOf(places)
  await writeFile(`${path}.draft`, JSON.stringify(status), { mode: 0o600, flush: true })
  await rename(`${path}.draft`, path)
}

/** A health check: throws when what is lost with this disk now would be more than was promised. */
export async function checkRecovery(places: Places, now: number, everyDays = 1): Promise<void> {
  const [backup, shipping, last] = await Promise.all([
    readBackupStatus(places),
    readShippingStatus(places),
    readDrillStatus(places),
  ])
  const problem = findProblem(backup, shipping, now, { last, everyDays })
  if (problem) throw new Error(problem)
}

export function findProblem(
  backup: BackupStatus | undefined,
  shipping: ShippingStatus | undefined,
  now: number,
  drill: { readonly last?: DrillStatus | undefined; readonly everyDays: number } = { everyDays: 1 },
): string | undefined {
  if (!backup?.verifiedAt)
    return `there is no verified recovery point${backup?.problem ? `: ${backup.problem}` : '; seaworthy backup makes one'}`
  const hours = Math.floor((now - backup.verifiedAt) / HOUR)
  if (now - backup.verifiedAt > POINT_AGE_MAX_MS)
    return `the last verified recovery point is ${hours} h old${backup.problem ? `: ${backup.problem}` : ''}`
  return (
    findArchiveProblem(backup.verifiedAt, shipping, now) ??
    backup.problem ??
    findDrillProblem({ now, backup, drill: drill.last, everyDays: drill.everyDays })
  )
}

function findArchiveProblem(verifiedAt: number, shipping: ShippingStatus | undefined, now: number): string | undefined {
  if (!shipping || now - shipping.at > SILENCE_MAX_MS) return 'nothing ships the archive'
  if ((shipping.cutAt ?? 0) > verifiedAt) return 'the archive is cut; seaworthy backup makes a point after the cut'
  if (now - (shipping.waitingSince ?? now) <= WAITING_MAX_MS) return undefined
  const why = shipping.problems.map(({ store, problem }) => `${store}: ${problem}`).join('; ')
  return `the archive waits for a store: ${why || 'it is slow'}`
}
