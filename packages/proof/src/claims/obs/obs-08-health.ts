import { atMost, defineClaim, exactly } from '../../claim.ts'
import { signalTree } from '../../rig/process-tree.ts'
import type { Stack } from '../../rig/stack.ts'
import { statusOf } from '../../rig/stack.ts'
import { timed, until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const ASKED = 8
/** Longer than an answer is kept, so that some ask the database that hangs. */
const ASKED_MS = 2_500

export const claim = defineClaim({
  id: 'OBS-08',
  says: 'While the database hangs, the service says within a second that it is alive and not ready, is not restarted, and is ready again by itself; details are for operators',
  answers: ['O8', 'H15', 'ASVS 13.4.5'],
  witness: 'SIGSTOP to every process of PostgreSQL',
  tier: 'full',
  seconds: 9,
  alone: true,
  limits: {
    'answers that it is not alive': exactly(0, 'answers'),
    'answers that it is ready': exactly(0, 'answers'),
    'slowest answer': atMost(1_000, 'ms'),
    'time until it refuses to be ready': atMost(2_500, 'ms'),
    'time until it is ready again': atMost(3_000, 'ms'),
    'processes that were restarted': exactly(0, 'processes'),
    'details shown to others': exactly(0, 'people'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const [operator, person] = [await stack.operator(), await stack.newcomer()]
    const shown = (token: string): Promise<number> =>
      fetch(`${stack.url}/health/detailed`, { headers: { authorization: token } }).then((answer) => answer.status)
    const tokens = ['', 'Bearer x', `Bearer ${person.token}`]
    const before = await webAndWorkers(stack)
    const others = await Promise.all(tokens.map(shown))
    const readyBefore = await statusOf(`${stack.url}/health/ready`)
    const [database = 0] = await stack.pids('database')
    rig.defer(() => signalTree(database, 'SIGCONT'))
    const stopped = signalTree(database, 'SIGSTOP')
    const refused = await timed(() => until('it is not ready', async () => (await ask(stack, 'ready')).status === 503))
    const live = await Promise.all(Array.from({ length: ASKED }, () => ask(stack, 'live')))
    const ready = await askFor(stack, ASKED_MS)
    const operatorSees = await shown(`Bearer ${operator.token}`)
    others.push(...(await Promise.all(tokens.map(shown))))
    signalTree(database, 'SIGCONT')
    const back = await timed(() => until('it is ready again', async () => (await ask(stack, 'ready')).status === 200))
    const after = await webAndWorkers(stack)
    return {
      measured: {
        'answers that it is not alive': live.filter(({ status }) => status !== 200).length,
        'answers that it is ready': ready.filter(({ status }) => status !== 503).length,
        'slowest answer': Math.max(...[...live, ...ready].map(({ ms }) => ms)),
        'time until it refuses to be ready': refused.ms,
        'time until it is ready again': back.ms,
        'processes that were restarted': before.filter((pid) => !after.includes(pid)).length,
        'details shown to others': others.filter((status) => status !== 401 && status !== 403).length,
      },
      met: {
        'it was ready before': readyBefore === 200,
        'all of PostgreSQL was stopped': stopped > 3,
        'the operator saw the details, with the part that failed': operatorSees === 503,
      },
      evidence: [`${stopped} processes of PostgreSQL stopped`],
    }
  },
  sabotages: [
    patch(
      'live looks at the database too',
      'packages/platform/src/http/routes/health.ts',
      'reply.headers(headers).send(\'{"status":"ok"}\'))',
      'parts.health.report().then((report) => reply.code(codeOf(report.status)).headers(headers).send(\'{"status":"ok"}\')))',
    ),
    patch(
      'a check that hangs is waited for',
      'packages/platform/src/telemetry/health.ts',
      'const CHECK_MS = 800',
      'const CHECK_MS = 1_800',
    ),
    patch(
      'details are for everybody who is signed in',
      'packages/platform/src/http/routes/health.ts',
      'if (!caller?.operator)',
      'if (!caller)',
    ),
  ],
})

async function askFor(stack: Stack, durationMs: number) {
  const answers = []
  for (const end = performance.now() + durationMs; performance.now() < end; ) answers.push(await ask(stack, 'ready'))
  return answers
}

/** One answer on a connection of its own. */
const ask = async (stack: Stack, what: 'live' | 'ready') => {
  const { value, ms } = await timed(() => statusOf(`${stack.url}/health/${what}`, 10_000))
  return { status: value, ms }
}

const webAndWorkers = async (stack: Stack): Promise<number[]> => [
  ...(await stack.pids('web')),
  ...(await stack.pids('worker')),
]
