import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { checkReceipt, listClaims, type ProveOptions, prove, proveApp, type Receipt, type Tier } from '@seaworthy/proof'
import { findPlace } from './place.ts'

export interface ProveFlags {
  readonly fast?: boolean
  readonly soak?: boolean
  readonly strict?: boolean
  readonly sabotage?: boolean
  readonly write?: boolean
  readonly json?: boolean
  readonly open?: boolean
  readonly list?: boolean
  readonly seed?: string
  readonly verify?: string
  readonly config?: string
  readonly url?: string
  readonly dsn?: string
}

/** `seaworthy prove`: measures what the product claims; exit code 0 only when nothing is refuted. */
export async function runProve(names: readonly string[], flags: ProveFlags): Promise<void> {
  if (flags.list) return list()
  if (flags.verify) return verify(flags.verify)
  const { directory, build } = findPlace()
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      process.stderr.write('\nStopping what was started ...\n')
      stopping.abort()
    })
  const common = {
    root: directory,
    commit: build.commit,
    names,
    strict: flags.strict ?? false,
    json: flags.json ?? false,
    signal: stopping.signal,
    say: (text: string) => process.stderr.write(`${text}\n`),
    print: (text: string) => process.stdout.write(`${text}\n`),
  }
  const proved = await (flags.config || flags.url
    ? proveApp({ ...common, app: { file: flags.config, url: flags.url, database: flags.dsn } })
    : prove(ownOptions(common, flags)))
  process.stderr.write(`The report is ${proved.html}\n`)
  if (flags.open) openPage(proved.html)
  process.exitCode = proved.ok ? 0 : 1
}
type Common = Omit<ProveOptions, 'tier' | 'sabotage' | 'write' | 'seed'>

/** What only the proofs of this product know. */
const ownOptions = (common: Common, flags: ProveFlags): ProveOptions => ({
  ...common,
  tier: tierOf(flags),
  sabotage: flags.sabotage ?? false,
  write: flags.write ?? false,
  ...(flags.seed ? { seed: Number(flags.seed) } : {}),
})

const tierOf = ({ fast, soak }: ProveFlags): Tier => (soak ? 'soak' : fast ? 'fast' : 'full')

async function list(): Promise<void> {
  for (const { id, says, tier, seconds, needs = [] } of await listClaims())
    process.stdout.write(
      `${id.padEnd(8)} ${tier.padEnd(5)} ${`${seconds} s`.padStart(5)}  ${says}${needs.length ? ` (${needs.join(', ')})` : ''}\n`,
    )
}

function verify(file: string): void {
  const receipt = JSON.parse(readFileSync(file, 'utf8')) as Receipt
  const state = checkReceipt(receipt)
  const { report, expiresAt, key } = receipt
  process.stdout.write(
    `${state}: ${report.results.length} claims of commit ${report.commit}, until ${expiresAt}, key ${key}\n`,
  )
  process.exitCode = state === 'valid' ? 0 : 1
}

function openPage(path: string): void {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', path]
      : process.platform === 'win32'
        ? ['explorer', path]
        : ['xdg-open', path]
  const opened = spawn(command ?? '', args, { stdio: 'ignore', detached: true })
  opened.once('error', () => process.stderr.write(`No browser could be opened here; open ${path}\n`))
  opened.unref()
}
