import { atMost, defineClaim, exactly } from '../../claim.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto, startRun, uploadPhoto } from '../../rig/photo.ts'
import { timed, until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const READS = 29
/** What the transaction leaves of the pool. */
const BLOCKED = 9
/** Below the limit of one statement, so that only the transaction as a whole is too long. */
const STEP_MS = 9_000
/** An effect is started in one transaction that needs these tables in this order; readers need the second. */
const tables = ['seaworthy.idempotency', 'cosnap.photos', 'seaworthy.ledger', 'cosnap.runs'] as const

export const claim = defineClaim({
  id: 'CFG-06',
  says: 'The database limits are in force: 10 connections a process, 5 s for a free one, 10 s for a statement, 30 s for a transaction',
  answers: ['D2', 'D5', 'ASVS 13.2.6'],
  witness: 'PostgreSQL: locked tables, pg_stat_activity, pg_locks',
  tier: 'full',
  seconds: 38,
  alone: true,
  limits: {
    'most connections of the web process': atMost(10, 'connections'),
    'wait for a connection, shortest': { unit: 's', atLeast: 4.5, atMost: 5.5 },
    'wait for a connection, longest': { unit: 's', atLeast: 4.5, atMost: 5.5 },
    'statement ended, shortest': { unit: 's', atLeast: 9.5, atMost: 10.5 },
    'statement ended, longest': { unit: 's', atLeast: 9.5, atMost: 10.5 },
    'transaction ended': { unit: 's', atLeast: 29, atMost: 31 },
    'answers other than 503': exactly(0, 'answers'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const person = await stack.newcomer()
    const photoId = await uploadPhoto(person, await jpegPhoto())
    const observer = await stack.database('admin')
    const locks = await Promise.all(tables.map(async (table) => lockTable(await stack.database('admin'), table)))
    const [idempotency, photos, ledger, runs] = locks
    const transaction = timed(() => statusOf(startRun(person, photoId)))
    await until('the transaction waits', () => isWaitedFor(observer, tables[0]))
    const steps = [idempotency, photos, ledger].map((lock, i) => setTimeout(() => lock?.open(), STEP_MS * (i + 1)))
    rig.defer(() => steps.forEach(clearTimeout))
    const reads = Promise.all(Array.from({ length: READS }, () => timed(() => read(person))))
    await until('the readers wait', () => isWaitedFor(observer, tables[1], BLOCKED))
    let connections = 0
    const watch = setInterval(async () => {
      connections = Math.max(connections, await connectionsOf(observer))
    }, 200)
    rig.defer(() => clearInterval(watch))
    const answers = (await reads).sort((a, b) => a.ms - b.ms)
    clearInterval(watch)
    const atTheLast = await until(
      'the transaction is at its last table',
      () => isWaitedFor(observer, tables[3]),
      30_000,
    )
    const ended = await transaction
    await runs?.open()
    const seconds = answers.map(({ ms }) => ms / 1_000)
    const [waited, ran] = [seconds.slice(0, READS - BLOCKED), seconds.slice(READS - BLOCKED)]
    return {
      measured: {
        'most connections of the web process': connections,
        'wait for a connection, shortest': Math.min(...waited),
        'wait for a connection, longest': Math.max(...waited),
        'statement ended, shortest': Math.min(...ran),
        'statement ended, longest': Math.max(...ran),
        'transaction ended': ended.ms / 1_000,
        'answers other than 503': [...answers, ended].filter(({ value }) => value !== 503).length,
      },
      met: {
        'the pool was full': connections >= 10,
        'the transaction waited at its first and its last table': atTheLast,
      },
      evidence: [`seconds of the ${READS} readers: ${seconds.map((value) => value.toFixed(1)).join(' ')}`],
    }
  },
  sabotages: [
    patch(
      'a statement may take as long as it likes',
      'packages/platform/src/data/drivers/pg.ts',
      'statement_timeout: limits.statementMs,',
      '',
    ),
    patch(
      'a transaction may take as long as it likes',
      'packages/platform/src/data/drivers/pg.ts',
      'options: `-c transaction_timeout=${limits.transactionMs}`,',
      '',
    ),
    patch('the pool has no bound', 'packages/platform/src/data/drivers/pg.ts', 'max: limits.max,', 'max: 40,'),
  ],
})

/** Holds a table until it is opened; nobody else reads or writes it. */
async function lockTable(client: DatabaseClient, table: string): Promise<{ open(): Promise<unknown> }> {
  await client.query(`begin; lock table ${table} in access exclusive mode`)
  return { open: () => client.query('commit') }
}

async function isWaitedFor(observer: DatabaseClient, table: string, by = 1): Promise<boolean> {
  const rows = `select 1 from pg_locks where relation = '${table}'::regclass and not granted`
  return (await count(observer, rows)) >= by
}

const connectionsOf = (observer: DatabaseClient): Promise<number> =>
  count(observer, `select 1 from pg_stat_activity where application_name = 'seaworthy-web'`)

async function count(observer: DatabaseClient, rows: string): Promise<number> {
  return (await observer.query(rows)).rowCount ?? 0
}

const read = (person: Person): Promise<number> => statusOf(person.fetch('/api/cosnap/photos'))

async function statusOf(answer: Promise<Response>): Promise<number> {
  const response = await answer
  await response.arrayBuffer()
  return response.status
}
