import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineClaim, exactly } from '../../claim.ts'
import { startArrivals } from '../../rig/arrivals.ts'
import { type Host, openHost } from '../../rig/host.ts'
import type { Rig } from '../../rig/rig.ts'
import { statusOf } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const PER_SECOND = 10
const STEP_MS = 240_000
/**
 * Where the command is killed, and whether the release that it had begun serves afterwards. `switch`: by itself, after
 * four of ten links were renamed. The order matters: all but the last are taken back, so that it is deployed again.
 */
const kills = [
  { step: 'ready', goesOn: false },
  { step: 'switch', goesOn: false },
  { step: 'bake', goesOn: false },
  { step: 'drain', goesOn: true },
] as const
const RENAMED = 4

export const claim = defineClaim({
  id: 'DEP-08',
  says: 'Of two deploys on one host at once one is refused, and when a deploy is killed while it starts, between two links, while it watches or drains, no request fails and the next command puts one whole release in charge',
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
    const host = await openHost(rig, { WORKER_PROCESSES: '0' })
    const first = await host.command(host.checkout('first'), 'deploy', ...quick, '--bake', '1s')
    if (first.code !== 0) throw new Error(`the first deploy failed: ${first.stderr.slice(-800)}`)
    const load = startArrivals(PER_SECOND, async () => (await statusOf(`${host.url}/health/ready`, 10_000)) === 200)
    rig.defer(() => load.stop())
    const next = host.checkout('next')
    const outcomes: Outcome[] = []
    for (const kill of kills) outcomes.push(await killAt(rig, host, next, kill))
    await load.stop()
    return {
      measured: {
        'second deploys that were not refused': outcomes.filter(({ refused }) => refused === false).length,
        'requests that failed': load.samples.filter(({ ok }) => !ok).length,
        'killed deploys that were not put right': outcomes.filter(({ isRight }) => !isRight).length,
      },
      met: {
        // One that another deploy beside it took over has ended by itself, and is counted above.
        'each deploy was killed': outcomes.every(({ killed, refused }) => killed || refused === false),
        'one was killed between two links': outcomes.some(({ isDivided }) => isDivided),
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
  /** When it was killed, some links led to one release and some to the other. */
  readonly isDivided: boolean
  readonly isRight: boolean
  readonly evidence: readonly string[]
}

const quick = ['--yes', '--no-smoke', '--ready', '3m']

async function killAt(rig: Rig, host: Host, next: string, { step, goesOn }: (typeof kills)[number]): Promise<Outcome> {
  const before = host.state().serving
  const args = ['deploy', ...quick, '--bake', step === 'bake' ? '60s' : '1s']
  const deploy = step === 'switch' ? host.beginWith(killer(rig), next, ...args) : host.begin(next, ...args)
  const isThere = (): boolean => step !== 'switch' && host.state().current?.steps.at(-1)?.name === step
  await until(`the deploy is at ${step}`, () => isThere() || deploy.exit() !== undefined, STEP_MS)
  const second = step === 'bake' ? await host.command(next, 'deploy', ...quick) : undefined
  await deploy.signal('SIGKILL')
  const { code } = await deploy.exited
  const isDivided = new Set(host.slots()).size === 2
  const { stderr } = await host.command(next, 'status')
  const serving = [...new Set(host.slots())]
  const isWhole = serving.length === 1 && host.state().serving === serving[0] && host.supervisors().length === 1
  return {
    refused: second && second.code !== 0 && second.stderr.includes('Another deploy is under way here'),
    killed: code !== 0,
    isDivided,
    isRight: isWhole && (serving[0] !== before) === goesOn && stderr.includes(`was interrupted at ${step}`),
    evidence: [`${step}: ${before} became ${serving.join()}; ${stderr.trim()}`, second?.stderr.trim() ?? ''].filter(
      Boolean,
    ),
  }
}

/** A module that is loaded before the command and kills it, from inside, after so many links were renamed. */
function killer(rig: Rig): string {
  const file = join(rig.scratch, 'killer.mjs')
  writeFileSync(
    file,
    `import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
const rename = fs.renameSync
let renamed = 0
fs.renameSync = (from, to) => {
  rename(from, to)
  if (/slot-\\d\\.sock$/.test(to) && ++renamed === ${RENAMED}) process.kill(process.pid, 'SIGKILL')
}
syncBuiltinESMExports()
`,
  )
  return file
}
