import { readdirSync } from 'node:fs'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { hey } from '../../rig/hey.ts'
import { openSockets } from '../../rig/kernel-sockets.ts'
import { residentBytes } from '../../rig/memory.ts'
import { oddRequests } from '../../rig/odd-requests.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto, uploadPhoto } from '../../rig/photo.ts'
import type { Rig } from '../../rig/rig.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

/** A shorter run has fewer of them in each round; the number of rounds is what makes the slope sure. */
const REQUESTS = 1_000_000
const ROUNDS = 10
const WARM_UP_ROUNDS = 2
/** Of each kind in a round. */
const ODD = 150
const UPLOADS = 10
const PER = 100_000
const MiB = 1_024 ** 2
/** A line for each request, which nobody keeps. */
const unheard = ['/bin/sh', '-c', 'exec "$@" >/dev/null 2>&1', 'sh']
const bulk = ['/api/identity/me', '/api/identity/sessions', '/openapi.json', '/']
/** Which one person may ask for a thousand times in a quarter of an hour. */
const lists = ['/api/cosnap/photos', '/api/cosnap/runs?state=done', '/api/cosnap/credits', '/api/cosnap/effects']
const OF_A_LIST = 232
const CONNECTIONS = 8

export const claim = defineClaim({
  id: 'CAP-04',
  says: 'A million requests, refused and broken off ones among them, leave nothing in the web process: memory does not grow with them, and no file, socket or database connection stays open',
  answers: ['S2 (endurance)', 'Z12'],
  witness: 'hey, the kernel, PostgreSQL',
  needs: ['hey'],
  tier: 'soak',
  seconds: 500,
  alone: true,
  limits: {
    'memory for 100,000 requests, after a warm-up': atMost(1, 'MiB'),
    'files and sockets that stayed open': exactly(0, 'handles'),
    'connections of clients that stayed open': exactly(0, 'sockets'),
    'connections to the database that stayed open': exactly(0, 'connections'),
    'requests without a good answer': exactly(0, 'requests'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { JWT_ACCESS_EXPIRY: '1d', WORKER_PROCESSES: '0' }, under: unheard })
    const [person, admin] = [await stack.newcomer(), await stack.database('admin')]
    const odd = await oddRequests(stack, person)
    const marks: Mark[] = []
    let [sent, bad] = [0, 0]
    const refused: string[] = []
    for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
      const done = await oneRound(rig, stack, person, odd)
      if (round < 0) continue
      sent += done.sent
      bad += done.bad
      refused.push(...done.refused)
      marks.push({ ...(await rest(stack, person, admin, marks[0])), sent })
    }
    const [first, last] = [marks[0], marks.at(-1)]
    const grown = (of: 'handles' | 'sockets' | 'connections'): number =>
      Math.max(0, (last?.[of] ?? 0) - (first?.[of] ?? 0))
    return {
      measured: {
        'memory for 100,000 requests, after a warm-up': (slopeOf(marks) * PER) / MiB,
        'files and sockets that stayed open': grown('handles'),
        'connections of clients that stayed open': grown('sockets'),
        'connections to the database that stayed open': grown('connections'),
        'requests without a good answer': bad,
      },
      met: {
        'all requests were sent': sent >= REQUESTS,
        'the process is the same': marks.every(({ pid }) => pid === first?.pid),
      },
      evidence: [
        ...refused.slice(0, 5),
        ...marks.map((mark) => `${mark.sent}: ${(mark.bytes / MiB).toFixed(1)} MiB, ${mark.handles} handles`),
      ],
    }
  },
  sabotages: [
    patch(
      'every request is remembered',
      'packages/platform/src/http/serve.ts',
      'const exchange = new Exchange(request, reply.raw, parts, served)',
      'const exchange = new Exchange(request, reply.raw, parts, served)\n    ;(globalThis.kept ??= []).push(`${performance.now()}`)',
    ),
    patch(
      'a file whose kind was looked at is not closed',
      'packages/platform/src/media/receive.ts',
      'await handle.close()',
      ';(globalThis.kept ??= []).push(handle)',
    ),
  ],
})

interface Mark {
  readonly pid: number
  readonly sent: number
  readonly bytes: number
  readonly handles: number
  readonly sockets: number
  readonly connections: number
}

/** What people ask for in bulk, and beside it what ends badly. */
async function oneRound(rig: Rig, stack: Stack, person: Person, odd: Awaited<ReturnType<typeof oddRequests>>) {
  const newcomer = await stack.newcomer()
  const requests = Math.ceil(REQUESTS / ROUNDS / bulk.length / CONNECTIONS) * CONNECTIONS
  const beside = (async () => {
    for (let n = 0; n < ODD; n++) for (const one of odd) await one(n)
    for (let n = 0; n < UPLOADS; n++) await uploadPhoto(person, await jpegPhoto(64 + n, 48))
  })()
  let [sent, bad] = [0, 0]
  const refused: string[] = []
  const send = async (path: string, count: number, { token }: Person): Promise<void> => {
    const settings = { url: `${stack.url}${path}`, requests: count, connections: CONNECTIONS, token }
    const { statuses, errors } = await hey(rig, settings)
    const answers = Object.values(statuses).reduce((sum, n) => sum + n, 0)
    sent += answers
    const wrong = errors + answers - (statuses['200'] ?? 0)
    bad += wrong
    if (wrong) refused.push(`${path}: ${errors} without an answer, ${JSON.stringify(statuses)}`)
  }
  for (const path of bulk) await send(path, requests, person)
  for (const path of lists) await send(path, OF_A_LIST, newcomer)
  await beside
  return { sent, bad, refused }
}

/** When all clients are gone and the garbage was collected, which each picture sees to. */
async function rest(
  stack: Stack,
  person: Person,
  admin: DatabaseClient,
  first: Mark | undefined,
): Promise<Omit<Mark, 'sent'>> {
  const [pid = 0] = await stack.pids('web')
  const now = async () => {
    await uploadPhoto(person, await jpegPhoto(64, 48))
    const { rows } = await admin.query<{ n: number }>(
      "select count(*)::int as n from pg_stat_activity where application_name like 'seaworthy%'",
    )
    return {
      pid,
      bytes: residentBytes(pid),
      handles: readdirSync(`/proc/${pid}/fd`).length,
      sockets: openSockets(stack.port),
      connections: rows[0]?.n ?? 0,
    }
  }
  let best = await now()
  await until(
    'it holds no more than at first',
    async () => {
      const mark = await now()
      best = { ...mark, bytes: Math.min(best.bytes, mark.bytes) }
      return (
        first && mark.handles <= first.handles && mark.sockets <= first.sockets && mark.connections <= first.connections
      )
    },
    first ? 10_000 : 3_000,
  ).catch(() => undefined)
  return best
}

/** Of the line that fits best, in bytes a request. */
function slopeOf(marks: readonly Mark[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
  const [x, y] = [mean(marks.map(({ sent }) => sent)), mean(marks.map(({ bytes }) => bytes))]
  const products = marks.reduce((sum, mark) => sum + (mark.sent - x) * (mark.bytes - y), 0)
  return products / marks.reduce((sum, mark) => sum + (mark.sent - x) ** 2, 0)
}
