import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { allowedUntested } from './allowed.ts'
import type { Claim, Tier } from './claim.ts'
import { loadClaims } from './claims/index.ts'
import { chooseClaims } from './engine/choose.ts'
import { runClaims } from './engine/run.ts'
import { describeMachine } from './machine.ts'
import { annotate, unknownProofs } from './report/document.ts'
import { renderHtml } from './report/html.ts'
import { signReport } from './report/receipt.ts'
import { progressLine, summaryOf } from './report/terminal.ts'
import type { ClaimResult, Report } from './result.ts'
import { newSeed } from './rig/rig.ts'

export interface ProveOptions {
  /** Of the repository, built. */
  readonly root: string
  readonly commit: string
  /** Ids or areas; all of the tier when there is none. */
  readonly names: readonly string[]
  readonly tier: Tier
  /** What could not be tested counts as failed. */
  readonly strict: boolean
  readonly sabotage: boolean
  /** Puts verdicts beside the claims of each `PRODUCTION.md`. */
  readonly write: boolean
  /** The receipt on standard output, and nothing else there. */
  readonly json: boolean
  readonly seed?: number
  /** Aborted when the run is not wanted any more. */
  readonly signal: AbortSignal
  readonly say: (text: string) => void
  readonly print: (text: string) => void
}

export interface Proved {
  /** Nothing is refuted, no sabotage survived and, when strict, nothing was left untested. */
  readonly ok: boolean
  /** The page to look at. */
  readonly html: string
}

/** Runs the experiments, writes the report, and says whether the product keeps its word. */
export async function prove(options: ProveOptions): Promise<Proved> {
  const all = await loadClaims()
  const claims = chooseClaims(all, options.names, options.tier)
  const { root, commit, signal, say } = options
  const seed = options.seed ?? newSeed()
  const [startedAt, began] = [new Date().toISOString(), performance.now()]
  say(`${claims.length} claims, seed ${seed}`)
  const results = await runClaims({
    claims,
    root,
    commit,
    seed,
    signal,
    sabotage: options.sabotage,
    onProgress: (progress) => say(progressLine(progress)),
  })
  if (signal.aborted) throw new Error('Stopped. Everything that was started is ended.')
  const seconds = (performance.now() - began) / 1_000
  const report: Report = { startedAt, seconds, seed, commit, machine: describeMachine(claims), results }
  const directory = join(root, '.seaworthy', 'proofs')
  const html = keepReport(report, directory, { ...options, keyDirectory: directory })
  rememberVerdicts(report, directory)
  if (options.write) writeDocuments(root, all, remembered(directory, commit), say)
  if (!options.json) options.print(summaryOf(report))
  return { ok: results.every((result) => isGood(result, options.strict)), html }
}

/** For `--list`: what there is, without running it. */
export async function listClaims(): Promise<readonly Pick<Claim, 'id' | 'says' | 'tier' | 'seconds' | 'needs'>[]> {
  return loadClaims()
}

export function isGood({ id, verdict, sabotages }: ClaimResult, strict: boolean): boolean {
  if (verdict === 'refuted' || sabotages.some((sabotage) => !sabotage.caught)) return false
  return verdict === 'proven' || !strict || id in allowedUntested
}

/** The signed receipt and the page, whose path it gives. */
export function keepReport(
  report: Report,
  directory: string,
  { json, print, keyDirectory }: Pick<ProveOptions, 'json' | 'print'> & { readonly keyDirectory: string },
): string {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const receipt = JSON.stringify(signReport(report, keyDirectory), null, json ? 2 : 0)
  writeFileSync(join(directory, 'receipt.json'), `${receipt}\n`)
  const html = join(directory, 'report.html')
  writeFileSync(html, renderHtml(report))
  if (json) print(receipt)
  return html
}

/** The newest verdict of every claim. */
function rememberVerdicts(report: Report, directory: string): void {
  const known = readVerdicts(directory)
  for (const { run: _, evidence: __, ...result } of report.results) known[result.id] = { ...result, evidence: [] }
  writeFileSync(join(directory, 'verdicts.json'), JSON.stringify(known))
}

/** A verdict about another commit is stale. */
function remembered(directory: string, commit: string): ClaimResult[] {
  return Object.values(readVerdicts(directory)).map((result) =>
    result.commit === commit ? result : { ...result, verdict: 'stale' as const },
  )
}

function readVerdicts(directory: string): Record<string, ClaimResult> {
  const path = join(directory, 'verdicts.json')
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, ClaimResult>) : {}
}

function writeDocuments(
  root: string,
  claims: readonly Claim[],
  results: readonly ClaimResult[],
  say: (text: string) => void,
): void {
  for (const app of readdirSync(join(root, 'apps'))) {
    const path = join(root, 'apps', app, 'PRODUCTION.md')
    if (!existsSync(path)) continue
    const document = readFileSync(path, 'utf8')
    const unknown = unknownProofs(
      document,
      claims.map((claim) => claim.id),
    )
    if (unknown.length)
      throw new Error(`apps/${app}/PRODUCTION.md names proofs that do not exist: ${unknown.join(', ')}`)
    writeFileSync(path, annotate(document, results))
    say(`written: apps/${app}/PRODUCTION.md`)
  }
}
