import { defineClaim, exactly } from '../../claim.ts'
import { startArrivals } from '../../rig/arrivals.ts'
import { type Host, openHost } from '../../rig/host.ts'
import { statusOf } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const PER_SECOND = 10
const STEP_MS = 120_000
/** Where the command is killed, and whether the release that it had begun serves afterwards. */
const kills = [
  { step: 'ready', goesOn: false },
  { step: 'bake', goesOn: false },
  { step: 'drain', goesOn: true },
] as const

export const claim = defineClaim({
  id: 'DEP-08',
  says: 'Of two deploys on one host at once one is refused, and when a deploy is killed while it starts, watches or drains, no request fails and the next command puts one whole release in charge',
  answers: ['T6', 'V5', 'S1'],
  witness: 'kill -9 at written steps, nginx with retries off, the links and the processes of the host',
  tier: 'full',
  seconds: 60,
  alone: true,
  limits: {
    'second deploys that were not refused': exactly(0, 'deploys'),
    'requests that failed': exactly(0, 'requests'),
    'killed deploys that were not put right': exactly(0, 'deploys'),
  },
  needs: ['nginx'],
  experiment: async (rig) => {
    const host = await openHost(rig)
    const first = await host.command(host.checkout('first'), 'deploy', '--yes', '--bake', '1s', '--ready', '3m')
    if (first.code !== 0) throw new Error(`the first deploy failed: ${first.stderr.slice(-800)}`)
    const load = startArrivals(PER_SECOND, async () => (await statusOf(`${host.url}/health/ready`, 10_000)) === 200)
    const outcomes = []
    for (const kill of kills) outcomes.push(await killAt(host, kill))
    await load.stop()
    return {
      measured: {
        'second deploys that were not refused': outcomes.filter(({ refused }) => refused === false).length,
        'requests that failed': load.samples.filter(({ ok }) => !ok).length,
        'killed deploys that were not put right': outcomes.filter(({ isRight }) => !isRight).length,
      },
      met: {
        'each deploy was killed': outcomes.every(({ killed }) => killed),
        'a second one was tried': outcomes.some(({ refused }) => refused !== undefined),
        'requests came meanwhile': load.samples.length > 50,
      },
      evidence: outcomes.flatMap(({ evidence }) => evidence),
    }
  },
  sabotages: [
    patch(
      'there is no lock',
      'packages/ops/src/procedures/host/lock.ts',
      'server.listen(nameOf(layout), resolve)',
      'server.listen(0, resolve)',
    ),
    patch(
      'what was interrupted is only forgotten',
      'packages/ops/src/procedures/host/recover.ts',
      "await (kind === 'resume' ? resume(host, journal) : revert(host, journal, state))",
      'void [resume, revert, state]',
    ),
  ],
})

interface Outcome {
  /** Of a second deploy beside it; undefined when none was tried. */
  readonly refused: boolean | undefined
  readonly killed: boolean
  readonly isRight: boolean
  readonly evidence: readonly string[]
}

async function killAt(host: Host, { step, goesOn }: (typeof kills)[number]): Promise<Outcome> {
  const before = host.state().serving
  const checkout = host.checkout(`at-${step}`)
  const deploy = host.begin(
    checkout,
    'deploy',
    '--yes',
    '--no-smoke',
    '--ready',
    '3m',
    '--bake',
    step === 'bake' ? '60s' : '1s',
  )
  await until(
    `the deploy is at ${step}`,
    () => host.state().current?.steps.at(-1)?.name === step || deploy.exit() !== undefined,
    STEP_MS,
  )
  const second = step === 'bake' ? await host.command(checkout, 'deploy', '--yes', '--no-smoke') : undefined
  await deploy.signal('SIGKILL')
  const { code } = await deploy.exited
  const { stderr } = await host.command(checkout, 'status')
  const serving = [...new Set(host.slots())]
  const isWhole = serving.length === 1 && host.state().serving === serving[0] && host.supervisors().length === 1
  return {
    refused: second && second.code !== 0 && second.stderr.includes('Another deploy is under way here'),
    killed: code !== 0,
    isRight: isWhole && (serving[0] !== before) === goesOn && stderr.includes(`was interrupted at ${step}`),
    evidence: [`${step}: ${before} became ${serving.join()}; ${stderr.trim()}`, second?.stderr.trim() ?? ''].filter(
      Boolean,
    ),
  }
}
