import type { Sample } from '../../claim.ts'
import { atLeast, atMost, defineClaim, exactly } from '../../claim.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { applyLoad, type Load } from '../../rig/load.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto, uploadPhoto } from '../../rig/photo.ts'
import type { Stack } from '../../rig/stack.ts'
import { statusOf } from '../../rig/stack.ts'
import { quantile, until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const CONNECTIONS = 2
/** So slow is each question to the database: the machine itself has time left, and the same capacity everywhere. */
const SLOW_SECONDS = 0.05
const SECONDS = 7
const path = '/api/cosnap/photos'

export const claim = defineClaim({
  id: 'RAT-05',
  says: 'Asked three and five times as much as a slow database can give, the service gives as much as before, tells the rest at once to come again, stays healthy, and is itself again within two seconds',
  answers: ['R9', 'S3', 'ASVS 15.2.2'],
  witness: 'open-loop load on a database that was made slow',
  tier: 'full',
  seconds: 28,
  alone: true,
  limits: {
    'good answers under three times the load, of capacity': atLeast(0.8, 'of capacity'),
    'good answers under five times the load, of capacity': atLeast(0.8, 'of capacity'),
    'slowest good answer, 99 of 100': atMost(2_500, 'ms'),
    'refusal, 95 of 100': atMost(50, 'ms'),
    'answers that are neither good nor 503': exactly(0, 'answers'),
    'health that did not answer': exactly(0, 'answers'),
    'until it is itself again': atMost(2_000, 'ms'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { DB_POOL_MAX: String(CONNECTIONS), WORKER_PROCESSES: '0' } })
    const person = await stack.newcomer()
    await uploadPhoto(person, await jpegPhoto(64, 48))
    await slowDown(await stack.database('admin'))
    const capacity = await measureCapacity(person)
    const health = watchHealth(stack)
    const three = await overload(stack, person, 3 * capacity)
    const [five, backMs] = [await overload(stack, person, 5 * capacity), await untilItself(person)]
    const bad = await health.stop()
    const all = [...three.samples, ...five.samples]
    return {
      measured: {
        'good answers under three times the load, of capacity': goodPerSecond(three) / capacity,
        'good answers under five times the load, of capacity': goodPerSecond(five) / capacity,
        'slowest good answer, 99 of 100': quantile(times(all, true), 0.99),
        'refusal, 95 of 100': quantile(times(all, false), 0.95),
        'answers that are neither good nor 503': others(three) + others(five),
        'health that did not answer': bad,
        'until it is itself again': backMs,
      },
      met: {
        'more was asked than could be given': times(all, false).length > all.length / 2,
        'there was something to measure': capacity > 10,
      },
      run: { samples: five.samples, marks: [] },
      evidence: [
        `capacity ${capacity.toFixed(0)}/s, three times ${JSON.stringify(three.statuses)}, five times ${JSON.stringify(five.statuses)}`,
      ],
    }
  },
  sabotages: [
    patch(
      'the queue has no end',
      'packages/platform/src/http/overload.ts',
      "parts.databaseWaitMs() > WAIT_MS ? 'database' : undefined",
      'undefined',
    ),
    patch(
      'whoever watches is refused too',
      'packages/platform/src/http/overload.ts',
      "if (why && !always.test(request.url ?? ''))",
      'if (why)',
    ),
    patch(
      'who is refused waits for it',
      'packages/platform/src/http/overload.ts',
      "if (why && !always.test(request.url ?? '')) refuse(",
      "if (why && !always.test(request.url ?? '')) setTimeout(refuse, 100, ",
    ),
  ],
})

/** By the function that every question about an account's rows asks once. */
async function slowDown(admin: DatabaseClient): Promise<void> {
  await admin.query(`
    create or replace function seaworthy.account_id() returns uuid language plpgsql stable as $$
    begin perform pg_sleep(${SLOW_SECONDS}); return nullif(current_setting('app.account_id', true), '')::uuid; end $$`)
}

const CLOSED_LOOP = 8

/** Good answers a second when as many ask as are answered. */
async function measureCapacity(person: Person): Promise<number> {
  let good = 0
  const end = performance.now() + 4_000
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: CLOSED_LOOP }, async () => {
      while (performance.now() < end) {
        const response = await person.fetch(path)
        await response.arrayBuffer()
        if (response.ok) good++
      }
    }),
  )
  return (good * 1_000) / (performance.now() - startedAt)
}

const overload = (stack: Stack, { token }: Person, perSecond: number): Promise<Load> =>
  applyLoad({
    perSecond,
    seconds: SECONDS,
    request: () => ({ url: `${stack.url}${path}`, headers: { authorization: `Bearer ${token}` } }),
  })

const times = (samples: readonly Sample[], ok: boolean): number[] =>
  samples.filter((sample) => sample.ok === ok).map((sample) => sample.ms)

/** While more was asked than could be given: after the first second, until the last request began. */
function goodPerSecond({ samples }: Load): number {
  const ended = samples.filter(({ ok, atMs, ms }) => ok && atMs + ms > 1_000 && atMs + ms <= SECONDS * 1_000)
  return ended.length / (SECONDS - 1)
}

const others = ({ statuses }: Load): number =>
  Object.entries(statuses)
    .filter(([status]) => status !== '200' && status !== '503')
    .reduce((sum, [, count]) => sum + count, 0)

function watchHealth(stack: Stack) {
  let [stopped, bad] = [false, 0]
  const watching = (async () => {
    while (!stopped) {
      if ((await statusOf(`${stack.url}/health/live`)) !== 200) bad++
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  })()
  return {
    stop: async () => {
      stopped = true
      await watching
      return bad
    },
  }
}

/** How long until five requests in a row are answered, each within a quarter of a second. */
async function untilItself(person: Person): Promise<number> {
  const startedAt = performance.now()
  let inARow = 0
  await until('it is itself again', async () => {
    const askedAt = performance.now()
    const response = await person.fetch(path)
    await response.arrayBuffer()
    inARow = response.ok && performance.now() - askedAt < 250 ? inARow + 1 : 0
    return inARow === 5
  }).catch(() => false)
  return performance.now() - startedAt
}
