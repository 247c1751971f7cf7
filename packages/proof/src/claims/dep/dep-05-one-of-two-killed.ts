import { atMost, defineClaim, exactly } from '../../claim.ts'
import { applyLoad } from '../../rig/load.ts'
import { timed, until } from '../../rig/wait.ts'
import { patch, wrongSettings } from '../../sabotage.ts'

const SECONDS = 8
const PER_SECOND = 60
const KILL_AT_MS = 2_000

export const claim = defineClaim({
  id: 'DEP-05',
  says: 'One of two web processes is killed under load: no request on a new connection fails, and another takes its place within two seconds',
  answers: ['H14', 'H16', 'S2'],
  witness: 'kill -9, open-loop load without retries, a connection for each request',
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
    const loading = applyLoad({
      perSecond: PER_SECOND,
      seconds: SECONDS,
      timeoutMs: 5_000,
      request: () => ({ url: `${stack.url}/health/ready`, headers: { connection: 'close' } }),
      isGood: (status) => status === 200,
    })
    await new Promise((resolve) => setTimeout(resolve, KILL_AT_MS))
    const [victim = 0] = before
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
    const after = await stack.pids('web')
    return {
      measured: {
        'requests that failed': samples.filter((sample) => !sample.ok).length,
        'time until another process is ready': replaced.ms,
      },
      met: {
        'all requests were sent': samples.length === SECONDS * PER_SECOND,
        'the process was killed and another came': !after.includes(victim) && after.length === before.length,
      },
      run: { samples, marks: [{ atMs: KILL_AT_MS, label: 'kill -9' }] },
      evidence: [`answers ${JSON.stringify(statuses)}; ${before.join(', ')} became ${after.join(', ')}`],
    }
  },
  sabotages: [
    wrongSettings('there is only one process', { WEB_PROCESSES: '1' }),
    patch(
      'a process that ended is started again too late',
      'packages/platform/src/boot/child.ts',
      'const RESTART_BASE_MS = 100',
      'const RESTART_BASE_MS = 5_000',
    ),
  ],
})
