// `npm run ci`: the steps of the rendered workflows, here, in their order. What writes outside this machine (a registry, a
// host, code scanning) is named and not run; nor is what is installed already.
//   npm run ci -- --list            what would run
//   npm run ci -- ci-cd check       one workflow, one job
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

const folder = '.github/workflows'
const COULD_NOT_TEST = 3
const flags = process.argv.slice(2).filter((word) => word.startsWith('--'))
const [workflow, job] = process.argv.slice(2).filter((word) => !word.startsWith('--'))

const steps = readdirSync(folder)
  .filter((file) => file.endsWith('.yml') && (!workflow || file === `${workflow}.yml`))
  .flatMap((file) => stepsOf(file, parse(readFileSync(join(folder, file), 'utf8')).jobs))
  .filter((step) => !job || step.job === job)
if (!steps.length) {
  console.error(`There is no such step. HINT: one of ${readdirSync(folder).join(', ')}`)
  process.exit(2)
}
if (flags.includes('--json')) console.log(JSON.stringify(steps, null, 2))
else if (flags.includes('--list'))
  for (const { run, where, why } of steps) console.log(`${(why ?? 'runs').padEnd(28)} ${where.padEnd(28)} ${run}`)
else process.exitCode = runAll()

/** In the order of `needs`, each command once. */
function stepsOf(file, jobs) {
  const done = new Set()
  // A job that is not there is for the linter to tell.
  const inOrder = (name) =>
    done.has(name) || !jobs[name] ? [] : [...[jobs[name].needs ?? []].flat().flatMap(inOrder), done.add(name) && name]
  return Object.keys(jobs)
    .flatMap(inOrder)
    .flatMap((name) =>
      (jobs[name].steps ?? [])
        .filter(({ run }) => run)
        .map(({ run }) => ({
          file,
          job: name,
          where: `${file.replace('.yml', '')} ${name}`,
          run,
          why: whyNot(jobs[name], run),
        })),
    )
}

/** Why a step is not run here; undefined when it is. */
function whyNot({ permissions = {}, environment, 'runs-on': machine }, run) {
  if (Object.values(permissions).includes('write') || environment || Array.isArray(machine))
    return 'not here: acts outside'
  if (/verify-image|fetch-image|run (smoke|notify)/.test(run)) return 'not here: looks outside'
  return /^npm ci$|install-(test|proof)-tools/.test(run) ? 'not here: installs' : undefined
}

function runAll() {
  const [seen, failed, open] = [new Set(), [], []]
  for (const { run, where, why } of steps) {
    if (seen.has(run)) continue
    seen.add(run)
    console.log(`\n== ${where}: ${run}`)
    if (why) {
      console.log(why)
      continue
    }
    const { status } = spawnSync('sh', ['-eu', '-c', run], { stdio: 'inherit', env: { ...process.env, NO_COLOR: '1' } })
    if (status === COULD_NOT_TEST) open.push(run)
    else if (status !== 0) failed.push(run)
  }
  console.log(`\n${failed.length} failed, ${open.length} could not be tested here`)
  for (const run of [...failed, ...open]) console.log(`    ${run}`)
  return failed.length ? 1 : 0
}
