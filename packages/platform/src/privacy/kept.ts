import type { AccountId } from '@seaworthy/core'
import { type Query, sql, sqlName } from '../data/index.ts'
import { type ExportParts, exportedTables, own, type Person } from './export.ts'

/** How much there is of one kind. */
export interface Kept {
  /** As the file in the export is called: `sign-ins`, `seaworthy.audit`, `cosnap.photos`. */
  readonly name: string
  readonly rows: number
  /** There are more: nobody waits for all of them to be counted. */
  readonly more: boolean
  /** Of files. */
  readonly bytes: number | undefined
}

interface Count {
  readonly rows: number
  readonly bytes?: number
}

const ROWS_MAX = 10_000
const FILES = 'seaworthy.blobs'

/** What the export of this person would have in it, counted. A kind of which there is nothing is told too. */
export async function countKept(
  { database, tables }: Pick<ExportParts, 'database' | 'tables'>,
  person: Person,
): Promise<readonly Kept[]> {
  const mine = await database.withDuty(
    'identity',
    async (tx) => {
      const counts: Kept[] = []
      for (const { name, query } of own) counts.push(toKept(name, [await tx.one(countOf(query(person)))]))
      return counts
    },
    { readOnly: true },
  )
  const names = [...exportedTables, ...tables.filter(({ columns }) => 'account_id' in columns).map(({ name }) => name)]
  const counts = new Map<string, Count[]>(names.map((name) => [name, []]))
  for (const accountId of person.accountIds)
    for (const [name, count] of await countIn(database, accountId, names)) counts.get(name)?.push(count)
  return [...mine, ...[...counts].map(([name, each]) => toKept(name, each))]
}

/** Read as the account: row-level security is the same as in every request. */
const countIn = (database: ExportParts['database'], accountId: AccountId, names: readonly string[]) =>
  database.withCaller(
    { accountId },
    async (tx) => {
      const counts: [string, Count][] = []
      for (const name of names) counts.push([name, await tx.one(name === FILES ? countFiles : countOf(rowsOf(name)))])
      return counts
    },
    { readOnly: true },
  )

const rowsOf = (name: string): Query<unknown> =>
  sql`select 1 from ${sqlName(name)} where account_id = seaworthy.account_id() limit ${ROWS_MAX + 1}`

const countOf = (rows: Query<unknown>): Query<Count> => sql`select count(*) as rows from (${rows}) r`

const countFiles = sql<Count>`select count(*) as rows, coalesce(sum(bytes), 0)::float8 as bytes
  from (select bytes from seaworthy.blobs where account_id = seaworthy.account_id() limit ${ROWS_MAX + 1}) r`

function toKept(name: string, counts: readonly Count[]): Kept {
  const sum = (pick: (count: Count) => number): number => counts.reduce((total, count) => total + pick(count), 0)
  const rows = sum((count) => count.rows)
  const bytes = name === FILES ? sum((count) => count.bytes ?? 0) : undefined
  return { name, rows: Math.min(rows, ROWS_MAX), more: rows > ROWS_MAX, bytes }
}
