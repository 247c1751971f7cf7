import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineClaim, exactly } from '../../claim.ts'
import { KEEPING, keysIn, openBucketStore, RUNNING } from '../../rig/bucket-store.ts'
import { openGuarded, segmentsIn } from '../../rig/recovery.ts'
import { patch } from '../../sabotage.ts'

const ROWS = 300

export const claim = defineClaim({
  id: 'BKP-11',
  says: 'With a directory and a bucket as stores, one that is away keeps the other neither from having a point nor from the log, gets what it missed when it is back, and alone restores everything when the other is damaged',
  answers: ['B5'],
  witness: "an S3 server that checks signatures with AWS's signer, closed and opened; a directory with changed bytes",
  needs: ['restic', 's3rver'],
  tier: 'full',
  seconds: 40,
  limits: {
    'points that the store had not which was there': exactly(0, 'points'),
    'segments of the log that the bucket never got': exactly(0, 'segments'),
    'restores that failed': exactly(0, 'restores'),
    'rows missing': exactly(0, 'rows'),
  },
  experiment: async (rig) => {
    const bucketStore = await openBucketStore(rig)
    const directory = join(rig.scratch, 'store')
    const stores = `${directory},${bucketStore.name}`
    const guarded = await openGuarded(rig, { BACKUP_STORES: stores, ...bucketStore.settingsOf(RUNNING) })
    const { admin, backUp, archived, command, destroy, restore } = guarded
    await admin.query('create table public.kept (id int primary key)')
    await backUp()
    const pointsBefore = pointsIn(directory)
    bucketStore.bucket.setOpen(false)
    await admin.query('insert into public.kept select generate_series(1, $1::int)', [ROWS])
    const halfway = await command(['backup'])
    const pointsAfter = pointsIn(directory)
    bucketStore.bucket.setOpen(true)
    await archived()
    const keys = new Set(await keysIn(bucketStore, KEEPING))
    const missing = segmentsIn(directory).filter((name) => !keys.has(bucketStore.prefix + name))
    await destroy()
    const damaged = segmentsIn(directory).map((name) => damage(join(directory, name)))
    const restored = await restore('latest', '')
    const machine = restored.code === 0 ? await restored.start() : undefined
    const back = machine && (await (await machine.database('admin')).query<{ count: number }>(countRows)).rows[0]?.count
    return {
      measured: {
        'points that the store had not which was there': pointsAfter > pointsBefore ? 0 : 1,
        'segments of the log that the bucket never got': missing.length,
        'restores that failed': restored.code === 0 ? 0 : 1,
        'rows missing': ROWS - (back ?? 0),
      },
      met: {
        'the backup said that the bucket was away': halfway.code !== 0 && halfway.stderr.includes(bucketStore.name),
        'the directory could not restore it': damaged.length > 0 && restored.stderr.includes('damaged'),
      },
      evidence: [halfway.stderr.slice(-400), restored.stderr.slice(-400)],
    }
  },
  sabotages: [
    patch(
      'what one store has is gone here',
      'packages/platform/src/recovery/ship.ts',
      'results.every(({ done }) => done.has(name))',
      'results.some(({ done }) => done.has(name))',
    ),
    patch(
      'a restore tries one store only',
      'packages/cli/src/recovery.ts',
      'if (shelves.length > 1) say(`${last.message}\\n`)',
      'if (last) break',
    ),
    patch(
      'a store that is away ends the backup',
      'packages/platform/src/recovery/back-up.ts',
      'failures.push({ store: nameOf(one), problem: (error as Error).message })',
      'throw error',
    ),
  ],
})

const countRows = 'select count(*)::int as count from public.kept'

const pointsIn = (directory: string): number =>
  readdirSync(join(directory, 'points')).filter((name) => name.endsWith('.json')).length

function damage(path: string): string {
  writeFileSync(path, randomBytes(readFileSync(path).length))
  return path
}
