import { join } from 'node:path'
import { defineClaim, exactly } from '../../claim.ts'
import { type DatabaseClient, openClient } from '../../rig/database.ts'
import { onServer } from '../../rig/external.ts'
import { makeNextRelease } from '../../rig/next-release.ts'
import { jpegPhoto, startRun, uploadPhoto } from '../../rig/photo.ts'
import type { Stack } from '../../rig/stack.ts'
import { patch } from '../../sabotage.ts'

const NAME = 'proof_back_and_forth'
const MIGRATE = 'packages/platform/src/data/migrate.ts'
const tables = [
  'seaworthy.users',
  'seaworthy.accounts',
  'seaworthy.memberships',
  'seaworthy.ledger',
  'seaworthy.blobs',
  'seaworthy.blob_references',
  'seaworthy.audit',
  'seaworthy.migrations',
  'cosnap.photos',
  'cosnap.runs',
  'cosnap.albums',
]

export const claim = defineClaim({
  id: 'DAT-05',
  says: 'The next release migrates and writes, this release is put back and goes on, and the next one comes again: no row and no value of any of them is lost',
  answers: ['D6', 'O6'],
  witness: 'two releases on one PostgreSQL, a hash of every row',
  tier: 'full',
  seconds: 25,
  limits: {
    'releases that did not start': exactly(0, 'of 4'),
    'writes that failed': exactly(0, 'writes'),
    'rows lost or changed': exactly(0, 'rows'),
  },
  experiment: async (rig) => {
    const server = await rig.start({ environment: { WORKER_PROCESSES: '0' } })
    const settings: Record<string, string> = {
      ...onServer(await server.database('admin'), NAME),
      DATA_DIR: join(rig.scratch, 'kept'),
    }
    const next = makeNextRelease(rig)
    const starts: { up: boolean; output: string }[] = []
    let failed = 0
    /** One release from its start to its stop. */
    const use = async (stack: Stack, work: (stack: Stack) => Promise<number>): Promise<void> => {
      const up = await stack.ready(40_000).then(
        () => true,
        () => false,
      )
      failed += up ? await work(stack) : 0
      await stack.stop()
      starts.push({ up, output: stack.output() })
    }
    await use(await rig.launch({ environment: settings }), write)
    const admin = await openClient(settings.DATABASE_URL ?? '')
    rig.defer(() => admin.end())
    await use(await next.launch(settings), async (stack) => {
      const failures = await write(stack)
      await writeCaptions(admin)
      return failures
    })
    const before = await rowsOf(admin)
    await use(await rig.launch({ environment: settings }), write)
    await use(await next.launch(settings), write)
    const after = await rowsOf(admin)
    const lost = [...before].filter((row) => !after.has(row))
    return {
      measured: {
        'releases that did not start': starts.filter(({ up }) => !up).length,
        'writes that failed': failed,
        'rows lost or changed': lost.length,
      },
      met: {
        'the next release kept what this one does not know': [...before].some((row) => row.includes('a new caption')),
        'this release wrote after it was put back': after.size > before.size,
      },
      evidence: [
        `${before.size} rows before, ${after.size} after`,
        ...lost.slice(0, 3).map((row) => row.slice(0, 200)),
        ...starts.filter(({ up }) => !up).map(({ output }) => output.slice(-300)),
      ],
    }
  },
  sabotages: [
    patch(
      'putting a release back takes away what the next one added',
      MIGRATE,
      'return comparePending(source, rows)',
      "if (rows.some((row) => row.app === source.app && row.name >= '9') && !(await import('node:fs')).existsSync(new URL('9001-captions.sql', source.directory))) await client.query(`drop table if exists cosnap.albums; alter table cosnap.photos drop column if exists caption; delete from seaworthy.migrations where name like '900%'`)\n  return comparePending(source, rows)",
    ),
    patch(
      'a release does not start on the schema of a later one',
      'packages/platform/src/data/migration-history.ts',
      'name <= newest && !known.has(name)',
      "(name <= newest || name.startsWith('9')) && !known.has(name)",
    ),
  ],
})

/** Somebody new with a photo, credits and an effect; how many of the writes fail. */
async function write(stack: Stack): Promise<number> {
  const person = await stack.newcomer()
  const photoId = await uploadPhoto(person, await jpegPhoto())
  return (await startRun(person, photoId)).ok ? 0 : 1
}

/** What only the next release knows to write. */
const writeCaptions = (admin: DatabaseClient) =>
  admin.query(
    `update cosnap.photos set caption = 'a new caption'; insert into cosnap.albums select gen_random_uuid(), id, 'first' from seaworthy.accounts`,
  )

async function rowsOf(admin: DatabaseClient): Promise<Set<string>> {
  const rows = new Set<string>()
  for (const table of tables) {
    const { rows: found } = await admin
      .query<{ row: string }>(`select to_jsonb(t)::text as row from ${table} t`)
      .catch(() => ({ rows: [] }))
    for (const { row } of found) rows.add(`${table} ${row}`)
  }
  return rows
}
