import { type BackUpResult, type BackUpSettings, backUp } from './back-up.ts'
import { type BackupStatus, readBackupStatus, writeBackupStatus } from './condition.ts'
import type { Restic } from './drivers/restic.ts'
import { recordStores } from './overview.ts'

/** Makes a recovery point, and writes down for whoever watches how it went. */
export async function backUpAndRecord(
  settings: Omit<BackUpSettings, 'restic'> & { readonly restic: () => Restic },
): Promise<BackUpResult> {
  const { places } = settings
  const before = await readBackupStatus(places)
  try {
    const result = await backUp({ ...settings, restic: settings.restic() })
    const point = result.points[0]?.point
    const problem = result.failures.map((failure) => `${failure.store}: ${failure.problem}`).join('; ') || undefined
    // Verified everywhere, or the age of the last one that was goes on.
    const verifiedAt = problem ? before?.verifiedAt : Date.parse(point?.verifiedAt ?? '')
    await writeBackupStatus(places, { verifiedAt, since: sinceOf(before) ?? verifiedAt, point: point?.id, problem })
    await recordStores(places, settings.shelves, settings.ring)
    return result
  } catch (error) {
    const problem = (error as Error).message.split('\n')[0]
    const { verifiedAt, point } = before ?? {}
    await writeBackupStatus(places, { verifiedAt, since: sinceOf(before), point, problem })
    throw error
  }
}

const sinceOf = (before: BackupStatus | undefined): number | undefined => before?.since ?? before?.verifiedAt
