import { mkdtempSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { addressOf, type DocumentedRequest } from './documented-requests.ts'
import type { Rig } from './rig.ts'
import { runProgram } from './run-program.ts'

export interface InjectionSearch {
  readonly url: string
  readonly request: DocumentedRequest
  readonly token?: string
  /** The values of the path and these headers, and nothing else: what is marked by hand hides the rest from sqlmap. */
  readonly marked?: { readonly headers: Readonly<Record<string, string>> }
  /** Searched too, with the two headers that sqlmap searches by itself. */
  readonly cookie?: string
  /** Names of query parameters and fields: these only, or all but these. */
  readonly only?: readonly string[]
  readonly without?: readonly string[]
  /** 3 where nothing is said. */
  readonly level?: number
}

export interface SearchResult {
  /** Parameters that sqlmap went through to the end and found nothing in. */
  readonly sound: readonly string[]
  readonly injectable: readonly string[]
  /** By status. */
  readonly answers: Readonly<Record<string, number>>
  /** The last words, where it did not come to its end. */
  readonly problem?: string
}

/** What a refusal answers is compared like everything else: without this sqlmap gives up at the first one. */
const REFUSALS = '401,402,403,404,409,410,413,415,422'
const PATIENCE_MS = 900_000
/** Where an injection is marked by hand. */
const HERE = '*'

/** One route, every parameter, at risk 2. The claim must name `sqlmap` among its needs. */
export async function searchInjections(rig: Rig, search: InjectionSearch): Promise<SearchResult> {
  const directory = mkdtempSync(join(rig.scratch, 'sqlmap-'))
  const traffic = join(directory, 'traffic')
  const { code, stdout, stderr } = await runProgram(rig.program('sqlmap'), argumentsOf(search, directory, traffic), {
    environment: { HOME: directory },
    timeoutMs: PATIENCE_MS,
  })
  const found = (pattern: RegExp): string[] => [...stdout.matchAll(pattern)].map((match) => match[1] ?? '')
  const injectable = [...new Set(found(/^Parameter: (.+)$/gm))]
  const sound = found(/\[WARNING\] (.+) does not seem to be injectable/g)
  const finished = code === 0 && /\[\*\] ending/.test(stdout)
  return {
    sound,
    injectable,
    answers: countAnswers(traffic),
    ...(finished ? {} : { problem: `ended with ${code}: ${(stdout + stderr).slice(-300)}` }),
  }
}

function argumentsOf(search: InjectionSearch, directory: string, traffic: string): string[] {
  const { url, request, token, marked, cookie, only = [], without = [], level = 3 } = search
  const { route, body } = request
  const sent = Object.entries({ ...request.headers, ...marked?.headers }).map(
    ([name, value]) => `${name}: ${value}${marked ? HERE : ''}`,
  )
  const fixed = [
    ...(token ? [`Authorization: Bearer ${token}`] : []),
    ...(body === undefined ? [] : ['Content-Type: application/json']),
  ]
  return [
    ['-u', url + addressOf(marked ? { ...request, path: withMarks(request.path) } : request)],
    ['--method', route.method],
    body === undefined ? [] : ['--data', JSON.stringify(body)],
    ['--headers', [...fixed, ...sent].join('\n')],
    cookie ? ['--cookie', cookie] : [],
    only.length ? ['-p', only.join(',')] : skipping([...without, ...(cookie ? [] : ['user-agent', 'referer'])]),
    ['--level', String(level), '--risk', '2', '--dbms', 'PostgreSQL', '--ignore-code', REFUSALS],
    ['--batch', '--ignore-stdin', '--skip-waf', '--disable-coloring', '--flush-session'],
    ['--output-dir', directory, '-t', traffic],
  ].flat()
}

const withMarks = (path: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(path).map(([name, value]) => [name, value + HERE]))

const skipping = (names: readonly string[]): string[] => (names.length ? ['--skip', names.join(',')] : [])

function countAnswers(traffic: string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const [, status = ''] of readFileSync(traffic, 'utf8').matchAll(/^HTTP response \[#\d+\] \((\d+)/gm))
    counts[status] = (counts[status] ?? 0) + 1
  return counts
}
