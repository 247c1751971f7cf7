// `npm run audit`: asks the registry which of the locked packages have a known weakness. Exit code 1 when one of what is
// delivered is high or critical; 3 when the registry does not say: that is no answer, and a workflow fails on it.
import { spawnSync } from 'node:child_process'

const COULD_NOT_TEST = 3
const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json', '--fetch-retries=1', '--fetch-timeout=20000'], {
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
})
const report = parse(stdout)
const found = report?.metadata?.vulnerabilities
if (!found) {
  console.log(
    `could not test: the registry does not answer an audit (${report?.error?.summary || report?.message || 'no answer'})`,
  )
  process.exit(COULD_NOT_TEST)
}
for (const { name, severity, range, nodes = [] } of Object.values(report.vulnerabilities ?? {}))
  console.log(`${severity.padEnd(9)} ${name} ${range}, in ${nodes.join(', ')}`)
console.log(
  `${found.total} known weaknesses in what is delivered, ${found.high + found.critical} of them high or critical`,
)
process.exit(found.high + found.critical ? 1 : 0)

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
