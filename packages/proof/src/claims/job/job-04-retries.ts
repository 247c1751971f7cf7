import { mkdirSync, renameSync, rmdirSync } from 'node:fs'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { blobsOf } from '../../rig/blobs.ts'
import { booksOf } from '../../rig/credits.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto, type Run, startRun, untilRunIs, uploadPhoto } from '../../rig/photo.ts'
import { quantile, timed, until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const TRIES = 3
/** After the first and the second try: at least so long, and picked up within two seconds. */
const PAUSES_MS = [2_700, 7_300]
const LATE_MS = 2_500

export const claim = defineClaim({
  id: 'JOB-04',
  says: 'A failing effect is tried three times with growing pauses that delay nobody else, a hopeless one once; both are parked with their reason, and an operator gives the parked one another life',
  answers: ['S1', 'H15'],
  witness: 'a file that cannot be read, PostgreSQL',
  tier: 'full',
  seconds: 25,
  alone: true,
  limits: {
    'tries of the failing effect': exactly(TRIES, 'tries'),
    'tries of the hopeless effect': exactly(1, 'tries'),
    'pauses other than declared': exactly(0, 'of 2'),
    'delay of others meanwhile': atMost(1_000, 'ms'),
    'parked without a reason': exactly(0, 'of 2'),
    'replayed and not made, or not paid once': exactly(0, 'effects'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const operator = await stack.operator()
    const [failing, hopeless, other] = [await stack.newcomer(), await stack.newcomer(), await stack.newcomer()]
    const admin = await stack.database('admin')
    const bytes = await jpegPhoto(64, 48)
    const otherPhoto = await uploadPhoto(other, bytes)
    const before = [
      await makeOne(other, otherPhoto),
      await makeOne(other, otherPhoto),
      await makeOne(other, otherPhoto),
    ]
    const failingPhoto = await uploadPhoto(failing, bytes)
    const mend = breakFiles(blobsOf(stack, failing))
    const hopelessPhoto = await uploadPhoto(hopeless, bytes)
    breakFiles(blobsOf(stack, hopeless), { leaveNothing: true })
    const runs = [await begin(failing, failingPhoto), await begin(hopeless, hopelessPhoto)] as const
    const watching = watchTries(admin, runs[0].jobId)
    const meanwhile: number[] = []
    for (let i = 0; i < 6; i++) meanwhile.push(await makeOne(other, otherPhoto))
    const failures = await watching
    await untilRunIs(hopeless, runs[1].id, 'failed')
    const letters = (await operator.json<{ items: Letter[] }>('/api/operations/jobs/dead')).items
    mend()
    const replay = await operator.fetch(`/api/operations/jobs/${runs[0].jobId}/replay`, { method: 'POST' })
    const made = await untilRunIs(failing, runs[0].id, 'done', 20_000).catch(() => undefined)
    const books = await booksOf(admin, failing)
    const letterOf = (run: Run) => letters.find((letter) => letter.id === run.jobId)
    const pauses = failures.slice(1).map((at, i) => at - (failures[i] ?? 0))
    return {
      measured: {
        'tries of the failing effect': letterOf(runs[0])?.attempts ?? failures.length,
        'tries of the hopeless effect': letterOf(runs[1])?.attempts ?? 0,
        'pauses other than declared': PAUSES_MS.filter((ms, i) => !isAbout(pauses[i], ms)).length,
        'delay of others meanwhile': quantile(meanwhile, 0.5) - quantile(before, 0.5),
        'parked without a reason': runs.filter((run) => !letterOf(run)?.error).length,
        'replayed and not made, or not paid once': made && books.captures === 1 && books.twice === 0 ? 0 : 1,
      },
      met: {
        'the effect failed': failures.length > 0,
        'the operator was let in': replay.status === 204,
      },
      evidence: [
        `pauses ${pauses.map(Math.round).join(', ')} ms`,
        `others took ${meanwhile.map(Math.round).join(', ')} ms, before ${before.map(Math.round).join(', ')} ms`,
        ...letters.map((letter) => JSON.stringify(letter)),
      ],
    }
  },
  sabotages: [
    patch(
      'a failing effect is tried again for ever',
      'packages/platform/src/jobs/worker.ts',
      'hopeless || row.attempts >= row.attempts_max',
      'hopeless || row.attempts >= row.attempts_max + 1',
    ),
    patch(
      'what cannot succeed is tried again',
      'packages/platform/src/jobs/worker.ts',
      'error instanceof AppError && error.status < 500',
      'error instanceof AppError && error.status < 100',
    ),
    patch(
      'a revived effect does not take its credits again',
      'apps/cosnap/src/runs/apply-effect.job.ts',
      ".set({ state: 'queued', hold_id: hold, error_code: null, finished_at: null })",
      ".set({ state: 'queued', error_code: null, finished_at: null })",
    ),
  ],
})

interface Letter {
  readonly id: string
  readonly attempts: number
  readonly error: string | null
}

const isAbout = (pauseMs: number | undefined, declaredMs: number): boolean =>
  pauseMs !== undefined && pauseMs >= declaredMs - 100 && pauseMs <= declaredMs + LATE_MS

async function begin(person: Person, photoId: string): Promise<Run> {
  const response = await startRun(person, photoId)
  if (response.status !== 202) throw new Error(`the effect was not accepted: ${response.status}`)
  return (await response.json()) as Run
}

/** How long one effect takes from the click to the picture. */
async function makeOne(person: Person, photoId: string): Promise<number> {
  const { ms } = await timed(async () => untilRunIs(person, (await begin(person, photoId)).id, 'done'))
  return ms
}

/** A directory where the file was: it cannot be read, for now. Returns what mends it. */
function breakFiles(files: readonly string[], { leaveNothing = false } = {}): () => void {
  for (const file of files) {
    renameSync(file, `${file}.away`)
    if (!leaveNothing) mkdirSync(file)
  }
  return () => {
    for (const file of files) {
      rmdirSync(file)
      renameSync(`${file}.away`, file)
    }
  }
}

/** The moments at which its tries began, until it has ended. */
async function watchTries(admin: DatabaseClient, jobId: string): Promise<readonly number[]> {
  const moments: number[] = []
  await until(
    'the job has ended',
    async () => {
      const { rows } = await admin.query<{ attempts: number; state: string }>(
        'select attempts, state from seaworthy.jobs where id = $1',
        [jobId],
      )
      const [job] = rows
      if (job && job.attempts > moments.length) moments.push(performance.now())
      return job?.state === 'dead' || moments.length > TRIES
    },
    40_000,
  )
  return moments
}
