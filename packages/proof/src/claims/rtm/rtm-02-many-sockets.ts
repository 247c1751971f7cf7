import { atMost, defineClaim, exactly } from '../../claim.ts'
import { startCrowd } from '../../rig/crowd.ts'
import { delaysOf, eventsOf, missingOf } from '../../rig/live-truth.ts'
import { openFiles, residentBytes } from '../../rig/memory.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto, uploadPhoto } from '../../rig/photo.ts'
import { freezeReaders } from '../../rig/slow-watchers.ts'
import type { Stack } from '../../rig/stack.ts'
import { type Owner, type Talk, talk } from '../../rig/talk.ts'
import { quantile, until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const A_PERSON = 30
const ACTIVE = 500
const IDLE = 5_000
/** Open before memory is counted: what a process takes to do this for the first time is none of theirs. */
const IDLE_BEFORE = 1_000
const SLOW = 10
const KiB = 1_024
const MiB = 1_024 ** 2

export const claim = defineClaim({
  id: 'RTM-02',
  says: 'Two web processes hold 5,500 live connections at 20 KiB each and bring every event to all its readers within a quarter of a second, wherever it happened; a reader that stands still is cut at a mebibyte; after a web process and the database were killed every reader has every event',
  answers: ['R2', 'R3', 'J3', 'Z12'],
  witness: 'socket.io-client, the kernel, SIGSTOP, kill -9, PostgreSQL',
  tier: 'soak',
  seconds: 70,
  alone: true,
  limits: {
    'memory for one more connection': atMost(20, 'KiB'),
    'time until a reader has an event, p99': atMost(250, 'ms'),
    'most that was kept for a reader that stands still': atMost(1.25, 'MiB'),
    'readers that stood still and were not cut': exactly(0, 'readers'),
    'readers that were not told what they missed': exactly(0, 'readers'),
    'events that a reader lost': exactly(0, 'events'),
    'connections that did not come back': exactly(0, 'connections'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { WEB_PROCESSES: '2', WORKER_PROCESSES: '0' } })
    const { idlers, owners, slowOwner } = await gather(stack)
    await renewWeb(stack)
    const [watching, idling, more] = [startCrowd(rig), startCrowd(rig), startCrowd(rig)]
    const { port } = stack
    await watching.open({
      port,
      idle: false,
      tokens: tokensOf(
        owners.map(({ person }) => person),
        ACTIVE,
      ),
    })
    const idleTokens = tokensOf(idlers, IDLE)
    await idling.open({ port, idle: true, tokens: idleTokens.slice(0, IDLE_BEFORE) })
    const before = await memoryOf(stack)
    await more.open({ port, idle: true, tokens: idleTokens.slice(IDLE_BEFORE) })
    const after = await memoryOf(stack)
    const calm = await talk(owners, 6)
    const slow = await freezeReaders(rig, stack, slowOwner, SLOW)
    const faults = await killUnderTalk(stack, owners)
    const crowds = [watching, idling, more]
    const opened = async () =>
      (await Promise.all(crowds.map((crowd) => crowd.report()))).reduce((sum, { open }) => sum + open, 0)
    const back = await until('all are back', async () => (await opened()) === ACTIVE + IDLE, 30_000).catch(() => false)
    const events = await eventsOf(stack, owners)
    const missing = async () => missingOf((await watching.report()).watchers, A_PERSON, owners, events)
    await until('every reader has every event', async () => (await missing()) === 0, 15_000).catch(() => undefined)
    const { watchers } = await watching.report()
    const delays = delaysOf(calm, events, watchers)
    return {
      measured: {
        'memory for one more connection': (after - before) / (IDLE - IDLE_BEFORE) / KiB,
        'time until a reader has an event, p99': quantile(delays, 0.99),
        'most that was kept for a reader that stands still': slow.keptMax / MiB,
        'readers that stood still and were not cut': slow.uncut,
        'readers that were not told what they missed': slow.untold,
        'events that a reader lost': missingOf(watchers, A_PERSON, owners, events),
        'connections that did not come back': back ? 0 : ACTIVE + IDLE - (await opened()),
      },
      met: {
        'both web processes held connections': faults.held.length === 2 && Math.min(...faults.held) > IDLE / 4,
        'a web process and the database were killed while people talked': faults.killed && faults.talk.failed > 0,
        'events happened before and after':
          delays.length > ACTIVE * 10 && events.length >= calm.said.length + owners.length * 2,
        'nobody had to read anew': watchers.every(({ resets }) => resets === 0),
      },
      evidence: [
        `${events.length} events to ${watchers.length} readers; median ${quantile(delays, 0.5).toFixed(0)} ms, last ${Math.max(...delays).toFixed(0)} ms`,
        `connections of the processes: ${faults.held.join(', ')}; ${faults.talk.failed} requests failed while they were away`,
        slow.evidence,
      ],
    }
  },
  sabotages: [
    patch(
      'nobody is cut for what is left unread',
      'packages/platform/src/realtime/traffic.ts',
      "> UNREAD_BYTES_MAX) end('unread')",
      "> UNREAD_BYTES_MAX * 1_024) end('unread')",
    ),
    patch(
      'whoever comes back hears only what is new',
      'packages/platform/src/realtime/drivers/socket-io.ts',
      'giveMissed(socket, now, missed ?? [],',
      'giveMissed(socket, now, [],',
    ),
    patch(
      'other processes hear of events when they look by themselves',
      'packages/platform/src/realtime/feed.ts',
      "client.on('notification', wake)",
      "client.on('notification', () => undefined)",
    ),
    patch(
      'every connection has a buffer of its own',
      'packages/platform/src/realtime/traffic.ts',
      'let [queuedBytes, messages, sinceMs, isCut] = [0, 0, performance.now(), false]',
      "let [queuedBytes, messages, sinceMs, isCut] = [0, 0, performance.now(), false]\n  const own = Buffer.alloc(16_384, 1)\n  connection.on('flush', () => void own)",
    ),
  ],
})

interface Gathered {
  readonly idlers: readonly Person[]
  readonly owners: readonly Owner[]
  readonly slowOwner: Person
}

/** As many people as the connections need, by what one account may open. */
async function gather(stack: Stack): Promise<Gathered> {
  const [active, idle] = [Math.ceil(ACTIVE / A_PERSON), Math.ceil(IDLE / A_PERSON)]
  const people: Person[] = []
  const enter = async (): Promise<void> => {
    // So many at once may be told to come again in a second.
    while (people.length < active + idle)
      people.push(await until('somebody is let in', () => stack.newcomer().catch(() => undefined)))
  }
  await Promise.all([enter(), enter()])
  const photo = await jpegPhoto(64, 48)
  const owners = await Promise.all(
    people.slice(0, active).map(async (person) => ({ person, photoId: await uploadPhoto(person, photo) })),
  )
  return { owners, idlers: people.slice(active, active + idle), slowOwner: await stack.newcomer() }
}

/** Other processes, which have not set memory aside for anything yet. */
async function renewWeb(stack: Stack): Promise<void> {
  const before = await stack.pids('web')
  await stack.signal('web', 'SIGKILL')
  await until('others serve', async () => {
    const now = await stack.pids('web').catch(() => before)
    return now.length === before.length && now.every((pid) => !before.includes(pid))
  })
  await stack.ready()
}

const tokensOf = (people: readonly Person[], count: number): string[] =>
  people.flatMap(({ token }) => Array.from({ length: A_PERSON }, () => token)).slice(0, count)

const memoryOf = async (stack: Stack): Promise<number> =>
  (await stack.pids('web')).reduce((sum, pid) => sum + residentBytes(pid), 0)

interface Faults {
  readonly talk: Talk
  readonly killed: boolean
  /** Connections of each web process before. */
  readonly held: readonly number[]
}

/** The database and, while it is away, one of the web processes end without a word; people go on all the while. */
async function killUnderTalk(stack: Stack, owners: readonly Owner[]): Promise<Faults> {
  const before = await stack.pids('web')
  const held = before.map(openFiles)
  const [victim = 0] = before
  const talking = talk(owners, 1)
  await stack.signal('database', 'SIGKILL')
  process.kill(victim, 'SIGKILL')
  const amid = await talking
  await stack.ready()
  const later = await talk(owners, 2)
  const killed = !(await stack.pids('web')).includes(victim)
  return { talk: { said: later.said, failed: amid.failed }, killed, held }
}
