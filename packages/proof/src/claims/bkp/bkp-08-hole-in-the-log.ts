import { copyFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { defineClaim, exactly } from '../../claim.ts'
import { openGuarded, segmentsIn } from '../../rig/recovery.ts'
import { patch } from '../../sabotage.ts'

const ROUNDS = 6

export const claim = defineClaim({
  id: 'BKP-08',
  says: 'A segment of the log that is missing, cut off, cut off at the end of all, or another one under its name is named before anything is replayed, and the restore leaves nothing; PostgreSQL alone would open the database there',
  answers: ['B7', 'B10'],
  witness: 'a store whose files were removed, truncated and exchanged',
  needs: ['restic'],
  tier: 'full',
  seconds: 40,
  limits: {
    'restores over a hole': exactly(0, 'restores'),
    'refusals that do not name the segment': exactly(0, 'refusals'),
    'directories left behind': exactly(0, 'directories'),
    'restores of the whole log that failed': exactly(0, 'restores'),
  },
  experiment: async (rig) => {
    const { admin, store, backUp, archived, destroy, restore } = await openGuarded(rig)
    await backUp()
    await admin.query('create table public.steps (id int primary key)')
    for (let round = 1; round <= ROUNDS; round++) {
      await admin.query('insert into public.steps values ($1)', [round])
      await archived()
    }
    await destroy()
    const segments = segmentsIn(store)
    const [middle = '', other = '', last = ''] = [segments.at(-3), segments.at(-4), segments.at(-1)]
    const faults: readonly [name: string, segment: string, (path: string) => void][] = [
      ['removed', middle, (path) => rmSync(path)],
      ['cut off', middle, (path) => truncateSync(path, 100)],
      ['another one under its name', middle, (path) => copyFileSync(join(store, other), path)],
      ['removed at the end', last, (path) => rmSync(path)],
    ]
    const outcomes = []
    for (const [name, segment, damage] of faults) {
      const path = join(store, segment)
      const bytes = readFileSync(path)
      damage(path)
      const { code, stderr, left } = await restore('latest')
      writeFileSync(path, bytes)
      outcomes.push({ name, code, left, isNamed: stderr.includes(basename(segment)), said: stderr.trim().slice(-300) })
    }
    const whole = await restore('latest')
    return {
      measured: {
        'restores over a hole': outcomes.filter(({ code }) => code === 0).length,
        'refusals that do not name the segment': outcomes.filter(({ code, isNamed }) => code !== 0 && !isNamed).length,
        'directories left behind': outcomes.flatMap(({ left }) => left).length,
        'restores of the whole log that failed': whole.code === 0 ? 0 : 1,
      },
      met: { 'there was a log to make holes in': segments.length > ROUNDS },
      evidence: outcomes.map(({ name, said }) => `${name}: ${said}`),
    }
  },
  sabotages: [
    patch(
      'a segment that is missing is passed over',
      'packages/platform/src/recovery/chain.ts',
      'if (!segments.has(name)) return result(name)',
      'if (!segments.has(name)) continue',
    ),
    patch(
      'what a store had last is not remembered',
      'packages/platform/src/recovery/chain.ts',
      'for (const name of head ? [...segments, head] : segments)',
      'for (const name of segments)',
    ),
    patch(
      'a segment is not bound to its name',
      'packages/platform/src/recovery/store.ts',
      "lengthPrefixed('seaworthy store 1', id, name)",
      "lengthPrefixed('seaworthy store 1', id, name.replace(/^wal.*/, ''))",
    ),
  ],
})
