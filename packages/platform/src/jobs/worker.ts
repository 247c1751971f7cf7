import { type AccountId, AppError } from '@seaworthy/core'
import { type Database, type PgPool, sql, type Transaction } from '../data/index.ts'
import type { Logger, Metrics } from '../telemetry/index.ts'
import { type QueueSettings, type RunningQueue, runQueue } from './drivers/graphile.ts'
import { type Execution, type ScheduledTask, Superseded, type Task } from './task.ts'

export interface WorkerParts {
  readonly queue: QueueSettings
  readonly database: Database
  readonly log: Logger
  readonly metrics: Metrics
}

interface JobRow {
  readonly id: string
  readonly account_id: AccountId
  readonly input: unknown
  readonly attempts: number
  readonly attempts_max: number
  readonly trace: string | null
  readonly error_code: string | null
}

const PROGRESS_MS = 250

/** Runs these tasks and schedules until stopped. */
export async function startWorker(
  parts: WorkerParts,
  tasks: readonly Task[],
  schedules: readonly ScheduledTask[],
): Promise<RunningQueue> {
  const finished = parts.metrics.counter('jobs_finished_total', 'Jobs by task and how they ended.', ['task', 'outcome'])
  const handlers: Parameters<typeof runQueue>[1] = {}
  for (const task of tasks) {
    handlers[task.name] = async (payload, signal, pool) => {
      const outcome = await runJob(parts, pool, task, (payload as { id: string }).id, signal)
      finished({ task: task.name, outcome })
    }
  }
  for (const schedule of schedules) handlers[schedule.name] = () => schedule.run()
  return runQueue(
    parts.queue,
    handlers,
    schedules.map(({ name, cron }) => ({ task: name, cron })),
  )
}

type Outcome = 'done' | 'dead' | 'skipped'

/** One try. A failure that is not the last is thrown: the queue runs the job again, later each time. */
async function runJob(
  parts: WorkerParts,
  pool: PgPool,
  task: Task,
  id: string,
  shutdown: AbortSignal,
): Promise<Outcome> {
  const row = await claim(pool, id)
  if (!row) return 'skipped'
  const log = parts.log.with({
    job: id,
    task: task.name,
    attempt: row.attempts,
    ...(row.trace ? { trace: row.trace.slice(3, 35) } : {}),
  })
  if (row.attempts > row.attempts_max) return bury(parts, task, row, row.error_code ?? 'killed')
  const timeout = AbortSignal.timeout(task.timeoutMs)
  const started = performance.now()
  try {
    await execute(parts, pool, task, row, AbortSignal.any([shutdown, timeout]))
    log.info('job done', { ms: Math.round(performance.now() - started) })
    return 'done'
  } catch (error) {
    // Thrown on: the queue then gives up this try's claim, and leaves alone what belongs to the other one.
    if (error instanceof Superseded) throw error
    return await failed(parts, pool, task, row, error, { log, stopping: shutdown.aborted && !timeout.aborted })
  }
}

/** Counts the try and makes it the one whose result counts. Undefined when the job was cancelled or is over. */
async function claim(pool: PgPool, id: string): Promise<JobRow | undefined> {
  const { rows } = await pool.query<JobRow>(
    `update seaworthy.jobs set state = 'running', attempts = attempts + 1, started_at = coalesce(started_at, clock_timestamp())
     where id = $1 and state in ('waiting', 'running')
     returning id, account_id, input, attempts, attempts_max, trace, error_code`,
    [id],
  )
  return rows[0]
}

async function execute(parts: WorkerParts, pool: PgPool, task: Task, row: JobRow, signal: AbortSignal): Promise<void> {
  let ended = false
  const finish: Execution['finish'] = async (effect) => {
    const end = async (tx: Transaction): Promise<void> => {
      const { held } = await tx.one<{ held: boolean }>(
        sql`select seaworthy.hold_job(${row.id}, ${row.attempts}) as held`,
      )
      if (!held) throw new Superseded(row.id)
      await effect(tx)
      await tx.run(sql`select seaworthy.finish_job(${row.id}, ${row.attempts})`)
    }
    await parts.database.withCaller({ accountId: row.account_id }, end, row.trace ? { trace: row.trace } : {})
    ended = true
  }
  const reporter = createReporter(pool, row, parts.log)
  const work = task.run({
    id: row.id,
    accountId: row.account_id,
    input: row.input,
    attempt: row.attempts,
    trace: row.trace ?? undefined,
    signal,
    progress: reporter.report,
    finish,
  })
  await Promise.race([work, rejectWhenAborted(signal)])
  await reporter.settle()
  if (!ended) await finish(async () => undefined)
}

function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

/** Keeps at most four progress marks a second, the newest always in the end; losing one costs nothing but smoothness. */
function createReporter(pool: PgPool, row: JobRow, log: Logger) {
  let last = 0
  let writing: Promise<void> = Promise.resolve()
  const write = async (fraction: number): Promise<void> => {
    try {
      await pool.query(
        `update seaworthy.jobs set progress = $3 where id = $1 and attempts = $2 and state = 'running'`,
        [row.id, row.attempts, fraction],
      )
    } catch (error) {
      log.debug('progress was not kept', { error })
    }
  }
  const report = (fraction: number): void => {
    if (performance.now() - last < PROGRESS_MS) return
    last = performance.now()
    writing = writing.then(() => write(Math.min(1, Math.max(0, fraction))))
  }
  return { report, settle: () => writing }
}

interface FailureContext {
  readonly log: Logger
  readonly stopping: boolean
}

async function failed(
  parts: WorkerParts,
  pool: PgPool,
  task: Task,
  row: JobRow,
  error: unknown,
  { log, stopping }: FailureContext,
): Promise<Outcome> {
  const code =
    error instanceof AppError
      ? error.code
      : error instanceof Error && error.name === 'TimeoutError'
        ? 'timed_out'
        : 'internal'
  const hopeless = error instanceof AppError && error.status < 500
  if (!stopping && (hopeless || row.attempts >= row.attempts_max)) {
    log.error('job failed for good', { runbook: 'jobs-stuck', error })
    return bury(parts, task, row, code)
  }
  // A stop is not the job's fault: it gets one more try. The number itself only grows, for it is the fence.
  await pool.query(
    `update seaworthy.jobs set state = 'waiting', progress = 0, error_code = $3, attempts_max = attempts_max + $4 where id = $1 and attempts = $2 and state = 'running'`,
    [row.id, row.attempts, stopping ? null : code, stopping ? 1 : 0],
  )
  log.warn(stopping ? 'job handed back: the worker stops' : 'job failed and will be tried again', { error })
  throw error
}

async function bury(parts: WorkerParts, task: Task, row: JobRow, code: string): Promise<Outcome> {
  const buried = await parts.database.withCaller({ accountId: row.account_id }, async (tx) => {
    const { ours } = await tx.one<{ ours: boolean }>(
      sql`select seaworthy.bury_job(${row.id}, ${row.attempts}, ${code}) as ours`,
    )
    if (ours) await task.onDead?.({ id: row.id, accountId: row.account_id, input: row.input }, code, tx)
    return ours
  })
  if (!buried) throw new Superseded(row.id)
  return 'dead'
}
