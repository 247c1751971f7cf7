import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { defineClaim, exactly } from '../../claim.ts'
import { type BucketStore, KEEPING, keysIn, openBucketStore, RUNNING } from '../../rig/bucket-store.ts'
import { openGuarded } from '../../rig/recovery.ts'
import { patch } from '../../sabotage.ts'

const ROWS = 500
/** Written over with each segment, by its nature: an instant that is surely in the log does not need it. */
const HEAD = 'boats/head.json'

export const claim = defineClaim({
  id: 'BKP-02',
  says: 'Whoever takes over the running system, with its key of the bucket, can remove and change no recovery point and nothing of the log that is there: every instant before is restored, and the system goes on adding with the same key. Whoever reads the bucket reads nothing',
  answers: ['B4', 'B5', 'S3'],
  witness: "an S3 server that checks signatures with AWS's signer and reads the policy that the product prints; restic",
  needs: ['restic', 's3rver'],
  tier: 'full',
  seconds: 40,
  limits: {
    'objects that were removed or changed': exactly(0, 'objects'),
    'secrets that can be read in the bucket': exactly(0, 'secrets'),
    'restores without a recovery kit': exactly(0, 'restores'),
    'restores of before that failed': exactly(0, 'restores'),
    'rows missing': exactly(0, 'rows'),
    'backups that failed afterwards': exactly(0, 'backups'),
  },
  experiment: async (rig) => {
    const store = await openBucketStore(rig)
    const guarded = await openGuarded(rig, { BACKUP_STORES: store.name, ...store.settingsOf(RUNNING) })
    const { admin, stack, backUp, archived, command, destroy, restore } = guarded
    await admin.query('create table public.kept (id int primary key)')
    await backUp()
    await admin.query('insert into public.kept select generate_series(1, $1::int)', [ROWS])
    const { rows } = await admin.query<{ at: Date }>(
      "select date_trunc('milliseconds', clock_timestamp() + interval '1 ms') as at, pg_sleep(0.5)",
    )
    const instant = rows[0]?.at.toISOString() ?? ''
    await admin.query('delete from public.kept')
    await archived()
    const secrets = secretsOf(stack.dataDirectory)
    const attack = await attackAll(store)
    const again = await command(['backup'])
    await destroy()
    const blind = await restore(instant, store.name, [])
    await store.bucket.ask(RUNNING, 'PUT', HEAD, { body: 'nothing' })
    const restored = await restore(instant, store.name)
    const machine = restored.code === 0 ? await restored.start() : undefined
    const back = machine && (await (await machine.database('admin')).query<{ count: number }>(countRows)).rows[0]?.count
    return {
      measured: {
        'objects that were removed or changed': attack.lost,
        'secrets that can be read in the bucket': readableIn(store.bucket.directory, secrets),
        'restores without a recovery kit': blind.code === 0 ? 1 : 0,
        'restores of before that failed': restored.code === 0 ? 0 : 1,
        'rows missing': ROWS - (back ?? 0),
        'backups that failed afterwards': again.code === 0 ? 0 : 1,
      },
      met: {
        'many objects were there': attack.keys > 10,
        'each was attacked in three ways': attack.answers.length === attack.keys * 3,
        'the key of whoever keeps the store may delete': attack.control === 204,
        'there were secrets to look for': secrets.length > 3,
      },
      evidence: [
        `${attack.keys} objects; answers ${JSON.stringify(count(attack.answers))}`,
        again.stderr.slice(-300),
        restored.stderr.slice(-300),
      ],
    }
  },
  sabotages: [
    patch(
      'the key of the running system may delete',
      'packages/platform/src/recovery/policy.ts',
      "Action: 's3:DeleteObject', Resource: inside(`${CHANGING.locks}*`)",
      "Action: 's3:DeleteObject', Resource: inside('*')",
    ),
    patch(
      'the key of the running system may write over what is there',
      'packages/platform/src/recovery/policy.ts',
      "Condition: { Null: { 's3:if-none-match': 'false' } },",
      '',
    ),
    patch(
      'what is put into a store is not sealed',
      'packages/platform/src/vault/stream.ts',
      'yield Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()])',
      'cipher.update(piece)\n    cipher.final()\n    yield Buffer.concat([piece, cipher.getAuthTag()])',
    ),
  ],
})

const countRows = 'select count(*)::int as count from public.kept'
const hashOf = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex')

interface Attack {
  readonly keys: number
  readonly answers: readonly number[]
  readonly lost: number
  readonly control: number
}

/** With everything that the running system has: deletes, writes over, and pretends to add. */
async function attackAll(store: BucketStore): Promise<Attack> {
  const { bucket } = store
  const keys = (await keysIn(store, RUNNING)).filter((key) => key !== HEAD && !key.includes('/locks/'))
  const answers: number[] = []
  let lost = 0
  for (const key of keys) {
    const before = await bucket.ask(KEEPING, 'GET', key)
    for (const [method, headers] of [
      ['PUT', {}],
      ['PUT', { 'if-none-match': '*' }],
      ['DELETE', {}],
    ] as const)
      answers.push(
        (await bucket.ask(RUNNING, method, key, { headers, body: method === 'PUT' ? 'nothing' : '' })).status,
      )
    const after = await bucket.ask(KEEPING, 'GET', key)
    if (after.status !== 200 || hashOf(after.text) !== hashOf(before.text)) lost++
  }
  await bucket.ask(KEEPING, 'PUT', `${store.prefix}mine`, { body: 'nothing' })
  const control = (await bucket.ask(KEEPING, 'DELETE', `${store.prefix}mine`)).status
  return { keys: keys.length, answers, lost, control }
}

const count = (all: readonly number[]): Readonly<Record<string, number>> =>
  Object.fromEntries([...new Set(all)].map((one) => [one, all.filter((other) => other === one).length]))

/** As they stand in a record of kept files when nobody seals it, and as they are. */
function secretsOf(dataDirectory: string): readonly string[] {
  const directory = join(dataDirectory, 'secrets')
  return readdirSync(directory).map((name) => readFileSync(join(directory, name), 'utf8').trim())
}

function readableIn(directory: string, secrets: readonly string[]): number {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((name) => join(directory, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path))
  return secrets.filter((secret) => {
    const forms = [secret, Buffer.from(`${secret}\n`).toString('base64')]
    return files.some((bytes) => forms.some((form) => bytes.includes(form)))
  }).length
}
