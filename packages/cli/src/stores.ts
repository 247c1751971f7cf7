import { findRestic, type KeyHolder, keepStore, parseBucket, policyOf } from '@seaworthy/platform/recovery'
import { openSources, type RestoreFlags } from './recovery.ts'

const print = (text: string): void => void process.stdout.write(`${text}\n`)

/** `seaworthy backups prune`. Exit code 1 when a store could not be pruned; the others are all the same. */
export async function pruneStores(flags: Pick<RestoreFlags, 'from' | 'kit'>): Promise<void> {
  const { shelves, ring, settings } = await openSources(flags)
  const restic = findRestic(settings.restic)
  const { backupRetentionMs: retentionMs, backupKeep: keep } = settings
  const problems: string[] = []
  for (const shelf of shelves)
    try {
      const { points, objects, problem } = await keepStore(
        { shelf, ring, restic },
        { now: Date.now(), retentionMs, keep },
      )
      if (problem) problems.push(`${shelf.name}: ${problem}`)
      print(`${shelf.name}: ${points.length ? `${points.join(', ')} and ${objects} objects` : 'nothing'} went`)
    } catch (error) {
      problems.push((error as Error).message)
    }
  if (problems.length) throw new Error(problems.join('\n'))
}

/** `seaworthy backups policy`. */
export function printPolicy(name: string, principals: Readonly<Record<KeyHolder, string>>): void {
  const place = parseBucket(name)
  if (!place) throw new Error(`${name} is no bucket.\n    HINT: seaworthy backups policy s3://bucket/prefix`)
  print(JSON.stringify(policyOf({ ...place, principals }), undefined, 2))
}
