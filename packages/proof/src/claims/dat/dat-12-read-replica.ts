import { setTimeout as sleep } from 'node:timers/promises'
import { atLeast, atMost, defineClaim, exactly } from '../../claim.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto, uploadPhoto } from '../../rig/photo.ts'
import { freePort } from '../../rig/ports.ts'
import type { Stack } from '../../rig/stack.ts'
import { type Standby, startStandby } from '../../rig/standby.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const PROCESSES = 2
const LAG_MAX_MS = 5_000
const ROUNDS = 12
const AT_ONCE = 8
const WATCH_MS = 8_000
const STEP_MS = 40
const HEADER = 'seaworthy-position'
/** What a machine that is too busy did not begin, whatever became of the replica. */
const TURNED_AWAY = 'http_requests_shed_total{why="event loop"}'
const REPLICA = 'packages/platform/src/data/replica.ts'
const POOL = 'packages/platform/src/data/replica-watch.ts'

export const claim = defineClaim({
  id: 'DAT-12',
  says: 'With a read replica nobody misses what they have written, whichever of two web processes answers; no state older than five seconds is shown; a stale or frozen replica leaves, is reported, fails no request, and comes back',
  answers: ['D3'],
  witness: 'a streaming standby of PostgreSQL whose replay is paused and which is frozen',
  tier: 'full',
  seconds: 35,
  alone: true,
  limits: {
    'own writes missed while replay runs': exactly(0, `of ${ROUNDS * AT_ONCE}`),
    'own writes missed while replay is paused': exactly(0, `of ${ROUNDS * AT_ONCE}`),
    'oldest state that was shown': atMost(LAG_MAX_MS, 'ms'),
    'time until the stale replica is reported': atMost(LAG_MAX_MS + 1_000, 'ms'),
    'health reports that do not name it': exactly(0, 'of 1'),
    'requests that failed': exactly(0, 'requests'),
    'slowest answer while the replica is frozen': atMost(4_000, 'ms'),
    'reads by the replica when it is back': atLeast(1, 'reads'),
  },
  experiment: async (rig) => {
    const port = await freePort()
    const stack = await rig.start({
      environment: {
        WEB_PROCESSES: String(PROCESSES),
        WORKER_PROCESSES: '0',
        DATABASE_REPLICA_URL: `postgresql://127.0.0.1:${port}`,
      },
    })
    const operator = await stack.operator()
    const device = createDevice(operator)
    const isWithout = (await gauge(stack, 'database_replica_used')) === 0 && (await device.write()).atMs > 0
    const standby = await startStandby(rig, stack, port)
    await untilUsed(stack)
    const running = await missOwnWrites(device)

    await untilFresh(device, stack)
    const byReplica = await readsBy(stack, 'replica')
    const other = createDevice(operator, device.position())
    await standby.pauseReplay()
    const [stale, paused] = await Promise.all([watchStale(other, stack, device), missOwnWritesLater(device)])
    const health = await (await operator.fetch('/health/detailed')).text()
    await standby.resumeReplay()
    await untilUsed(stack)

    await untilFresh(device, stack)
    const frozen = await readFrozen(device, standby, stack)
    await untilUsed(stack)
    const before = await readsBy(stack, 'replica')
    await until(
      'the replica answers again',
      async () => (await device.read()) && (await readsBy(stack, 'replica')) > before,
    )
    const failures = [...device.failures, ...other.failures]
    return {
      measured: {
        'own writes missed while replay runs': running,
        'own writes missed while replay is paused': paused,
        'oldest state that was shown': stale.oldestMs,
        'time until the stale replica is reported': stale.reportedMs,
        'health reports that do not name it': /"degraded".*"replica"[^}]*behind/.test(health) ? 0 : 1,
        'requests that failed': failures.length - (await gauge(stack, TURNED_AWAY)),
        'slowest answer while the replica is frozen': frozen.slowestMs,
        'reads by the replica when it is back': (await readsBy(stack, 'replica')) - before,
      },
      met: {
        'it served before there was a replica': isWithout,
        'the replica answered reads before': byReplica > 0,
        'the paused replica showed an old state for a second': stale.oldestMs > 1_000,
        'the replica was frozen while it was read from': frozen.hadLeft,
      },
      evidence: [
        `oldest state ${Math.round(stale.oldestMs)} ms, reported after ${Math.round(stale.reportedMs)} ms`,
        `frozen: slowest of ${frozen.reads} answers ${Math.round(frozen.slowestMs)} ms`,
        ...failures.slice(0, 4),
        ...stack
          .log()
          .filter(({ message }) => message.startsWith('the read replica'))
          .map(({ message, why }) => `${message} ${why ?? ''}`),
      ].slice(0, 16),
    }
  },
  sabotages: [
    patch('what a client has seen is not asked for', POOL, 'Math.max(position, floor)', 'floor'),
    patch('a replica may be a minute behind', REPLICA, 'LAG_MAX_MS = 5 * SECOND', 'LAG_MAX_MS = 60 * SECOND'),
    patch(
      'a stale replica is not reported',
      POOL,
      'if (lagMs <= (was === undefined ? lagMaxMs : lagMaxMs / 2)) return undefined',
      'if (lagMs > 0) return undefined',
    ),
    patch(
      'what fails on the replica fails for the client',
      REPLICA,
      'if (!isItsOwn(error)) throw error',
      'throw error',
    ),
    patch(
      'the answer to a write says nothing about it',
      'packages/platform/src/data/database.ts',
      'moveOn(seen, told?.rows[0]?.position ?? undefined)',
      'moveOn(seen, seen.position ?? told?.rows[0]?.position ?? undefined)',
    ),
  ],
})

/** Somebody's browser: shows what it has seen, and keeps what answers tell. */
function createDevice(person: Person, shown = '') {
  let position = shown
  const failures: string[] = []
  const ask = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = { ...(position ? { [HEADER]: position } : {}) }
    const response = await person.fetch(path, { ...init, headers })
    if (!response.ok) failures.push(`${response.status} ${await response.clone().text()}`)
    return response
  }
  return {
    position: () => position,
    failures,
    /** What was written last, and when that was acknowledged. */
    write: async () => {
      let told = ''
      const fetch: Person['fetch'] = async (path, init) => {
        const response = await ask(path, init)
        told = response.headers.get(HEADER) ?? ''
        return response
      }
      const id = await uploadPhoto({ ...person, fetch }, await photo)
      position = told || position
      return { id, atMs: performance.now() }
    },
    /** The newest photos; undefined when there is no good answer. Leaves the position as it is. */
    read: async (): Promise<readonly string[] | undefined> => {
      const response = await ask('/api/cosnap/photos?limit=50').catch(
        (error: Error) => void failures.push(error.message),
      )
      if (!response?.ok) return undefined
      return ((await response.json()) as { items: { id: string }[] }).items.map(({ id }) => id)
    },
  }
}

type Device = ReturnType<typeof createDevice>

const photo = jpegPhoto(64, 48)

/** How often one's last write is not there, in reads at once over connections to all processes. */
async function missOwnWrites(device: Device): Promise<number> {
  let missed = 0
  for (let round = 0; round < ROUNDS; round++) {
    const { id } = await device.write()
    const seen = await Promise.all(Array.from({ length: AT_ONCE }, () => device.read()))
    missed += seen.filter((ids) => ids && !ids.includes(id)).length
  }
  return missed
}

/** After the first moments, in which another device looks at the old state. */
async function missOwnWritesLater(device: Device): Promise<number> {
  await sleep(2 * STEP_MS)
  return missOwnWrites(device)
}

/** Looks with what was seen before the pause: at how old a state is shown, and when the replica is reported. */
async function watchStale(old: Device, stack: Stack, device: Device) {
  const { id, atMs } = await device.write()
  let [oldestMs, reportedMs] = [0, WATCH_MS]
  for (let startedMs = performance.now(); startedMs - atMs < WATCH_MS; startedMs = performance.now()) {
    if ((await old.read())?.includes(id) === false) oldestMs = Math.max(oldestMs, startedMs - atMs)
    const isReported = stack.log().some(({ message, why }) => /is not used/.test(message) && /behind/.test(String(why)))
    if (isReported) reportedMs = Math.min(reportedMs, performance.now() - atMs)
    await sleep(STEP_MS)
  }
  return { oldestMs, reportedMs }
}

async function readFrozen(device: Device, standby: Standby, stack: Stack) {
  let [slowestMs, reads] = [0, 0]
  await standby.signal('SIGSTOP')
  const read = async (): Promise<void> => {
    const startedMs = performance.now()
    await device.read()
    slowestMs = Math.max(slowestMs, performance.now() - startedMs)
    reads++
  }
  await Promise.all(Array.from({ length: AT_ONCE }, read))
  const left = until('it has left', async () => (await gauge(stack, 'database_replica_used')) === 0, 10_000)
  const hadLeft = await left.catch(() => false)
  await Promise.all(Array.from({ length: AT_ONCE }, read))
  await standby.signal('SIGCONT')
  return { slowestMs, reads, hadLeft }
}

const untilUsed = (stack: Stack): Promise<true> =>
  until(
    'all use the replica',
    async () => (await gauge(stack, 'database_replica_used')) === PROCESSES || undefined,
    20_000,
  )

/** Until the replica answers this device, so that it has all that the device has seen. */
async function untilFresh(device: Device, stack: Stack): Promise<void> {
  await until('the replica answers', async () => {
    const before = await readsBy(stack, 'replica')
    await Promise.all(Array.from({ length: AT_ONCE }, () => device.read()))
    return (await readsBy(stack, 'replica')) - before >= AT_ONCE
  })
}

const readsBy = (stack: Stack, by: string): Promise<number> =>
  gauge(stack, `database_replica_reads_total{by="${by}",why=""}`)

async function gauge(stack: Stack, name: string): Promise<number> {
  const text = await (await fetch(`${stack.adminUrl}/metrics`)).text()
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return line === undefined ? 0 : Number(line.slice(name.length + 1))
}
