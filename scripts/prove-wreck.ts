// `npm run prove:wreck`: mends each mistake of the wreck alone and shows that its finding goes and all others stay.
// The claim that finds it looks, and with `--all-claims` every other one too. A part of a claim's id or sentence chooses
// some; `--write` puts the list into the README.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbeddedServer } from '@seaworthy/platform/data'
import { runMended } from '../packages/proof/wreck/mended.ts'
import { mistakes, type WreckMistake } from '../packages/proof/wreck/mistakes/index.ts'
import { tableOf } from '../packages/proof/wreck/table.ts'

const SIDE_BY_SIDE = 2
const allClaims = process.argv.includes('--all-claims')
let stopped = false
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    stopped = true
  })
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const chosen = mistakes.filter(
  ({ claim, says }) => words.length === 0 || words.some((word) => `${claim} ${says}`.includes(word)),
)

if (process.argv.includes('--write')) writeReadme()
else await mendOneByOne(chosen)

function writeReadme(): void {
  const path = join(import.meta.dirname, '..', 'packages', 'proof', 'wreck', 'README.md')
  const text = readFileSync(path, 'utf8')
  writeFileSync(
    path,
    text.replace(/\| It does this[\s\S]*\|(?=\n)/, () => tableOf(mistakes)),
  )
}

async function mendOneByOne(list: readonly WreckMistake[]): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'prove-wreck-'))
  const server = await startEmbeddedServer(directory, 'only for the wreck')
  const serverUrl = `postgres://${server.admin.user}:${encodeURIComponent(server.admin.password)}@127.0.0.1:${server.endpoint.port}/postgres`
  const started = performance.now()
  const left = [...list]
  let good = 0
  const lane = async (): Promise<void> => {
    for (let mistake = left.shift(); mistake && !stopped; mistake = left.shift())
      if (await mendOne(serverUrl, mistake)) good++
  }
  try {
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane))
  } finally {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
  console.log(`${good} of ${list.length} mended one by one in ${Math.round((performance.now() - started) / 1_000)} s`)
  process.exitCode = good === list.length ? 0 : 1
}

async function mendOne(serverUrl: string, mistake: WreckMistake): Promise<boolean> {
  const { still, lost, unknown, seconds } = await runMended(serverUrl, [mistake], allClaims ? [] : [mistake.claim])
  const problems = [
    ...still.map((name) => `still found: ${name}`),
    ...lost.map((name) => `lost: ${name}`),
    ...unknown.map((name) => `new: ${name}`),
  ]
  const word = problems.length ? 'WRONG' : 'mended'
  console.log(
    `${word.padEnd(6)} ${mistake.claim} ${mistake.says} (${seconds.toFixed(1)} s)${problems.map((p) => `\n       ${p}`).join('')}`,
  )
  return problems.length === 0
}
