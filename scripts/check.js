// `npm run check`: every check at once, in seconds. Prints what failed in full, and a line for what held.
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const bin = (path) => join(root, 'node_modules', path)
const tsc = bin('@typescript/native/bin/tsc')

const checks = {
  'lint and format': [bin('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings'],
  'types of the packages': [tsc, '-b', 'tsconfig.build.json'],
  'types of the web': [tsc, '-p', 'web'],
  'types of tests and tools': [tsc, '-p', 'tsconfig.tests.json'],
  boundaries: ['scripts/check/boundaries.js'],
  'nothing unused': [bin('knip/bin/knip.js'), '--no-progress'],
  migrations: ['--import', 'tsx', '--conditions=source', 'scripts/check/migrations.ts'],
  'lock file': ['scripts/check/lockfile.js'],
  licences: ['scripts/check/licences.js'],
  'generated files': ['--import', 'tsx', '--conditions=source', 'scripts/generate.ts', '--check'],
}

const run = (args) =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, NO_COLOR: '1' } })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += chunk
      })
    child.once('exit', (code) => resolve({ code, output: output.trim() }))
  })

const started = performance.now()
const outcomes = await Promise.all(
  Object.entries(checks).map(async ([name, args]) => {
    const at = performance.now()
    const { code, output } = await run(args)
    const seconds = ((performance.now() - at) / 1000).toFixed(1)
    if (code === 0) console.log(`ok      ${name} (${seconds} s)`)
    else console.log(`FAILED  ${name} (${seconds} s)\n${output}\n`)
    return code === 0
  }),
)
const failed = outcomes.filter((ok) => !ok).length
console.log(
  `\n${failed ? `${failed} of ${outcomes.length} checks failed` : `all ${outcomes.length} checks hold`} (${((performance.now() - started) / 1000).toFixed(1)} s)`,
)
process.exitCode = failed ? 1 : 0
