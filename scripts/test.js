// `npm test`: builds, then runs every test; the last line counts them. What a missing program keeps from running is
// named; with CI=true that is a failure.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from './build.js'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const say = (text) => console.log(text)

await ensureBuilt({ say })
const scratch = mkdtempSync(join(tmpdir(), 'seaworthy-report-'))
const report = join(scratch, 'report.json')
const code = await new Promise((resolve) => {
  const args = [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ]
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, NO_COLOR: '1' } })
  child.once('exit', (status) => resolve(status ?? 1))
})

if (!existsSync(report)) {
  say('\nThe tests did not run to their end.\n0 passed, 1 failed')
  process.exit(1)
}
const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites, testResults } = JSON.parse(
  readFileSync(report, 'utf8'),
)
rmSync(scratch, { recursive: true })
const skipped = testResults.flatMap((file) =>
  file.assertionResults
    .filter((test) => test.status === 'skipped' || test.status === 'pending')
    .map((test) => test.fullName),
)
for (const name of skipped) say(`not run here: ${name}`)
if (skipped.length) say('    HINT: sh scripts/install-test-tools.sh')
const forbidden = process.env.CI === 'true' ? skipped.length : 0
const failed = numFailedTests + forbidden + (numFailedTests === 0 && numFailedTestSuites > 0 ? numFailedTestSuites : 0)
say(
  `\n${numPassedTests} passed, ${failed} failed${numPendingTests - forbidden > 0 ? `, ${numPendingTests} skipped` : ''}`,
)
process.exit(code !== 0 || failed ? 1 : 0)
