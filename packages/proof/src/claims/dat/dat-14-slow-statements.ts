import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto, uploadPhoto } from '../../rig/photo.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const SLOW_MS = 400
const TIMES = 3
const WATCH = 'packages/platform/src/data/slow-statements.ts'

export const claim = defineClaim({
  id: 'DAT-14',
  says: 'A statement that takes longer than the setting is logged once a minute with its trace, its form and its plan, counted each time, and shows no value of anybody',
  answers: ['D9', 'ASVS 16.2.5'],
  witness: 'a locked table, the log, /metrics',
  tier: 'full',
  seconds: 10,
  limits: {
    'forms logged with the trace of their request': exactly(1, 'lines'),
    'lines of one form in a minute': exactly(1, 'lines'),
    'plans without a scan of the table': exactly(0, 'plans'),
    'values of requests in slow lines': exactly(0, 'values'),
    'slow statements counted': atLeast(TIMES, 'statements'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { WORKER_PROCESSES: '0', DB_SLOW_QUERY: '200ms' } })
    const person = await stack.newcomer()
    const photoId = await uploadPhoto(person, await jpegPhoto(64, 48))
    const holder = await stack.database('admin')
    const traces: string[] = []
    for (let time = 0; time < TIMES; time++) {
      const trace = randomBytes(16).toString('hex')
      traces.push(trace)
      await holder.query('begin; lock table cosnap.photos in access exclusive mode')
      const asked = look(person, photoId, trace)
      await until('the request waits for the table', async () => {
        const { rowCount } = await holder.query('select from pg_locks where not granted')
        return rowCount === 1
      })
      await sleep(SLOW_MS)
      await holder.query('rollback')
      if ((await asked) !== 200) throw new Error('the photo could not be read')
    }
    const lines = () => stack.log().filter(({ message }) => message === 'slow statement')
    const photoLines = () => lines().filter(({ statement }) => /cosnap"?\."?photos/.test(String(statement)))
    await until('a plan is logged', () => photoLines().length > 0, 10_000).catch(() => undefined)
    const found = photoLines()
    const values = [photoId, person.accountId, person.userId, person.email]
    return {
      measured: {
        'forms logged with the trace of their request': found.filter(({ trace }) => traces.includes(String(trace)))
          .length,
        'lines of one form in a minute': found.length,
        'plans without a scan of the table': found.filter(({ plan }) => !/Scan.* on photos/.test(String(plan))).length,
        'values of requests in slow lines': values.filter((value) => JSON.stringify(lines()).includes(value)).length,
        'slow statements counted': await countSlow(stack),
      },
      met: { [`${TIMES} requests waited for the table`]: traces.length === TIMES },
      evidence: found.map((line) => JSON.stringify(line).slice(0, 600)),
    }
  },
  sabotages: [
    patch(
      'the request that waited is not named',
      'packages/platform/src/data/database.ts',
      'new PgTransaction(client, watch, trace)',
      'new PgTransaction(client, watch)',
    ),
    patch('every slow statement is logged', WATCH, 'if (!isDue(fingerprint)) return', 'isDue(fingerprint)'),
    patch(
      'the values are logged beside the statement',
      'packages/platform/src/data/transaction.ts',
      'this.#watch.slow(text, ms, this.#trace)',
      'this.#watch.slow(`${text} -- ${parameters.join()}`, ms, this.#trace)',
    ),
    patch(
      'a plan is not asked for',
      WATCH,
      'return explain(pool, text).catch(',
      "return Promise.reject(new Error('none')).catch(",
    ),
  ],
})

async function look(person: Person, photoId: string, trace: string): Promise<number> {
  const headers = { traceparent: `00-${trace}-b7ad6b7169203331-01` }
  const response = await person.fetch(`/api/cosnap/photos/${photoId}`, { headers })
  await response.arrayBuffer()
  return response.status
}

async function countSlow(stack: Stack): Promise<number> {
  const text = await (await fetch(`${stack.adminUrl}/metrics`)).text()
  return Number(/^database_slow_statements_total (\d+)$/m.exec(text)?.[1] ?? Number.NaN)
}
