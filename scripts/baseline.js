// `npm run baseline`: compares the numbers of the newest proofs with those of earlier runs on this kind of machine, and
// keeps them in .seaworthy/baseline.json. Exit code 1 when one is worse than it ever was, by more than it varies.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const kept = '.seaworthy/baseline.json'
const proofs = '.seaworthy/proofs/verdicts.json'
const RUNS_MAX = 20
const RUNS_MIN = 5
/** How many times the usual deviation from the median is still chance; 1.4826 makes it a standard deviation. */
const DEVIATIONS = 4 * 1.4826
/** Below this share of the median a difference is too small to matter, however steady the runs are. */
const SHARE = 0.15

if (!existsSync(proofs)) {
  console.error(`There is nothing to compare: ${proofs} is not there.\n    HINT: npm run prove -- CAP-01 WEB-01`)
  process.exit(1)
}
const names = process.argv.length > 2 ? process.argv.slice(2) : ['CAP-01', 'WEB-01']
const verdicts = JSON.parse(readFileSync(proofs, 'utf8'))
const history = existsSync(kept) ? JSON.parse(readFileSync(kept, 'utf8')) : {}
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]

let worse = 0
for (const name of names)
  for (const { measure, value, limit } of verdicts[name]?.readings ?? []) {
    const key = `${name} ${measure}`
    const runs = history[key] ?? []
    const middle = runs.length ? median(runs) : value
    const spread = runs.length ? median(runs.map((run) => Math.abs(run - middle))) : 0
    // A number with an upper bound is better when it is small.
    const loss = limit.atMost === undefined ? middle - value : value - middle
    const isWorse = runs.length >= RUNS_MIN && loss > Math.max(DEVIATIONS * spread, SHARE * Math.abs(middle))
    console.log(
      `${isWorse ? 'WORSE' : 'ok   '}  ${key}: ${value} ${limit.unit}, median of ${runs.length} runs ${middle}`,
    )
    if (isWorse) worse++
    // What is worse is not kept: else a slow decline would become what is usual.
    else history[key] = [...runs, value].slice(-RUNS_MAX)
  }
writeFileSync(kept, `${JSON.stringify(history, null, 2)}\n`)
process.exit(worse ? 1 : 0)
