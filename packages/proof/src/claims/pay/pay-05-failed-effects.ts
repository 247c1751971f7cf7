import { rmSync } from 'node:fs'
import { defineClaim, exactly } from '../../claim.ts'
import { blobsOf } from '../../rig/blobs.ts'
import { booksOf } from '../../rig/credits.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import type { Person } from '../../rig/person.ts'
import { creditsOf, jpegPhoto, type Run, startRun, untilRunIs, uploadPhoto } from '../../rig/photo.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch, wrongFunction, wrongSql } from '../../sabotage.ts'

const GIFT = 20
const LOST = 5
const KILLS = 3

export const claim = defineClaim({
  id: 'PAY-05',
  says: 'An effect that fails for good, because its photo is gone or its worker was killed three times, gives its credits back, once',
  answers: ['P8', 'P6'],
  witness: 'kill -9, a removed file, the ledger',
  tier: 'full',
  seconds: 25,
  limits: {
    'credits that were not given back': exactly(0, 'credits'),
    'credits given back twice': exactly(0, 'credits'),
    'failed effects without exactly one refund': exactly(0, 'effects'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const [unlucky, killed] = [await stack.newcomer(), await stack.newcomer()]
    const admin = await stack.database('admin')
    const photoId = await uploadPhoto(unlucky, await jpegPhoto(64, 48))
    for (const file of blobsOf(stack, unlucky)) rmSync(file)
    const failing = await Promise.all(Array.from({ length: LOST }, () => begin(unlucky, photoId, 'noir')))
    for (const { id } of failing) await untilRunIs(unlucky, id, 'failed')
    const long = await begin(killed, await uploadPhoto(killed, await jpegPhoto(4_000, 3_000)), 'oil')
    const kills = await killWhileRunning(stack, admin, long.jobId)
    await untilRunIs(killed, long.id, 'failed', 20_000).catch(() => undefined)
    const people = await Promise.all(
      [unlucky, killed].map(async (person) => ({
        credits: await creditsOf(person),
        books: await booksOf(admin, person),
        failed: (await person.json<{ items: unknown[] }>('/api/cosnap/runs?state=failed')).items.length,
      })),
    )
    const missing = people.map(({ credits }) => GIFT - credits.available)
    return {
      measured: {
        'credits that were not given back': sum(missing.map((credits) => Math.max(0, credits))),
        'credits given back twice': sum(missing.map((credits) => Math.max(0, -credits))),
        'failed effects without exactly one refund': sum(
          people.map(({ books }) => Math.abs(books.holds - books.releases) + books.captures + books.twice),
        ),
      },
      met: {
        'effects failed because their photo was gone': people[0]?.failed === LOST,
        'the worker was killed three times while it made one': kills === KILLS,
        'that one failed as well': people[1]?.failed === 1,
      },
      evidence: people.map(({ credits, books }) => `${JSON.stringify(credits)} ${JSON.stringify(books)}`),
    }
  },
  sabotages: [
    patch(
      'a failed effect gives nothing back',
      'apps/cosnap/src/runs/apply-effect.job.ts',
      'await releaseHold(tx, run.hold_id)',
      '',
    ),
    wrongSql(
      'a refund may be booked again',
      `drop index seaworthy.ledger_settled_once;
       ${wrongFunction('', 'seaworthy.ledger_settle(uuid, uuid, text)', 'held.reference, hold)', "held.reference, hold), (gen_random_uuid(), account, how, 'held', case how when 'capture' then 'spent' else 'available' end, held.amount, held.reference || ' again', hold)").sql}`,
    ),
  ],
})

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

async function begin(person: Person, photoId: string, effect: string): Promise<Run> {
  const response = await startRun(person, photoId, effect)
  if (response.status !== 202) throw new Error(`the effect was not accepted: ${response.status}`)
  return (await response.json()) as Run
}

/** Each try once, while it is under way: the number of tries says that another one has begun. */
async function killWhileRunning(stack: Stack, admin: DatabaseClient, jobId: string): Promise<number> {
  for (let kill = 0; kill < KILLS; kill++) {
    await until(
      'the effect is under way again',
      async () => {
        const { rows } = await admin.query<{ attempts: number }>(
          `select attempts from seaworthy.jobs where id = $1 and state = 'running'`,
          [jobId],
        )
        return rows[0]?.attempts === kill + 1
      },
      20_000,
    )
    await stack.signal('worker', 'SIGKILL')
  }
  return KILLS
}
