import { setTimeout as sleep } from 'node:timers/promises'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { type BareLive, openBareLive } from '../../rig/bare-live.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { openSocketsOf } from '../../rig/kernel-sockets.ts'
import { forgetPeak, peakBytes, residentBytes } from '../../rig/memory.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto, uploadPhoto } from '../../rig/photo.ts'
import { type Pinned, pinEach } from '../../rig/pinned.ts'
import type { Rig } from '../../rig/rig.ts'
import { forEachOf } from '../../rig/settings.ts'
import type { Stack } from '../../rig/stack.ts'
import { quantile, until } from '../../rig/wait.ts'
import { type Watcher, watch } from '../../rig/watcher.ts'
import { patch } from '../../sabotage.ts'

const CHANNEL = 'platform.jobs'
const [KiB, MiB] = [1_024, 1_024 ** 2]
const IDLE = 4_500
const ACTIVE = 500
/** An account may have thirty in each process. */
const PER_ACCOUNT = 25
const ROUNDS = 20
const SLOW = 20
/** More for each slow reader than the kernel takes from us. */
const [FLOOD_EVENTS, FLOOD_BYTES] = [24_000, 500]
const CUT_MS = 20_000
const BACK_MS = 40_000

export const claim = defineClaim({
  id: 'RTM-02',
  says: 'With 5,000 open sockets on two web processes events reach everybody in time, whichever process published them; a reader that takes nothing is cut and costs little, and after a process was killed nobody has missed anything',
  answers: ['R3', 'R4', 'R5', 'S4'],
  witness: 'sockets of ours, the kernel, kill -9',
  tier: 'full',
  seconds: 60,
  alone: true,
  limits: {
    'memory of an open socket': atMost(20, 'KiB'),
    'from the commit to 500 sockets, 99th percentile': atMost(250, 'ms'),
    'from an answer of one process to sockets of both, longest': atMost(200, 'ms'),
    'events lost when processes were killed': exactly(0, 'events'),
    'slow readers still connected after 20 s': exactly(0, 'readers'),
    'events and connections that a reader beside them lost': exactly(0, 'events'),
    'memory that slow readers cost, each': atMost(3, 'MiB'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { WEB_PROCESSES: '2' } })
    const admin = await stack.database('admin')
    const people = await forEachOf(Array.from({ length: (IDLE + ACTIVE) / PER_ACCOUNT }), 4, () => stack.newcomer())
    const pins = await pinEach(stack.port, await stack.pids('web'))
    rig.defer(() => {
      for (const pin of pins) pin.close()
    })
    const before = await restingBytes(pins, people[0])
    const { idle, watchers } = await openAll(rig, stack, people)
    const after = await restingBytes(pins, people[0])
    const open = idle.filter((socket) => socket.isOpen()).length + watchers.size
    const broadcasts = await broadcast(admin, watchers)
    const crossed = await publishByOne(pins, watchers)
    const stillOpen = idle.filter((socket) => socket.isOpen()).length
    const lost = await killWhilePublishing(stack, admin, watchers)
    const slow = await floodSlowReaders(rig, stack, admin)
    return {
      measured: {
        'memory of an open socket': (after - before) / (IDLE + ACTIVE) / KiB,
        'from the commit to 500 sockets, 99th percentile': quantile(broadcasts, 0.99),
        'from an answer of one process to sockets of both, longest': Math.max(...crossed),
        'events lost when processes were killed': lost.missing,
        'slow readers still connected after 20 s': slow.left,
        'events and connections that a reader beside them lost': slow.missed,
        'memory that slow readers cost, each': slow.riseBytes / SLOW / MiB,
      },
      met: {
        'all sockets were open, and stayed': open === IDLE + ACTIVE && stillOpen === IDLE,
        'every event reached every socket': broadcasts.length === ROUNDS * ACTIVE,
        'both processes were killed, and every socket came back': lost.killed === 2,
      },
      evidence: [
        `median ${quantile(broadcasts, 0.5).toFixed(1)} ms, ${open} sockets`,
        `${lost.returns} sockets came back`,
      ],
    }
  },
  sabotages: [
    patch(
      'what a reader does not take is kept without a limit',
      'packages/platform/src/realtime/drivers/socket-io.ts',
      'const UNREAD_BYTES_MAX = MiB',
      'const UNREAD_BYTES_MAX = 1_000 * MiB',
    ),
    patch(
      'nobody is woken by the events of others',
      'packages/platform/src/realtime/feed.ts',
      "client.on('notification', wake)",
      "client.on('notification', () => undefined)",
    ),
    patch(
      'whoever comes back is told nothing of what was missed',
      'packages/platform/src/realtime/drivers/socket-io.ts',
      'for (const event of missed ?? [])',
      'for (const event of (missed ?? []).slice(0, 0))',
    ),
  ],
})

/** All sockets that watch, with whose they are. */
type Watchers = ReadonlyMap<Watcher, Person>

async function openAll(rig: Rig, stack: Stack, people: readonly Person[]) {
  const active = people.slice(0, ACTIVE / PER_ACCOUNT)
  const each = (list: readonly Person[]) => list.flatMap((person) => Array.from({ length: PER_ACCOUNT }, () => person))
  const idle = await forEachOf(each(people.slice(active.length)), 100, ({ token }) => openBareLive(stack.port, token))
  const opened = await forEachOf(each(active), 50, async (person) => {
    return [await watch(stack.url, person.token, CHANNEL), person] as const
  })
  const watchers: Watchers = new Map(opened)
  rig.defer(() => {
    for (const socket of [...idle, ...watchers.keys()]) socket.close()
  })
  return { idle: idle as readonly BareLive[], watchers }
}

/** What both processes hold once their garbage is gone: it is collected after each picture. */
async function restingBytes(pins: readonly Pinned[], person: Person | undefined): Promise<number> {
  const body = await jpegPhoto(64, 48)
  let bytes = 0
  for (const pin of pins) {
    const status = await pin.ask('/api/cosnap/photos', { method: 'POST', token: person?.token ?? '', body })
    if (status !== 201) throw new Error(`a photo was answered with ${status}`)
    bytes += residentBytes(pin.pid)
  }
  return bytes
}

/** As the product writes events, all in one commit. */
async function publish(admin: DatabaseClient, people: readonly Person[], payload: object): Promise<void> {
  await admin.query(
    `with written as (insert into seaworthy.events (account_id, channel, payload) select unnest($1::uuid[]), $2, $3)
     select pg_notify('seaworthy_events', '')`,
    [people.map(({ accountId }) => accountId), CHANNEL, JSON.stringify(payload)],
  )
}

const ownersOf = (watchers: Watchers): Person[] => [...new Set(watchers.values())]
const heardAt = (watcher: Watcher, name: string, n: number): number | undefined =>
  [...watcher.heard.values()].find(({ payload }) => payload[name] === n)?.atMs

/** To all that watch, again and again: how long each event took to each socket. */
async function broadcast(admin: DatabaseClient, watchers: Watchers): Promise<number[]> {
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    await publish(admin, ownersOf(watchers), { round })
    const committed = performance.now()
    const all = [...watchers.keys()]
    await until('all have heard', () => all.every((watcher) => heardAt(watcher, 'round', round) !== undefined))
    times.push(...all.map((watcher) => Math.max(0, (heardAt(watcher, 'round', round) ?? 0) - committed)))
  }
  return times
}

/** Each process starts an effect for somebody whose sockets both of them hold. */
async function publishByOne(pins: readonly Pinned[], watchers: Watchers): Promise<number[]> {
  const times: number[] = []
  const [owner] = ownersOf(watchers)
  if (!owner) throw new Error('nobody watches')
  const own = [...watchers].filter(([, person]) => person === owner).map(([watcher]) => watcher)
  const body = JSON.stringify({
    photoId: await uploadPhoto(owner, await jpegPhoto(64, 48)),
    effect: 'noir',
    strength: 60,
  })
  for (const [i, pin] of pins.entries()) {
    const before = new Set(own.flatMap((watcher) => [...watcher.heard.keys()]))
    const status = await pin.ask('/api/cosnap/runs', {
      method: 'POST',
      token: owner.token,
      headers: { 'content-type': 'application/json', 'idempotency-key': `from-${i}` },
      body,
    })
    if (status !== 202) throw new Error(`the effect was answered with ${status}`)
    const answered = performance.now()
    for (const watcher of own) {
      const news = () => [...watcher.heard].find(([id, { payload }]) => !before.has(id) && payload.state === 'waiting')
      const [, { atMs }] = await until('the start is heard', news)
      times.push(Math.max(0, atMs - answered))
    }
    await until('it is over', () =>
      own.every((watcher) =>
        [...watcher.heard].some(([id, { payload }]) => !before.has(id) && payload.state === 'done'),
      ),
    )
  }
  return times
}

/** Each process is killed once, and events go on all the while. */
async function killWhilePublishing(stack: Stack, admin: DatabaseClient, watchers: Watchers) {
  const people = ownersOf(watchers)
  const all = [...watchers.keys()]
  const entriesBefore = all.reduce((sum, watcher) => sum + watcher.entries(), 0)
  let [number, killed, going] = [0, 0, true]
  const publishing = (async () => {
    for (; going; number++) {
      await publish(admin, people, { number })
      await sleep(100)
    }
  })()
  for (const pid of await stack.pids('web')) {
    process.kill(pid, 'SIGKILL')
    killed++
    await until('another process serves', async () => !(await stack.pids('web')).includes(pid))
    await stack.ready()
  }
  going = false
  await publishing
  const missingOf = (watcher: Watcher): number => {
    const got = new Set([...watcher.heard.values()].map(({ payload }) => payload.number))
    return Array.from({ length: number }, (_, i) => i).filter((n) => !got.has(n)).length
  }
  await until('all have heard all', () => all.every((watcher) => missingOf(watcher) === 0), BACK_MS).catch(
    () => undefined,
  )
  const entries = all.reduce((sum, watcher) => sum + watcher.entries(), 0)
  return {
    missing: all.reduce((sum, watcher) => sum + missingOf(watcher) + watcher.resets(), 0),
    killed,
    returns: entries - entriesBefore,
  }
}

/** Sockets that subscribe and then take nothing, while much is said to them. */
async function floodSlowReaders(rig: Rig, stack: Stack, admin: DatabaseClient) {
  const reader = await stack.newcomer()
  const sockets = await Promise.all(Array.from({ length: SLOW }, () => openBareLive(stack.port, reader.token)))
  rig.defer(() => {
    for (const socket of sockets) socket.close()
  })
  for (const socket of sockets) await socket.subscribe(CHANNEL)
  for (const socket of sockets) socket.stopReading()
  const quick = await watch(stack.url, reader.token, CHANNEL)
  rig.defer(() => quick.close())
  const pids = await stack.pids('web')
  for (const pid of pids) forgetPeak(pid)
  const before = pids.reduce((sum, pid) => sum + residentBytes(pid), 0)
  await admin.query(
    `insert into seaworthy.events (account_id, channel, payload)
     select $1, $2, jsonb_build_object('n', n, 'words', repeat('x', $4)) from generate_series(1, $3) n`,
    [reader.accountId, CHANNEL, FLOOD_EVENTS, FLOOD_BYTES],
  )
  await admin.query("select pg_notify('seaworthy_events', '')")
  const ports = sockets.map(({ clientPort }) => clientPort)
  await until('they are cut', () => openSocketsOf(stack.port, ports) === 0, CUT_MS).catch(() => undefined)
  const riseBytes = pids.reduce((sum, pid) => sum + peakBytes(pid), 0) - before
  await until('who reads has heard all', () => quick.heard.size >= FLOOD_EVENTS).catch(() => undefined)
  const missed = FLOOD_EVENTS - quick.heard.size + (quick.entries() - 1)
  return { missed, left: openSocketsOf(stack.port, ports), riseBytes }
}
