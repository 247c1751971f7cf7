import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineClaim, exactly } from '../../claim.ts'
import { type DatabaseClient, openClient } from '../../rig/database.ts'
import { onServer } from '../../rig/external.ts'
import { makeOwnCopy } from '../../rig/own-copy.ts'
import { jpegPhoto, uploadPhoto } from '../../rig/photo.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const NAME = 'proof_interrupted'
const FILE = '0002-proof.sql'
const migration = `-- no transaction: an index on a table in use is built without holding up writers
create index concurrently proof_by_hash on cosnap.photos (hash);
`

export const claim = defineClaim({
  id: 'DAT-03',
  says: 'An index is built while people write; when product and database are killed in the middle of it, the next start drops what is left, builds it again and records it once',
  answers: ['D6'],
  witness: 'kill -9, pg_index.indisvalid',
  tier: 'full',
  seconds: 20,
  limits: {
    'invalid indexes after the next start': exactly(0, 'indexes'),
    'valid indexes after the next start': exactly(1, 'indexes'),
    'records of the migration': exactly(1, 'records'),
    'times that the start after that built it again': exactly(0, 'times'),
  },
  experiment: async (rig) => {
    const server = await rig.start({ environment: { WORKER_PROCESSES: '0' } })
    const settings = onServer(await server.database('admin'), NAME)
    const connect = async (): Promise<DatabaseClient> => {
      const client = await openClient(settings.DATABASE_URL ?? '')
      rig.defer(() => client.end())
      return client
    }
    const copy = makeOwnCopy(rig)
    const first = await copy.launch(settings)
    await first.ready()
    await uploadPhoto(await first.newcomer(), await jpegPhoto(64, 48))
    await first.stop()
    writeFileSync(join(copy.product, 'apps/cosnap/migrations', FILE), migration)
    const [writer, watcher] = [await connect(), await connect()]
    await writer.query('begin; lock table cosnap.photos in row exclusive mode')
    const killed = await copy.launch(settings)
    const [half] = await until('the index is half built', async () => {
      const found = await indexesOf(watcher)
      return found.length > 0 && found
    })
    await killed.signal('supervisor', 'SIGKILL')
    const [before] = await server.pids('database')
    await server.signal('database', 'SIGKILL')
    await until('the database is back', async () => {
      const [now] = await server.pids('database')
      return now !== undefined && now !== before
    })
    const later = await until('it answers', () => connect().catch(() => undefined))
    const left = await indexesOf(later)
    const second = await copy.launch(settings)
    const up = await comesUp(second)
    const after = await indexesOf(later)
    await second.stop()
    await comesUp(await copy.launch(settings))
    const last = await indexesOf(later)
    const { rows } = await later.query('select from seaworthy.migrations where app = $1 and name = $2', [
      'cosnap',
      FILE,
    ])
    return {
      measured: {
        'invalid indexes after the next start': after.filter(({ valid }) => !valid).length,
        'valid indexes after the next start': after.filter(({ valid }) => valid).length,
        'records of the migration': rows.length,
        'times that the start after that built it again': last[0]?.id === after[0]?.id ? 0 : 1,
      },
      met: {
        'the index was being built when all was killed': half?.valid === false,
        'an invalid index was left': left.length === 1 && left[0]?.valid === false,
      },
      evidence: [
        `left: ${JSON.stringify(left)}`,
        `after: ${JSON.stringify(after)}`,
        ...(up ? [] : [second.output().slice(-400)]),
      ],
    }
  },
  sabotages: [
    patch(
      'an invalid index is taken for the one that was wanted',
      'packages/platform/src/data/unfinished-index.ts',
      'return (await findIndex(client, index))?.valid ?? false',
      'return (await findIndex(client, index)) !== undefined',
    ),
    patch(
      'an invalid index is left where it is',
      'packages/platform/src/data/unfinished-index.ts',
      'if (found && !found.valid)',
      'if (found && !found.name)',
    ),
  ],
})

async function indexesOf(client: DatabaseClient): Promise<{ id: number; valid: boolean }[]> {
  const { rows } = await client.query<{ id: number; valid: boolean }>(
    `select i.indexrelid::int as id, i.indisvalid as valid from pg_index i join pg_class c on c.oid = i.indexrelid where c.relname like 'proof_by_hash%'`,
  )
  return rows
}

const comesUp = (stack: { ready(deadlineMs: number): Promise<void> }): Promise<boolean> =>
  stack.ready(40_000).then(
    () => true,
    () => false,
  )
