import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseClient } from './database.ts'
import type { Stack } from './stack.ts'

/** A node of a plan, as PostgreSQL has executed it. */
interface Node {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Index Name'?: string
  readonly 'Actual Rows'?: number
  readonly 'Actual Loops'?: number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Node[]
}

/** One access of a table in a statement that ran. */
interface Scan {
  readonly statement: string
  readonly table: string
  readonly kind: string
  /** Read, whether they were wanted or not. */
  readonly rows: number
}

export interface Plans {
  /** Every access of a table by every statement since then, also within functions. */
  scans(): readonly Scan[]
  /** How many different statements ran. */
  statements(): number
}

const roles = ['seaworthy_app', 'seaworthy_worker']
const explain = {
  session_preload_libraries: 'auto_explain',
  'auto_explain.log_min_duration': '0',
  'auto_explain.log_analyze': 'on',
  'auto_explain.log_timing': 'off',
  'auto_explain.log_nested_statements': 'on',
  'auto_explain.log_format': 'json',
  'auto_explain.log_parameter_max_length': '0',
}

/** From now on the server notes how it executes each statement of the product. */
export async function notePlans(stack: Stack, admin: DatabaseClient): Promise<Plans> {
  const log = await changeSettings(stack, admin, explain)
  const all = (): readonly { 'Query Text': string; Plan: Node }[] =>
    [...log().matchAll(/ plan:\n((?:\t.*\n)+)/g)].map((match) => JSON.parse((match[1] ?? '').replace(/^\t/gm, '')))
  return {
    scans: () => all().flatMap((plan) => scansIn(plan.Plan, plan['Query Text'])),
    statements: () => new Set(all().map((plan) => plan['Query Text'])).size,
  }
}

function scansIn(node: Node, statement: string): Scan[] {
  const rows = ((node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0)) * (node['Actual Loops'] ?? 1)
  const own = node['Relation Name'] && / Scan$/.test(node['Node Type'])
  const kind = [node['Node Type'], node['Index Name']].filter(Boolean).join(' ')
  return [
    ...(own ? [{ statement: statement.replace(/\s+/g, ' '), table: node['Relation Name'] ?? '', kind, rows }] : []),
    ...(node.Plans ?? []).flatMap((part) => scansIn(part, statement)),
  ]
}

/** How long the server takes for each step (parse, bind, execute) of the product's statements from now on, in milliseconds. */
export async function noteDurations(stack: Stack, admin: DatabaseClient): Promise<() => readonly number[]> {
  // An empty list is read as a library without a name: every connection would be refused.
  for (const role of roles) await admin.query(`alter role ${role} reset all`)
  const log = await changeSettings(stack, admin, { log_min_duration_statement: '0' })
  return () => [...log().matchAll(/ LOG: {2}duration: ([\d.]+) ms {2}/g)].map((match) => Number(match[1]))
}

/** Of every connection of the product, which opens new ones for that. The log of the server from then on. */
async function changeSettings(
  stack: Stack,
  admin: DatabaseClient,
  settings: Readonly<Record<string, string>>,
): Promise<() => string> {
  for (const role of roles)
    for (const [name, value] of Object.entries(settings))
      await admin.query(`alter role ${role} set ${name} = '${value}'`)
  await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = any ($1)', [roles])
  await stack.ready()
  const path = join(stack.dataDirectory, 'database.log')
  const from = statSync(path).size
  return () => {
    const now = readFileSync(path)
    // A schedule of the product puts a long log aside and empties it.
    const isWhole = now.length >= from
    return isWhole ? now.subarray(from).toString() : `${readFileSync(`${path}.1`).subarray(from)}${now}`
  }
}
