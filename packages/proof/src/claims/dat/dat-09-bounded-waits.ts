import { atMost, defineClaim, exactly } from '../../claim.ts'
import type { Person } from '../../rig/person.ts'
import { until } from '../../rig/wait.ts'
import { wrongSettings } from '../../sabotage.ts'

const REQUESTS = 500
const POOL = 10
const WAIT_MS = 5_000
const AFTERWARDS = 40

interface Answer {
  readonly status: number
  readonly ms: number
  readonly retryAfter: string | null
}

export const claim = defineClaim({
  id: 'DAT-09',
  says: 'When every database connection is busy, 500 requests wait no longer than the setting says, are told to come again, open no more connections, and leave none taken',
  answers: ['D8', 'S3'],
  witness: 'a locked table, pg_stat_activity',
  tier: 'full',
  seconds: 18,
  alone: true,
  limits: {
    'slowest refusal': atMost(WAIT_MS + 1_500, 'ms'),
    'answers other than 503 with Retry-After': exactly(0, 'answers'),
    'connections beyond the pool': exactly(0, 'connections'),
    'requests that fail afterwards': exactly(0, 'of 40'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({
      environment: { DB_POOL_MAX: String(POOL), DB_WAIT_TIMEOUT: `${WAIT_MS}ms`, WORKER_PROCESSES: '0' },
    })
    const [person, holder, watcher] = [
      await stack.newcomer(),
      await stack.database('admin'),
      await stack.database('admin'),
    ]
    const connections = async (condition = 'true'): Promise<number> => {
      const { rows } = await watcher.query<{ count: number }>(
        `select count(*)::int as count from pg_stat_activity where usename = 'seaworthy_app' and application_name = 'seaworthy-web' and ${condition}`,
      )
      return rows[0]?.count ?? Number.NaN
    }
    await holder.query('begin; lock table cosnap.photos in access exclusive mode')
    const busy = Array.from({ length: POOL }, () => ask(person))
    await until('every connection is busy', async () => (await connections(`wait_event_type = 'Lock'`)) === POOL)
    const waiting = Array.from({ length: REQUESTS }, () => ask(person))
    const refused = await Promise.all(waiting)
    const most = await connections()
    await holder.query('rollback')
    await Promise.all(busy)
    const afterwards = await Promise.all(Array.from({ length: AFTERWARDS }, () => ask(person)))
    const slowest = Math.max(...refused.map((answer) => answer.ms))
    return {
      measured: {
        'slowest refusal': slowest,
        'answers other than 503 with Retry-After': refused.filter(
          (answer) => answer.status !== 503 || answer.retryAfter === null,
        ).length,
        'connections beyond the pool': Math.max(0, most - POOL),
        'requests that fail afterwards': afterwards.filter((answer) => answer.status !== 200).length,
      },
      met: {
        'all connections were busy': most >= POOL,
        'requests waited': slowest > WAIT_MS / 2,
      },
      evidence: [
        `${most} connections, slowest refusal ${Math.round(slowest)} ms`,
        `afterwards at most ${Math.round(Math.max(...afterwards.map((answer) => answer.ms)))} ms: ${afterwards.map((answer) => answer.status).join(' ')}`,
      ],
    }
  },
  sabotages: [wrongSettings('a request may wait for thirty seconds', { DB_WAIT_TIMEOUT: '30s' })],
})

async function ask(person: Person): Promise<Answer> {
  const started = performance.now()
  const response = await person.fetch('/api/cosnap/photos', { signal: AbortSignal.timeout(60_000) })
  await response.arrayBuffer()
  return { status: response.status, ms: performance.now() - started, retryAfter: response.headers.get('retry-after') }
}
