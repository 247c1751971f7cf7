import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineClaim, exactly } from '../../claim.ts'
import { openClient } from '../../rig/database.ts'
import { onServer } from '../../rig/external.ts'
import { makeOwnCopy, type OwnCopy } from '../../rig/own-copy.ts'
import { schemaHash } from '../../rig/schema.ts'
import { patch } from '../../sabotage.ts'

const NAME = 'proof_migrations'
const APPLIED = 'packages/platform/migrations/0004-jobs.sql'
const NEXT = 'apps/cosnap/migrations/0002-proof.sql'
const statements = [
  'create table cosnap.proof (id uuid primary key, words text)',
  'alter table cosnap.proof enable row level security',
  'alter table cosnap.proof force row level security',
  'alter table cosnap.photos add column proof text',
  'create index proof_by_words on cosnap.proof (words)',
  'create view cosnap.proof_words as select words from cosnap.proof',
]

export const claim = defineClaim({
  id: 'DAT-02',
  says: 'A second start changes nothing; a migration that was altered or removed after it was applied is refused by name, and one that fails at any statement leaves nothing behind',
  answers: ['D1', 'D2'],
  witness: "PostgreSQL's catalogues",
  tier: 'full',
  seconds: 30,
  limits: {
    'changes by a second start': exactly(0, 'changes'),
    'starts on altered or lost files': exactly(0, 'of 2'),
    'refusals that do not name the file': exactly(0, 'of 6'),
    'failed migrations that left something': exactly(0, 'of 4'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { WORKER_PROCESSES: '0' } })
    const settings = onServer(await stack.database('admin'), NAME)
    const copy = makeOwnCopy(rig)
    const first = await runToEnd(copy, settings)
    const client = await openClient(settings.DATABASE_URL ?? '')
    rig.defer(() => client.end())
    const hash = await schemaHash(client)
    const second = await runToEnd(copy, settings)
    const hashOfSecond = await schemaHash(client)
    const file = join(copy.product, APPLIED)
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, `${text}\n-- altered\n`)
    const altered = await runToEnd(copy, settings)
    rmSync(file)
    const lost = await runToEnd(copy, settings)
    writeFileSync(file, text)
    const failed: { end: End; left: boolean }[] = []
    for (let at = 1; at <= statements.length; at++) {
      writeNext(copy, [...statements.slice(0, at), 'select 1 / 0'])
      failed.push({ end: await runToEnd(copy, settings), left: (await schemaHash(client)) !== hash })
    }
    writeNext(copy, statements)
    const last = await runToEnd(copy, settings)
    const refusals = [
      ...[altered, lost].map((end) => end.output.includes('0004-jobs.sql')),
      ...failed.map(({ end }) => end.output.includes('cosnap/0002-proof.sql')),
    ]
    return {
      measured: {
        'changes by a second start': hash === hashOfSecond ? 0 : 1,
        'starts on altered or lost files': [altered, lost].filter((end) => end.served).length,
        'refusals that do not name the file': refusals.filter((named) => !named).length,
        'failed migrations that left something': failed.filter(({ left }) => left).length,
      },
      met: {
        'both starts on sound files came up': first.served && second.served,
        'each failing migration was tried': failed.every(({ end }) => !end.served),
        'the same migration without the fault is applied, or found what was left':
          (last.served && (await schemaHash(client)) !== hash) || failed.some(({ left }) => left),
      },
      evidence: [altered, lost, ...failed.slice(0, 1).map(({ end }) => end), ...(last.served ? [] : [last])].map(
        ({ output }) => output.slice(-300),
      ),
    }
  },
  sabotages: [
    patch(
      'checksums of applied files are not compared',
      'packages/platform/src/data/migration-history.ts',
      '(applied.get(name) ?? checksum) !== checksum',
      'applied.get(name) === ""',
    ),
    patch(
      'each statement of a migration commits by itself',
      'packages/platform/src/data/apply-migration.ts',
      'await client.query(`begin; set local lock_timeout = ${LOCK_WAIT_MS}`)\n    await client.query(text)',
      "for (const part of text.includes('cosnap.proof') ? text.split(';\\n') : [text]) if (part.trim()) await client.query(part)\n    await client.query('begin')",
    ),
  ],
})

interface End {
  readonly served: boolean
  readonly output: string
}

/** Starts, and stops again what came up. */
async function runToEnd(copy: OwnCopy, settings: Readonly<Record<string, string>>): Promise<End> {
  const stack = await copy.launch(settings)
  const served = await stack.ready(30_000).then(
    () => true,
    () => false,
  )
  await stack.stop()
  return { served, output: stack.output() }
}

const writeNext = (copy: OwnCopy, parts: readonly string[]): void =>
  writeFileSync(join(copy.product, NEXT), `${parts.join(';\n')};\n`)
