import { setTimeout as sleep } from 'node:timers/promises'
import { defineClaim, exactly } from '../../claim.ts'
import { booksOf, giveCredits } from '../../rig/credits.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto, startRun, uploadPhoto } from '../../rig/photo.ts'
import type { Rig } from '../../rig/rig.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const JOBS = 150
const KILLS = 8
const AT_ONCE = 8
/** Nothing more ends for so long: what is open now is lost. */
const QUIET_MS = 10_000
const PATIENCE_MS = 60_000

export const claim = defineClaim({
  id: 'JOB-01',
  says: 'Of 150 effects whose workers are killed eight times, each is made and paid exactly once and none is lost',
  answers: ['S1', 'P6'],
  witness: 'kill -9, rows counted by PostgreSQL',
  tier: 'full',
  seconds: 25,
  limits: {
    'effects lost': exactly(0, 'of 150'),
    'effects paid or ended twice': exactly(0, 'of 150'),
    'jobs without an end': exactly(0, 'of 150'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { WORKER_PROCESSES: '2' } })
    const [person, admin] = [await stack.newcomer(), await stack.database('admin')]
    await giveCredits(admin, person, JOBS)
    const photoId = await uploadPhoto(person, await jpegPhoto(400, 300))
    const starting = startMany(person, photoId)
    const killed = await killWorkers(rig, stack, admin)
    const accepted = await starting
    await untilNothingEnds(admin, person)
    const books = await booksOf(admin, person)
    const jobs = await jobsOf(admin, person)
    return {
      measured: {
        'effects lost': accepted - books.done,
        'effects paid or ended twice': books.twice + Math.max(0, books.captures - accepted) + jobs.endedTwice(stack),
        'jobs without an end': accepted - jobs.done,
      },
      met: {
        'all effects were accepted': accepted === JOBS,
        'eight workers were killed while jobs were under way': killed === KILLS,
      },
      evidence: [`${jobs.repeated} jobs were begun again`, JSON.stringify(books)],
    }
  },
  sabotages: [
    patch(
      'a job that a killed worker had begun stays its own',
      'packages/platform/src/jobs/drivers/graphile.ts',
      "interval '3 seconds'",
      "interval '4 hours'",
    ),
    patch(
      'a job counts as done when it begins',
      'packages/platform/src/jobs/worker.ts',
      `      const outcome = await runJob(parts, pool, task, (payload as { id: string }).id, signal)
      finished({ task: task.name, outcome })`,
      `      void runJob(parts, pool, task, (payload as { id: string }).id, signal).then((outcome) => finished({ task: task.name, outcome }), () => undefined)`,
    ),
    patch(
      'the end of a job is not written with its effect',
      'packages/platform/src/jobs/worker.ts',
      'select seaworthy.finish_job(',
      'select seaworthy.hold_job(',
    ),
  ],
})

/** A few at a time; how many were accepted. */
async function startMany(person: Person, photoId: string): Promise<number> {
  let [sent, accepted] = [0, 0]
  const lane = async (): Promise<void> => {
    while (sent++ < JOBS) {
      const response = await startRun(person, photoId)
      if (response.status === 202) accepted++
      await response.arrayBuffer()
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  return accepted
}

/** About one a second, in turns, while jobs are under way: the other worker goes on. How many were killed. */
async function killWorkers(rig: Rig, stack: Stack, admin: DatabaseClient): Promise<number> {
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(700 + rig.random() * 600)
    const pid = await until('a worker runs', async () => (await stack.pids('worker'))[kill % 2])
    const underWay = async () =>
      (await admin.query(`select 1 from seaworthy.jobs where state = 'running'`)).rows.length > 0
    if (!(await until('a job is under way', underWay).catch(() => false))) return kill
    process.kill(pid, 'SIGKILL')
  }
  return KILLS
}

/** Until all jobs have ended, or none has for a while. */
async function untilNothingEnds(admin: DatabaseClient, person: Person): Promise<void> {
  let [open, since] = [Number.POSITIVE_INFINITY, performance.now()]
  await until(
    'nothing ends any more',
    async () => {
      const { rows } = await admin.query<{ open: number }>(
        `select count(*)::int as open from seaworthy.jobs where account_id = $1 and state in ('waiting', 'running')`,
        [person.accountId],
      )
      const now = rows[0]?.open ?? 0
      if (now !== open) [open, since] = [now, performance.now()]
      return now === 0 || performance.now() - since > QUIET_MS
    },
    PATIENCE_MS,
  )
}

async function jobsOf(admin: DatabaseClient, person: Person) {
  const { rows } = await admin.query<{ id: string; state: string; attempts: number }>(
    'select id, state, attempts from seaworthy.jobs where account_id = $1',
    [person.accountId],
  )
  const own = new Set(rows.map((row) => row.id))
  return {
    done: rows.filter((row) => row.state === 'done').length,
    repeated: rows.filter((row) => row.attempts > 1).length,
    /** By the workers' own lines: an end that is logged again. */
    endedTwice: (stack: Stack): number => {
      const ends = stack.log().filter((line) => line.message === 'job done' && own.has(String(line.job)))
      return ends.length - new Set(ends.map((line) => line.job)).size
    },
  }
}
