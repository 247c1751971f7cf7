import { readFileSync } from 'node:fs'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { type Arrivals, startArrivals } from '../../rig/arrivals.ts'
import { type Host, openHost } from '../../rig/host.ts'
import { openHostLoad } from '../../rig/host-load.ts'
import { startRenderedProxy } from '../../rig/host-nginx.ts'
import { descendantsOf } from '../../rig/process-tree.ts'
import { startRedis } from '../../rig/redis.ts'
import type { Rig } from '../../rig/rig.ts'
import { timed, until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const PER_SECOND = 40
/** Who waits longer has gone. */
const PATIENCE_MS = 5_000
const CALM_MS = 3_000
const CALM_AGAIN_MS = 60_000
const WEEK_SECONDS = 7 * 86_400
const PEOPLE = 10

/** What happens in a week that has gone badly, and how often. */
const week = {
  'a deploy': 20,
  'a web process is killed': 14,
  'a worker is killed': 14,
  'PostgreSQL is killed': 7,
  'Redis is restarted': 7,
} as const

type Event = keyof typeof week

export const claim = defineClaim({
  id: 'CAP-03',
  says: 'Measured: what people lose on one host behind nginx, under 40 requests per second, by a deploy and by kills of a web process, a worker, PostgreSQL and Redis, each twice, the worse counted. Computed from it: in a week with twenty deploys, fourteen kills of a web process and of a worker, and seven of PostgreSQL and of Redis, at least 99.995 % of requests are answered well within five seconds. Loss of the whole machine, and moving to a standby, are not in it',
  answers: ['S2 (99.9 % uptime)', 'S0 (99.9 %)', 'H14'],
  witness: 'the rendered nginx with TLS and retries off, open-loop load, signals of the kernel',
  tier: 'soak',
  seconds: 180,
  alone: true,
  needs: ['nginx', 'openssl', 'redis-server'],
  limits: {
    'requests of the week not answered well': atMost(50, 'of a million'),
    'most lost by one event': atMost(8, 'seconds'),
    'events after which nothing was well again': exactly(0, 'events'),
  },
  experiment: async (rig) => {
    const redis = await startRedis(rig)
    const host = await openHost(rig, { ...patient, REDIS_URL: redis.url }, startRenderedProxy)
    await deploy(host, host.checkout('first'))
    const answers: Record<string, number> = {}
    const arrivals = await startPeople(rig, host, answers)
    await until('it was calm', () => arrivals.now() > CALM_MS && isCalm(arrivals), CALM_AGAIN_MS)
    const checkouts = [host.checkout('second'), host.checkout('third')]
    const happened: { event: Event; atMs: number; isReal: boolean; isOver: boolean }[] = []
    const cause: Readonly<Record<Event, (turn: number) => Promise<boolean>>> = {
      'a deploy': (turn) => deploy(host, checkouts[turn] ?? ''),
      'a web process is killed': () => killOne(host, 'web'),
      'a worker is killed': () => killOne(host, 'worker'),
      'PostgreSQL is killed': () => killDatabase(host),
      'Redis is restarted': () =>
        redis
          .kill()
          .then(redis.start)
          .then(() => true),
    }
    for (const turn of [0, 1])
      for (const event of Object.keys(week) as Event[]) {
        const atMs = arrivals.now()
        const isReal = await cause[event](turn)
        const calm = until(`all is well after ${event}`, () => isCalm(arrivals), CALM_AGAIN_MS)
        happened.push({ event, atMs, isReal, isOver: await calm.catch(() => false) })
      }
    await arrivals.stop()
    const { samples } = arrivals
    const lost = happened.map(({ event, atMs }, i) => {
      const end = happened[i + 1]?.atMs ?? Number.POSITIVE_INFINITY
      const failed = samples.filter((sample) => !sample.ok && sample.atMs >= atMs && sample.atMs < end)
      return { event, seconds: failed.length / PER_SECOND }
    })
    const worst = (event: Event): number =>
      Math.max(...lost.filter((one) => one.event === event).map(({ seconds }) => seconds))
    const ofWeek = Object.entries(week).reduce((sum, [event, times]) => sum + times * worst(event as Event), 0)
    const good = samples.filter(({ ok }) => ok).length
    return {
      measured: {
        'requests of the week not answered well': (1_000_000 * ofWeek) / WEEK_SECONDS,
        'most lost by one event': Math.max(...lost.map(({ seconds }) => seconds)),
        'events after which nothing was well again': happened.filter(({ isOver }) => !isOver).length,
      },
      met: {
        'requests were sent all the time': samples.length > 0.8 * PER_SECOND * (arrivals.now() / 1_000),
        'everything happened twice': happened.length === 2 * Object.keys(week).length,
        'each event really happened': happened.every(({ isReal }) => isReal),
      },
      run: { samples, marks: happened.map(({ event, atMs }) => ({ atMs, label: event })) },
      evidence: [
        `${good} of ${samples.length} answered well while all of it happened within ${Math.round(arrivals.now() / 1_000)} s; ${ofWeek.toFixed(1)} s of the week are lost; answers ${JSON.stringify(answers)}`,
        lost.map(({ event, seconds }) => `${event}: ${seconds.toFixed(2)} s lost`).join('; '),
        ...happened.filter(({ isReal }) => !isReal).map(({ event }) => `${event}: it had no effect`),
      ],
    }
  },
  sabotages: [
    patch(
      'a database that ended is started again too late',
      'packages/platform/src/boot/supervisor.ts',
      "      if (failures === 0) log.error('the database ended and is started again', { runbook: 'database-gone' })\n",
      "      if (failures === 0) log.error('the database ended and is started again', { runbook: 'database-gone' })\n      await pause(15 * SECOND, signal)\n",
    ),
    patch(
      'the release that serves is ended before the next one begins',
      'packages/ops/src/procedures/host/deploy.ts',
      'if (warm && warm !== id && warm !== serving) await drain(host, warm)',
      'for (const one of [warm, serving]) if (one && one !== id) await drain(host, one)',
    ),
  ],
})

const patient = {
  RATE_LIMIT_MAX: '1000000',
  AUTH_RATE_LIMIT_MAX: '1000000',
  WEB_PROCESSES: '2',
  WORKER_PROCESSES: '1',
}

const isCalm = ({ samples, now }: Arrivals): boolean => {
  const recent = samples.filter(({ atMs }) => atMs > now() - CALM_MS)
  return recent.length > 0.8 * (CALM_MS / 1_000) * PER_SECOND && recent.every(({ ok }) => ok)
}

/** People who read their photos, who they are, and the front page. */
async function startPeople(rig: Rig, host: Host, answers: Record<string, number>): Promise<Arrivals> {
  const load = openHostLoad(host)
  const tokens = await Promise.all(Array.from({ length: PEOPLE }, () => load.signUp()))
  const paths = ['/api/cosnap/photos', '/api/identity/me', '/'] as const
  const arrivals = startArrivals(PER_SECOND, async (i) => {
    const path = paths[i % paths.length] ?? '/'
    const { value, ms } = await timed(() => load.get(path, path === '/' ? undefined : tokens[i % PEOPLE]))
    const answer = value === 200 && ms > PATIENCE_MS ? 'late' : String(value)
    answers[answer] = (answers[answer] ?? 0) + 1
    return answer === '200'
  })
  rig.defer(() => arrivals.stop())
  return arrivals
}

/** True when another release serves afterwards. */
async function deploy(host: Host, checkout: string): Promise<boolean> {
  const before = servingOf(host)
  const { stderr } = await host.command(checkout, 'deploy', '--yes', '--no-smoke', '--ready', '3m', '--bake', '2s')
  const after = servingOf(host)
  if (!before && !after) throw new Error(`the first deploy failed: ${stderr.slice(-800)}`)
  return before !== after
}

function servingOf(host: Host): string | undefined {
  try {
    return host.state().serving
  } catch {
    return undefined
  }
}

/** One process of the release that serves; true when another one is there for it. */
async function killOne(host: Host, role: 'web' | 'worker'): Promise<boolean> {
  // The release before may still be ending.
  const isServing = (pid: string): boolean => wordsOf(pid)[1]?.includes(`/releases/${servingOf(host)}/`) ?? false
  const processes = (): number[] =>
    host
      .supervisors()
      .filter(isServing)
      .flatMap((pid) => descendantsOf(Number(pid)))
      .filter((pid) => wordsOf(pid).slice(-2).includes(role))
  const before = processes()
  const [victim] = before
  if (victim === undefined) return false
  process.kill(victim, 'SIGKILL')
  return until(
    'another is there',
    () => processes().length === before.length && !processes().includes(victim),
    CALM_AGAIN_MS,
  )
}

function wordsOf(pid: number | string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean)
  } catch {
    return []
  }
}

async function killDatabase({ server }: Host): Promise<boolean> {
  const [before] = await server.pids('database')
  await server.signal('database', 'SIGKILL')
  return until(
    'PostgreSQL is there again',
    async () => {
      const [after] = await server.pids('database')
      return after !== undefined && after !== before
    },
    CALM_AGAIN_MS,
  )
}
