import { defineClaim, exactly } from '../../claim.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { historianOf, instantNow, looksOf } from '../../rig/past.ts'
import { jsonBody } from '../../rig/person.ts'
import { jpegPhoto, uploadPhoto } from '../../rig/photo.ts'
import { openGuarded } from '../../rig/recovery.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const PEOPLE = 3
/** What the command says when it begins a step, and how long after it is killed, in milliseconds. */
const moments = [
  ['replay the log', 0],
  ['only then', 0],
  ['only then', 40],
] as const

export const claim = defineClaim({
  id: 'BKP-12',
  says: 'A table that was emptied by mistake is brought back for everybody but whoever was erased since; killed at any step, the command leaves all of it or nothing, and the next one removes what was left',
  answers: ['B9', 'Z10', 'E12'],
  witness: 'PostgreSQL: the rows before and after; kill -9',
  needs: ['restic'],
  tier: 'full',
  seconds: 60,
  limits: {
    'commands that failed': exactly(0, 'commands'),
    'rows that are missing': exactly(0, 'rows'),
    'rows of the erased that came back': exactly(0, 'rows'),
    'accounts of the erased that were brought back by their id': exactly(0, 'accounts'),
    'kills that left a part': exactly(0, 'kills'),
    'tables of others that changed': exactly(0, 'tables'),
    'tables that are never put back, and were': exactly(0, 'tables'),
    'databases of the past that are left': exactly(0, 'databases'),
  },
  experiment: async (rig) => {
    const { stack, admin, store, backUp, archived } = await openGuarded(rig)
    const people = []
    for (let i = 0; i < PEOPLE; i++) people.push(await stack.newcomer())
    const [erased, kept] = people
    if (!erased || !kept) throw new Error('nobody signed up')
    for (const [i, person] of people.entries()) await uploadPhoto(person, await jpegPhoto(96 + i, 64))
    await backUp()
    const at = await instantNow(admin)
    const ids = await photosOf(admin, erased.accountId)
    const { status } = await erased.fetch(
      '/api/privacy/erase',
      jsonBody({ password: erased.password, confirm: 'erase everything' }),
    )
    const { rowCount: emptied } = await admin.query('delete from cosnap.photos')
    await archived()
    const others = await looksOf(admin, kept)
    const historian = historianOf(rig, stack, store)
    const command = ['--table', 'cosnap.photos', '--to', at, '--yes']
    const counts: number[] = []
    for (const [words, afterMs] of moments) {
      const begun = historian.begin(...command)
      await until(`it says ${words}`, () => begun.output().includes(words) || begun.exit() !== undefined, 120_000)
      await new Promise((resolve) => setTimeout(resolve, afterMs))
      await begun.signal('SIGKILL')
      await begun.exited
      // What it had sent is done or undone before anybody counts.
      await until('what was killed has left the database', () => nobodyLooks(admin), 30_000)
      counts.push((await photosOf(admin)).length)
      await admin.query('delete from cosnap.photos')
    }
    const brought = await historian.restore(...command)
    const byId = await historian.restore('--account', erased.accountId, '--to', at, '--yes')
    const ledger = await historian.restore('--table', 'seaworthy.ledger', '--to', at, '--yes')
    const [now, othersNow] = [await photosOf(admin), await looksOf(admin, kept)]
    return {
      measured: {
        'commands that failed': brought.code === 0 ? 0 : 1,
        'rows that are missing': PEOPLE - 1 - now.filter((id) => !ids.includes(id)).length,
        'rows of the erased that came back': now.filter((id) => ids.includes(id)).length,
        'accounts of the erased that were brought back by their id': byId.code === 0 ? 1 : 0,
        'kills that left a part': counts.filter((count) => count !== 0 && count !== PEOPLE - 1).length,
        'tables of others that changed': Object.keys({ ...others, ...othersNow }).filter(
          (name) => !touched.includes(name) && others[name] !== othersNow[name],
        ).length,
        'tables that are never put back, and were': ledger.code === 0 ? 1 : 0,
        'databases of the past that are left': historian.leftovers().length,
      },
      met: {
        'a person was erased': status === 204 && ids.length === 1,
        'the table was emptied': emptied === PEOPLE - 1,
        'it was killed at each moment': counts.length === moments.length && counts.some((count) => count === 0),
      },
      evidence: [counts.join(' '), brought.stdout, brought.stderr.slice(-400), byId.stderr, ledger.stderr],
    }
  },
  sabotages: [
    patch(
      'rows of somebody who was erased are not left out',
      'packages/platform/src/past/difference.ts',
      `if (!people.accounts.has(row.account)) return { ...row, left: 'its account was erased' }
  if (ids.some((id) => people.erased.has(id))) return { ...row, left: 'somebody whom it names was erased' }`,
      '',
    ),
    patch(
      'what a killed command left is in the way of the next',
      'packages/platform/src/recovery/restore.ts',
      `blobs: '' }
  await makeDraft(draft)`,
      `blobs: '' }
  await mkdir(draft, { recursive: true })`,
    ),
  ],
})

/** What bringing photos back adds to: rows, their files, and a line that tells of it. */
const touched = [
  'cosnap.photos',
  'seaworthy.audit',
  'seaworthy.blobs',
  'seaworthy.blob_references',
  'seaworthy.account_keys',
]

async function photosOf(admin: DatabaseClient, account?: string): Promise<readonly string[]> {
  const { rows } = await admin.query<{ id: string }>(
    'select id from cosnap.photos where $1::uuid is null or account_id = $1',
    [account ?? null],
  )
  return rows.map(({ id }) => id)
}

async function nobodyLooks(admin: DatabaseClient): Promise<boolean> {
  const { rows } = await admin.query("select 1 from pg_stat_activity where application_name = 'seaworthy-past'")
  return rows.length === 0
}
