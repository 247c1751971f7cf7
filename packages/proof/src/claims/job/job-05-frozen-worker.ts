import { atMost, defineClaim, exactly } from '../../claim.ts'
import { booksOf } from '../../rig/credits.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { jpegPhoto, type Run, startRun, untilRunIs, uploadPhoto } from '../../rig/photo.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const TAKEN_OVER_MS = 20_000

export const claim = defineClaim({
  id: 'JOB-05',
  says: 'The effect of a worker that is frozen is made by another one, begun within twenty seconds, and what the frozen one brings when it wakes is refused',
  answers: ['S1', 'H14'],
  witness: 'SIGSTOP and SIGCONT',
  tier: 'full',
  seconds: 35,
  limits: {
    'time until another worker begins it': atMost(TAKEN_OVER_MS, 'ms'),
    'results of the late worker that were kept': exactly(0, 'results'),
    'late results that the fence let through': exactly(0, 'results'),
    'payments beyond one': exactly(0, 'payments'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { WORKER_PROCESSES: '2' } })
    const [person, admin] = [await stack.newcomer(), await stack.database('admin')]
    const photoId = await uploadPhoto(person, await jpegPhoto(4_000, 3_000))
    const [frozen = 0, other = 0] = await stack.pids('worker')
    rig.defer(() => [frozen, other].forEach((pid) => void process.kill(pid, 'SIGCONT')))
    // The other one sleeps for a moment, so that it is known who has the job.
    process.kill(other, 'SIGSTOP')
    const run = (await (await startRun(person, photoId, 'oil')).json()) as Run
    await until('the photo is read and the effect being made', async () => (await jobOf(admin, run)).progress > 0.3)
    process.kill(frozen, 'SIGSTOP')
    process.kill(other, 'SIGCONT')
    const frozenAt = performance.now()
    const takenOver = await until(
      'another has begun it',
      async () => (await jobOf(admin, run)).attempts === 2,
      TAKEN_OVER_MS + 2_000,
    )
      .then(() => performance.now())
      .catch(() => Number.POSITIVE_INFINITY)
    if (takenOver < Number.POSITIVE_INFINITY) await untilRunIs(person, run.id, 'done')
    const before = await resultOf(admin, run)
    process.kill(frozen, 'SIGCONT')
    const end = await until('the late worker has come to its end', () => endOfFirstTry(stack, run), 20_000).catch(
      () => undefined,
    )
    await untilRunIs(person, run.id, 'done')
    const after = await resultOf(admin, run)
    const books = await booksOf(admin, person)
    return {
      measured: {
        'time until another worker begins it': Math.min(takenOver - frozenAt, 1_000_000),
        'results of the late worker that were kept': before === after ? 0 : 1,
        'late results that the fence let through': end === undefined || end.includes('was taken over') ? 0 : 1,
        'payments beyond one': books.captures + books.twice - 1,
      },
      met: {
        'the worker was frozen while it made the effect': before !== undefined && frozen !== other,
        'the frozen worker went on and brought its result': end !== undefined,
      },
      evidence: [`taken over after ${Math.round(takenOver - frozenAt)} ms`, `the late worker: ${end?.slice(0, 300)}`],
    }
  },
  sabotages: [
    patch(
      'a worker that does not say that it lives keeps its jobs',
      'packages/platform/src/jobs/drivers/graphile.ts',
      'const FROZEN_SECONDS = 12',
      'const FROZEN_SECONDS = 3_600',
    ),
    patch(
      'a late result is not refused at the fence',
      'packages/platform/src/jobs/worker.ts',
      'if (!held) throw new Superseded(row.id)',
      '',
    ),
  ],
})

async function jobOf(admin: DatabaseClient, run: Run): Promise<{ attempts: number; progress: number }> {
  const { rows } = await admin.query<{ attempts: number; progress: number }>(
    'select attempts, progress from seaworthy.jobs where id = $1',
    [run.jobId],
  )
  return rows[0] ?? { attempts: 0, progress: 0 }
}

/** Changes with every write of the row. */
async function resultOf(admin: DatabaseClient, run: Run): Promise<string | undefined> {
  const { rows } = await admin.query<{ version: string }>(
    'select xmin::text as version from cosnap.runs where id = $1',
    [run.id],
  )
  return rows[0]?.version
}

/** By the line in which the first try says how it ended. */
const endOfFirstTry = (stack: Stack, run: Run): string | undefined =>
  stack
    .output()
    .split('\n')
    .find(
      (line) =>
        line.includes(`${run.jobId} was taken over`) ||
        (/job (done|failed)/.test(line) && line.includes(run.jobId) && line.includes('"attempt":1,')),
    )
