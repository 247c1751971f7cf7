import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { blobsOf } from '../../rig/blobs.ts'
import { runCommand } from '../../rig/command.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { jsonBody, type Person } from '../../rig/person.ts'
import { jpegPhoto, startRun, untilIdle, uploadPhoto } from '../../rig/photo.ts'
import type { Rig } from '../../rig/rig.ts'
import { rowsOfAccount, rowsWith } from '../../rig/rows-of.ts'
import { runProgram } from '../../rig/run-program.ts'
import type { Stack } from '../../rig/stack.ts'
import { timed, until } from '../../rig/wait.ts'
import { readZip } from '../../rig/zip.ts'
import { patch } from '../../sabotage.ts'

/** What stays, with ids that are nobody's any more: what was paid, who did what, and the mark of the account. */
const stays = ['seaworthy.accounts', 'seaworthy.audit', 'seaworthy.audit_seals', 'seaworthy.ledger']
/** Copies of what is exported, under other names or for minutes only. */
const notOwn = [
  'seaworthy.memberships',
  'seaworthy.sessions',
  'seaworthy.events',
  'seaworthy.idempotency',
  'seaworthy.account_keys',
  'seaworthy.blob_references',
]

export const claim = defineClaim({
  id: 'ENC-10',
  says: 'A person gets everything that is kept about them, and is removed with every row and file; an older copy of the data that is put back forgets them before it opens',
  answers: ['E12', 'ASVS 14.2.4', 'ASVS 14.2.7', 'ASVS 7.4.2'],
  witness: 'the catalogue and rows of PostgreSQL, the disk, a copy of the data from before',
  tier: 'full',
  seconds: 40,
  limits: {
    'rows missing from the export': exactly(0, 'rows'),
    'files missing from the export': exactly(0, 'files'),
    'time of the export': atMost(60_000, 'ms'),
    'tables with rows left': exactly(0, 'tables'),
    'files left': exactly(0, 'files'),
    'rows and files left after an older copy was put back': exactly(0, ''),
    'tokens that still work': exactly(0, 'tokens'),
    'rows of others that went': exactly(0, 'rows'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const [person, bystander] = [await somebody(stack), await somebody(stack)]
    const before = await settled(await stack.database('admin'), person)
    const others = await ownRows(await stack.database('admin'), bystander)
    const exported = await timed(() => exportAll(person))
    const missing = missingIn(exported.value, before, stack, person)
    const copy = await putAside(rig, stack)
    const again = await stack.signIn(person)
    const erased = await again.fetch(
      '/api/privacy/erase',
      jsonBody({ password: person.password, confirm: 'erase everything' }),
    )
    const left = await leftOf(stack, person)
    const tokens = await Promise.all([person, again].map(({ fetch }) => fetch('/api/identity/me')))
    const hadPerson = await putBack(stack, copy, person)
    const leftAfter = await leftOf(stack, person)
    const othersAfter = await ownRows(await stack.database('admin'), bystander)
    const verified = await runCommand(rig, stack, 'audit', 'verify', '--after-restore')
    return {
      measured: {
        'rows missing from the export': missing.rows.length,
        'files missing from the export': missing.files.length,
        'time of the export': exported.ms,
        'tables with rows left': left.tables.length,
        'files left': left.files.length,
        'rows and files left after an older copy was put back': leftAfter.tables.length + leftAfter.files.length,
        'tokens that still work': tokens.filter(({ ok }) => ok).length,
        'rows of others that went': others.filter((row) => !othersAfter.includes(row)).length,
      },
      met: {
        'there were rows in six tables and four files': Object.keys(before).length >= 6 && exported.value.size > 8,
        'the person was erased': erased.status === 204,
        'the older copy had the person in it': hadPerson,
        'the audit holds after the restore': verified.code === 0,
      },
      evidence: [
        JSON.stringify(before),
        [...exported.value.keys()].join(' '),
        ...missing.rows,
        ...missing.files,
        ...[left, leftAfter].flatMap(({ tables, files }) => [...tables, ...files]),
        verified.stdout.trim(),
      ],
    }
  },
  sabotages: [
    patch(
      'files are forgotten',
      'packages/platform/src/privacy/erase.ts',
      'await files.forgetAccount(accountId)',
      'await Promise.resolve(accountId)',
    ),
    patch(
      'nobody is erased again at the start',
      'packages/platform/src/boot/supervisor.ts',
      'if (hasErasures(config.dataDirectory))',
      'if (hasErasures(config.dataDirectory) && config.port < 0)',
    ),
    patch('the export leaves the ledger out', 'packages/platform/src/privacy/export.ts', "'seaworthy.ledger',", ''),
  ],
})

/** With two photos, an effect that was made, and a file that was begun. */
async function somebody(stack: Stack): Promise<Person> {
  const person = await stack.newcomer()
  const photoId = await uploadPhoto(person, await jpegPhoto(96, 64))
  await uploadPhoto(person, await jpegPhoto(64, 96))
  await startRun(person, photoId)
  await untilIdle(person)
  await person.fetch('/api/uploads', jsonBody({ bytes: 100 }))
  return person
}

/** Rows are counted when the last line of the audit is there. */
const settled = (admin: DatabaseClient, { accountId }: Person) =>
  until('the rows are counted', async () => {
    const counted = await rowsOfAccount(admin, accountId)
    return JSON.stringify(counted) === JSON.stringify(await rowsOfAccount(admin, accountId)) && counted
  })

async function ownRows(admin: DatabaseClient, { accountId }: Person): Promise<string[]> {
  const { rows } = await admin.query<{ row: string }>(
    `select p::text as row from cosnap.photos p where account_id = $1 union all select r::text from cosnap.runs r where account_id = $1
     union all select l::text from seaworthy.ledger l where account_id = $1 union all select b::text from seaworthy.blobs b where account_id = $1`,
    [accountId],
  )
  return rows.map(({ row }) => row)
}

async function exportAll(person: Person): Promise<ReadonlyMap<string, Buffer>> {
  const response = await person.fetch('/api/privacy/export', jsonBody({ password: person.password }))
  if (!response.ok) throw new Error(`the export answered ${response.status}`)
  return readZip(Buffer.from(await response.arrayBuffer()))
}

function missingIn(zip: ReadonlyMap<string, Buffer>, before: Record<string, number>, stack: Stack, person: Person) {
  const linesOf = (name: string): number =>
    zip.get(`data/${name}.jsonl`)?.toString('utf8').trim().split('\n').length ?? 0
  const rows = Object.entries(before)
    .filter(([name, count]) => !notOwn.includes(name) && linesOf(name) < count)
    .map(([name, count]) => `${name}: ${linesOf(name)} of ${count}`)
  if (!zip.get('data/person.jsonl')?.includes(person.email)) rows.push('the address of the person')
  const hashes = new Set([...zip.values()].map((bytes) => createHash('sha256').update(bytes).digest('hex')))
  const files = blobsOf(stack, person).filter((path) => !hashes.has(path.split('/').at(-1) ?? ''))
  return { rows, files }
}

async function leftOf(stack: Stack, person: Person) {
  const admin = await stack.database('admin')
  const found = await rowsWith(admin, [person.email, person.userId, person.accountId])
  const named = await rowsWith(admin, [person.email])
  const folders = ['blobs', 'media/uploads', 'media/derived'].map((folder) =>
    join(stack.dataDirectory, folder, person.accountId),
  )
  return {
    tables: [...Object.keys(found).filter((name) => !stays.includes(name)), ...Object.keys(named)],
    files: folders.filter((folder) => existsSync(folder)),
  }
}

const kept = ['database', 'blobs', 'media']

async function copyAll(from: string, to: string): Promise<void> {
  for (const name of kept) {
    await runProgram('/bin/rm', ['-rf', join(to, name)])
    const { code, stderr } = await runProgram('/bin/cp', ['-a', join(from, name), to])
    if (code !== 0) throw new Error(`no copy of ${name}: ${stderr}`)
  }
}

async function stopped(stack: Stack): Promise<void> {
  await stack.signal('supervisor', 'SIGTERM')
  await stack.exited
}

/** The data as it lies on the disk, of a service that is stopped for it. */
async function putAside(rig: Rig, stack: Stack): Promise<string> {
  await stopped(stack)
  await copyAll(stack.dataDirectory, rig.scratch)
  await stack.restart()
  return rig.scratch
}

/** Whether the person's address stands in the files of the copy that is put back. */
async function putBack(stack: Stack, copy: string, person: Person): Promise<boolean> {
  await stopped(stack)
  await copyAll(copy, stack.dataDirectory)
  const found = await runProgram('/usr/bin/grep', ['-rqa', person.email, join(stack.dataDirectory, 'database', 'base')])
  await stack.restart()
  return found.code === 0
}
