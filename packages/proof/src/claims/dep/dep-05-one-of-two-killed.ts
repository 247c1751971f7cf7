import { atMost, defineClaim, exactly } from '../../claim.ts'
import { applyLoad } from '../../rig/load.ts'
import { timed, until } from '../../rig/wait.ts'
import { patch, wrongSettings } from '../../sabotage.ts'

const SECONDS = 8
const PER_SECOND = 60
const KILL_AT_MS = 2_000
/** The supervisor hands every other connection to it, until one is not taken. */
const ON_THE_WAY = 6

export const claim = defineClaim({
  id: 'DEP-05',
  says: 'One of two web processes answers no more and is killed under load: no request that is begun from then on fails, also of those whose connection was on its way to it, and another process takes its place within two seconds',
  answers: ['H14', 'H16', 'S2'],
  witness: 'kill -9 of a process that was stopped, open-loop load without retries, a connection for each request',
  tier: 'full',
  seconds: 12,
  alone: true,
  limits: {
    'requests that failed': exactly(0, 'requests'),
    'time until another process is ready': atMost(2_000, 'ms'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { WEB_PROCESSES: '2' } })
    const before = await stack.pids('web')
    let begun = 0
    const loading = applyLoad({
      perSecond: PER_SECOND,
      seconds: SECONDS,
      timeoutMs: 5_000,
      request: () => {
        begun++
        return { url: `${stack.url}/health/ready`, headers: { connection: 'close' } }
      },
      isGood: (status) => status === 200,
    })
    await new Promise((resolve) => setTimeout(resolve, KILL_AT_MS))
    const [victim = 0] = before
    process.kill(victim, 'SIGSTOP')
    // What it had read by then is lost with it, whoever serves. All that follows has another process.
    const first = begun
    await until('connections are on their way to it', () => begun >= first + ON_THE_WAY)
    process.kill(victim, 'SIGKILL')
    const replaced = await timed(() =>
      until('another process is ready', async () => {
        const { parts } = (await (await fetch(`${stack.adminUrl}/health`)).json()) as {
          parts: { pid?: number; state: string }[]
        }
        return parts.every(({ pid, state }) => state === 'ready' && pid !== victim)
      }),
    )
    const { samples, statuses } = await loading
    const firstMs = (first / PER_SECOND) * 1_000
    const failed = samples.filter(({ ok }) => !ok)
    const read = failed.filter(({ atMs, ms }) => atMs < firstMs && atMs + ms >= firstMs)
    const after = await stack.pids('web')
    return {
      measured: {
        'requests that failed': failed.length - read.length,
        'time until another process is ready': replaced.ms,
      },
      met: {
        'all requests were sent': samples.length === SECONDS * PER_SECOND,
        'the process was killed and another came': !after.includes(victim) && after.length === before.length,
      },
      run: { samples, marks: [{ atMs: KILL_AT_MS, label: 'kill -9' }] },
      evidence: [
        `answers ${JSON.stringify(statuses)}; ${before.join(', ')} became ${after.join(', ')}`,
        `${read.length} requests had been read by the process that was killed`,
      ],
    }
  },
  sabotages: [
    wrongSettings('there is only one process', { WEB_PROCESSES: '1' }),
    patch(
      'a connection that the killed process did not take is forgotten',
      'packages/platform/src/boot/handed-connections.ts',
      "message.act === 'newconn' && ",
      "message.act === 'nothing' && ",
    ),
    patch(
      'a process that ended is started again too late',
      'packages/platform/src/boot/child.ts',
      'const RESTART_BASE_MS = 100',
      'const RESTART_BASE_MS = 5_000',
    ),
  ],
})
