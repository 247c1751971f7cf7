import { EventEmitter } from 'node:events'
import type { Logger as GraphileLogger, Runner, TaskList, WorkerEvents } from 'graphile-worker'
import {
  type Endpoint,
  type Login,
  openClient,
  openPlainPool,
  type PgPool,
  type PgSingleClient,
} from '../../data/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { enqueueSql, markQuery, queueMark } from '../queue-mark.ts'

const markForm = /^[0-9a-f]{12}$/

/** The one file that knows graphile-worker. */
export interface QueueSettings {
  readonly endpoint: Endpoint
  readonly login: Login
  readonly concurrency: number
  readonly log: Logger
  /** How long a stop waits for jobs under way before it aborts and hands them back. */
  readonly shutdownMs: number
  /** Called when the queue cannot go on, for instance after the database was away for long. */
  readonly onFailure: (error: unknown) => void
}

export interface RunningQueue {
  stop(): Promise<void>
}

/** `pool` is the queue's own: jobs can come before `runQueue` has returned. */
type Handler = (payload: unknown, signal: AbortSignal, pool: PgPool) => Promise<void>

const LOCK_CLASS = 4242
const SWEEP_MS = 2_000
/** Longer than any piece of work holds the event loop. */
const FROZEN_SECONDS = 12
const POLL_MS = 1_000
const OWN_CONNECTIONS = 3

/** Loaded on first use: web processes leave jobs in the queue by SQL, and start without the library. */
const library = () => import('graphile-worker')

/** Installs or updates the queue's own tables and our way into them. The worker's role owns both. */
export async function migrateQueue(endpoint: Endpoint, admin: Login, login: Login, appRole: string): Promise<void> {
  const { Logger, runMigrations } = await library()
  const silent = new Logger(() => () => undefined)
  const administrator = await openClient(endpoint, admin, 'queue-admin')
  const pool = openPlainPool(endpoint, login, 'queue-migrate', 1)
  const inDatabase = `on database ${administrator.escapeIdentifier(endpoint.database)}`
  try {
    // The library makes sure of its schema with a statement that needs this right even when the schema is there.
    await administrator.query(`grant create ${inDatabase} to ${administrator.escapeIdentifier(login.user)}`)
    await runMigrations({ pgPool: pool, logger: silent })
    const { rows } = await administrator.query<{ marks: string | null }>(markQuery().compile().sql)
    const marks = new Set([...(rows[0]?.marks ?? '').split(' ').filter((mark) => markForm.test(mark)), queueMark()])
    await pool.query(
      `select pg_advisory_lock(7305811); ${enqueueSql().replaceAll(':app', `"${appRole}"`)};
       comment on schema seaworthy_queue is '${[...marks].join(' ')}'; select pg_advisory_unlock(7305811)`,
    )
  } finally {
    await administrator.query(`revoke create ${inDatabase} from ${administrator.escapeIdentifier(login.user)}`)
    await administrator.end()
    await pool.end()
  }
}

/** Runs handlers until stopped. Jobs of a killed worker come back within seconds: see `sweepCrashed`. */
export async function runQueue(
  settings: QueueSettings,
  tasks: Record<string, Handler>,
  schedules: readonly { task: string; cron: string }[],
): Promise<RunningQueue> {
  const { parseCronItems, run } = await library()
  const pool = openPlainPool(settings.endpoint, settings.login, 'queue', settings.concurrency + OWN_CONNECTIONS)
  const lock = await holdOwnerLock(settings)
  const runner = await run({
    pgPool: pool,
    concurrency: settings.concurrency,
    noHandleSignals: true,
    pollInterval: POLL_MS,
    events: lock.events,
    logger: await adaptLogger(settings.log),
    taskList: Object.fromEntries(
      Object.entries(tasks).map(([name, handler]) => [
        name,
        (payload: unknown, helpers: { abortSignal: AbortSignal }) => handler(payload, helpers.abortSignal, pool),
      ]),
    ) as TaskList,
    parsedCronItems: parseCronItems(
      schedules.map(({ task, cron }) => ({
        task,
        match: cron,
        identifier: task,
        options: { backfillPeriod: 0, maxAttempts: 1 },
      })),
    ),
    preset: { worker: { gracefulShutdownAbortTimeout: settings.shutdownMs } },
  })
  let stopping = false
  runner.promise.then(
    () => stopping || settings.onFailure(new Error('the queue stopped by itself')),
    (error: unknown) => stopping || settings.onFailure(error),
  )
  const tend = async (): Promise<void> => {
    await beat(pool, lock.owners, settings.log)
    await sweepCrashed(pool, settings.log)
  }
  const sweep = setInterval(() => void tend(), SWEEP_MS)
  await tend()
  return {
    stop: () => {
      stopping = true
      return stop(runner, sweep, lock.client, pool)
    },
  }
}

async function beat(pool: PgPool, owners: ReadonlySet<string>, log: Logger): Promise<void> {
  try {
    await pool.query(
      `insert into seaworthy_queue.workers (id, beat_at) select unnest($1::text[]), clock_timestamp()
       on conflict (id) do update set beat_at = excluded.beat_at`,
      [[...owners]],
    )
  } catch (error) {
    log.warn('the queue could not say that this process is alive; it says so again in two seconds', {
      runbook: 'jobs-stuck',
      error,
    })
  }
}

/**
 * graphile-worker keeps a killed worker's job locked for four hours. Each of our pools holds an advisory lock named
 * after it, which PostgreSQL drops with its connection, and says every two seconds that it is alive, which a frozen
 * process does not. A job whose owner lacks either for a while is nobody's, and is unlocked. A job that is open and has
 * lost its place in the queue gets a new one.
 */
async function sweepCrashed(pool: PgPool, log: Logger): Promise<void> {
  try {
    await pool.query(`
      select graphile_worker.force_unlock_workers(array_agg(distinct locked_by)) from graphile_worker._private_jobs j
      where locked_by is not null and locked_at < now() - interval '3 seconds' and not (
        exists (select 1 from pg_locks l where l.locktype = 'advisory' and l.classid = ${LOCK_CLASS}
          and l.objid::bigint = (hashtext(j.locked_by)::bigint & 4294967295))
        and exists (select 1 from seaworthy_queue.workers w where w.id = j.locked_by
          and w.beat_at > clock_timestamp() - interval '${FROZEN_SECONDS} seconds'))
      having count(*) > 0`)
    await pool.query(`
      select graphile_worker.add_job(j.task, json_build_object('id', j.id), job_key := j.id::text, max_attempts := 1000)
      from seaworthy.jobs j where j.state in ('waiting', 'running') and j.created_at < now() - interval '1 minute'
        and not exists (select 1 from graphile_worker._private_jobs q where q.key = j.id::text)
      limit 100`)
  } catch (error) {
    log.warn('the sweep for jobs of killed workers failed; the next one is in two seconds', {
      runbook: 'jobs-stuck',
      error,
    })
  }
}

interface OwnerLock {
  readonly client: () => PgSingleClient
  readonly events: WorkerEvents
  /** In whose name jobs of this process are locked. */
  readonly owners: ReadonlySet<string>
}

/** A connection of its own holds the locks: a pool might close one that is idle. When it breaks, it is made again. */
async function holdOwnerLock(settings: QueueSettings): Promise<OwnerLock> {
  const owners = new Set<string>()
  const take = (client: PgSingleClient, id: string) =>
    client.query('select pg_advisory_lock($1, hashtext($2))', [LOCK_CLASS, id])
  const open = async (): Promise<PgSingleClient> => {
    const client = await openClient(settings.endpoint, settings.login, 'queue-lock')
    for (const id of owners) await take(client, id)
    client.on('end', () => setTimeout(() => void reopen(), SWEEP_MS / 4).unref())
    return client
  }
  let current = await open()
  let stopped = false
  const reopen = async (): Promise<void> => {
    if (stopped) return
    try {
      current = await open()
    } catch {
      setTimeout(() => void reopen(), SWEEP_MS / 4).unref()
    }
  }
  const events = new EventEmitter() as WorkerEvents
  // Jobs are locked in the name of the pool, not of the worker inside it.
  events.on('pool:create', ({ workerPool }) => {
    owners.add(workerPool.id)
    take(current, workerPool.id).catch((error: unknown) =>
      settings.log.warn('the queue could not take its lock', { error }),
    )
  })
  events.on('pool:gracefulShutdown', () => {
    stopped = true
  })
  return { client: () => current, events, owners }
}

async function stop(runner: Runner, sweep: NodeJS.Timeout, lock: () => PgSingleClient, pool: PgPool): Promise<void> {
  clearInterval(sweep)
  await runner.stop().catch(() => {
    // Jobs that did not end in time were handed back.
  })
  await lock().end()
  await pool.end()
}

async function adaptLogger(log: Logger): Promise<GraphileLogger> {
  const { Logger: Adapted } = await library()
  return new Adapted(() => (level, message) => {
    if (level === 'error') log.error('queue: a job or the queue failed', { runbook: 'jobs-stuck', why: message })
    else if (level === 'warning') log.warn('queue', { why: message })
    else log.debug('queue', { why: message })
  })
}
