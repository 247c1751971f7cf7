import { request } from 'node:http'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { startArrivals } from '../../rig/arrivals.ts'
import {
  allUp,
  type Composed,
  type Container,
  composeProduction,
  composePrograms,
} from '../../rig/containers/composed.ts'
import { countOf, intrude } from '../../rig/containers/intruder.ts'
import { quantile, until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const MiB = 1_048_576
/** Of a web container, as the file has them. */
const MEMORY_MIB = 512
const PIDS = 256
/** What an intruder takes: beyond the limits, and no more than this machine can bear when there are none. */
const TAKEN_MIB = 1.5 * MEMORY_MIB
const FORKS = 400
const PER_SECOND = 20
const QUIET_MS = 15_000
const BACK_MS = 30_000
const limits = 'packages/ops/src/targets/compose/processes.ts'

export const claim = defineClaim({
  id: 'CON-03',
  says: 'A program in a web container that takes more memory than the container may have is killed, one that starts processes without end gets no more than 256 with their threads; when the service itself is killed for memory it is back within 30 seconds by itself; meanwhile the slowest hundredth of requests to the other web containers takes at most twice as long',
  answers: ['R9', 'X2', 'ASVS 13.2.6'],
  witness: 'the kernel’s own counts for the container, its killer of processes, open-loop load on the other containers',
  needs: [...composePrograms],
  tier: 'soak',
  seconds: 200,
  alone: true,
  limits: {
    // The kernel looks when a page is there already.
    'memory that the container had at most': atMost(MEMORY_MIB + 1, 'MiB'),
    'programs that got more memory than the limit': exactly(0, 'programs'),
    'processes and threads that it had at most': atMost(PIDS, 'processes'),
    'services killed for memory': exactly(1, 'services'),
    'time until it serves again': atMost(BACK_MS, 'ms'),
    'requests to the other containers that failed': exactly(0, 'requests'),
    'slowest hundredth there, of what it is without': atMost(2, 'times'),
  },
  experiment: async (rig) => {
    const composed = await composeProduction(rig)
    await until('all are up', () => allUp(composed), 240_000)
    const [victim, ...others] = await composed.containers('web')
    if (!victim) throw new Error('there is no web container')
    const arrivals = startArrivals(PER_SECOND, (i) => isServed(others[i % others.length], i))
    rig.defer(arrivals.stop)
    await until('it was watched without', () => arrivals.now() > QUIET_MS, 2 * QUIET_MS)
    const from = arrivals.now()
    const greedy = await intrude(victim, takeMemory)
    const bombed = await intrude(victim, forkBomb)
    const [started = 0, refused = 0] = bombed.stdout.trim().split(' ').map(Number)
    // Read before its groups go with it.
    const most = countOf(victim, 'memory', 'memory.max_usage_in_bytes') / MiB
    const spared = await intrude(victim, takeMemory, { isSpared: true })
    const backMs = await timeBack(composed, victim)
    const to = arrivals.now()
    await until('it was watched again', () => arrivals.now() > to + QUIET_MS, 2 * QUIET_MS)
    await arrivals.stop()
    const { samples } = arrivals
    const slowest = (isIn: (atMs: number) => boolean): number =>
      quantile(
        samples.filter(({ atMs }) => isIn(atMs)).map(({ ms }) => ms),
        0.99,
      )
    const [before, during, after] = [
      slowest((atMs) => atMs < from),
      slowest((atMs) => atMs >= from && atMs < to),
      slowest((atMs) => atMs >= to),
    ]
    const now = (await composed.containers('web')).find(({ id }) => id === victim.id)
    return {
      measured: {
        'memory that the container had at most': most,
        'programs that got more memory than the limit': [greedy, spared].filter(({ stdout }) => stdout.includes('took'))
          .length,
        'processes and threads that it had at most': Number(bombed.stdout.trim().split(' ')[2]),
        'services killed for memory': now?.pid === victim.pid ? 0 : 1,
        'time until it serves again': backMs,
        'requests to the other containers that failed': samples.filter(({ ok }) => !ok).length,
        // How it is without differs from minute to minute.
        'slowest hundredth there, of what it is without': during / Math.max(before, after),
      },
      met: {
        'memory was taken': greedy.stdout.includes('takes') && spared.stdout.includes('takes'),
        'processes were asked for': started + refused === FORKS,
        'two other containers were asked': others.length === 2 && samples.length > (2 * QUIET_MS * PER_SECOND) / 1_000,
      },
      run: {
        samples,
        marks: [
          { atMs: from, label: 'greed begins' },
          { atMs: to, label: 'all is back' },
        ],
      },
      evidence: [
        `${Math.round(most)} MiB; ${started} processes started, ${refused} refused; slowest hundredth ${before.toFixed(1)} ms, meanwhile ${during.toFixed(1)} ms, afterwards ${after.toFixed(1)} ms`,
      ],
    }
  },
  sabotages: [
    patch('memory has no limit', limits, '  mem_limit: `${memoryMiB}m`,\n', ''),
    patch('processes have no limit of their own', limits, '  pids_limit: pids,\n', ''),
    patch(
      'what was killed stays away',
      'packages/ops/src/targets/compose/production.ts',
      "const restart = 'unless-stopped'",
      "const restart = 'no'",
    ),
  ],
})

/** Piece by piece, each byte written. */
const takeMemory = `console.log('takes')
  const pieces = []
  for (let taken = 0; taken < ${TAKEN_MIB}; taken += 16) pieces.push(Buffer.alloc(16 * ${MiB}, 1))
  console.log('took', pieces.length)`

/** Says how many started, how many were refused, and how many tasks its group had then; they end with it. */
const forkBomb = `const { spawn } = require('child_process'), { readFileSync } = require('fs')
  const group = /:pids:(.*)/.exec(readFileSync('/proc/self/cgroup', 'utf8'))[1]
  let [started, refused] = [0, 0]
  const children = []
  const one = () => new Promise((resolve) => {
    try {
      const child = spawn('sleep', ['20'], { stdio: 'ignore' })
      child.once('spawn', () => { started++; children.push(child); resolve() })
      child.once('error', () => { refused++; resolve() })
    } catch { refused++; resolve() }
  })
  ;(async () => {
    for (let i = 0; i < ${FORKS}; i++) await one()
    const tasks = readFileSync('/sys/fs/cgroup/pids' + group + '/pids.current', 'utf8').trim()
    setTimeout(() => {
      for (const child of children) child.kill('SIGKILL')
      console.log(started, refused, tasks)
      process.exit(0)
    }, 3000)
  })()`

const ADDRESSES = 200

/** The front page of one container, as nginx would ask for somebody. */
function isServed(container: Container | undefined, i: number): Promise<boolean> {
  const headers = {
    host: 'app.example.com',
    'x-forwarded-proto': 'https',
    'x-forwarded-for': `198.51.100.${i % ADDRESSES}`,
  }
  return new Promise((resolve) => {
    const sent = request(
      { host: container?.ip[0], port: 3_000, path: '/', headers, agent: false, timeout: 5_000 },
      (answer) => answer.resume().once('end', () => resolve(answer.statusCode === 200)),
    )
    sent.once('timeout', () => sent.destroy())
    sent.once('error', () => resolve(false))
    sent.end()
  })
}

/** From now on until the container serves again; beyond the limit where it does not. */
async function timeBack(composed: Composed, { id }: Container): Promise<number> {
  const started = performance.now()
  const isBack = async (): Promise<boolean> => {
    const now = (await composed.containers('web')).find((container) => container.id === id)
    return now?.running === true && isServed(now, 0)
  }
  return until('it is back', isBack, BACK_MS + 1_000).then(
    () => performance.now() - started,
    () => BACK_MS + 1_000,
  )
}
