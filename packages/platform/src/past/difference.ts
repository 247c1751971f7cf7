import type { AccountId } from '@seaworthy/core'
import { sql, sqlName, type Transaction } from '../data/index.ts'
import type { Erasure } from '../privacy/index.ts'
import { ofAccount, ofEverybody } from './compare.ts'
import { erasedIds, findPeople, type People } from './people.ts'
import { type ByRow, readReferences } from './references.ts'
import { type AppTable, findTable, mergedTables, neverMerged, USERS } from './rules.ts'
import { lookAtBoth, type Sides } from './sides.ts'
import {
  type DifferentRow,
  findTableDifference,
  type TableDifference,
  unfinishedJobs,
  type Vaults,
} from './table-difference.ts'

/** What is looked at: everything of an account, or one table of everybody. */
export type Subject =
  | { readonly kind: 'account'; readonly accountId: AccountId }
  | { readonly kind: 'table'; readonly table: string }

/** What is never put back, counted on both sides. */
export interface Untouched {
  readonly table: string
  readonly was: number
  readonly is: number
  readonly why: string
}

export interface Difference {
  readonly subject: Subject
  readonly tables: readonly TableDifference[]
  readonly untouched: readonly Untouched[]
  /** Files of then and of now, by the rows that refer to them. */
  readonly references: { readonly was: ByRow; readonly is: ByRow }
}

interface DifferenceParts {
  readonly sides: Sides
  readonly vaults: Vaults
  /** Of all apps. */
  readonly tables: readonly AppTable[]
  readonly erasures: readonly Erasure[]
}

/** Changes nothing. Throws when the account was erased or was not there then. */
export async function findDifference(parts: DifferenceParts, subject: Subject): Promise<Difference> {
  const { sides, vaults, erasures } = parts
  const erased = erasedIds(erasures)
  const tables = subject.kind === 'table' ? [findTable(parts.tables, subject.table)] : mergedTables(parts.tables)
  const account = subject.kind === 'account' ? subject.accountId : undefined
  await refuseSubject({ live: sides.live, tables: parts.tables, erasures }, subject)
  if (account) await refuseUnknownThen(sides, account)
  const seen = await lookAtBoth(sides, account, async (past, live) => {
    const found: TableDifference[] = []
    for (const table of tables)
      found.push(await findTableDifference({ past, live, vaults }, table, account ? ofAccount : ofEverybody))
    const accounts = [...new Set(found.flatMap(({ rows }) => rows.map((row) => row.account)))]
    const references = { was: await readReferences(past, accounts), is: await readReferences(live, accounts) }
    return { found, references, waiting: await unfinishedJobs(past) }
  })
  const people = await findPeople(sides.live, namedIn(seen.found), erased)
  return {
    subject,
    tables: seen.found.map((table) => ({
      ...table,
      rows: table.rows.map((row) => judge(table, row, people, seen.waiting)),
    })),
    untouched: account ? await lookAtBoth(sides, undefined, (past, live) => countUntouched(past, live, account)) : [],
    references: seen.references,
  }
}

/** What can be refused before the past is there. Throws with why: a table that is never put back, an account that was erased. */
export async function refuseSubject(
  { live, tables, erasures }: Pick<DifferenceParts, 'tables' | 'erasures'> & { readonly live: Sides['live'] },
  subject: Subject,
): Promise<void> {
  if (subject.kind === 'table') return void findTable(tables, subject.table)
  const { accountId } = subject
  const { accounts } = await findPeople(live, { accounts: [accountId], users: [] }, erasedIds(erasures))
  if (!accounts.has(accountId))
    throw new Error(`The account ${accountId} is not there now: it was erased, or never was. Nothing of it comes back.`)
}

async function refuseUnknownThen({ past }: Sides, account: AccountId): Promise<void> {
  const { there } = await past.withDuty(
    'identity',
    (tx) =>
      tx.one(sql<{ there: boolean }>`select exists (select 1 from seaworthy.accounts where id = ${account}) as there`),
    { readOnly: true },
  )
  if (!there) throw new Error(`The account ${account} was not there yet.\n    HINT: --to a later instant`)
}

/** Ids of accounts, and of people whom foreign keys name. */
function namedIn(tables: readonly TableDifference[]): { accounts: readonly string[]; users: readonly string[] } {
  const accounts = tables.flatMap(({ rows }) => rows.map((row) => row.account))
  const users = tables.flatMap((table) =>
    userColumns(table).flatMap(({ at }) => table.rows.flatMap(({ was }) => was?.[at] ?? [])),
  )
  return { accounts: [...new Set(accounts)], users: [...new Set(users)] }
}

/** Columns that refer to a person by a foreign key, and whether they may be empty instead. */
const userColumns = ({ shape, columns }: TableDifference) =>
  shape.parents
    .filter(({ table }) => table === USERS)
    .flatMap(({ columns: names, setsNull }) =>
      names.map((name) => ({ at: columns.findIndex((c) => c.name === name), setsNull })),
    )
    .filter(({ at }) => at >= 0)

/** Why a row of then stays where it is; and without people who are gone, where it may be without. */
function judge(table: TableDifference, row: DifferentRow, people: People, waiting: ReadonlySet<string>): DifferentRow {
  if (!row.was) return row
  const isId = (at: number): boolean => table.columns[at]?.type === 'uuid'
  const ids = row.was.filter((value, at): value is string => value !== null && isId(at))
  if (!people.accounts.has(row.account)) return { ...row, left: 'its account was erased' }
  if (ids.some((id) => people.erased.has(id))) return { ...row, left: 'somebody whom it names was erased' }
  if (ids.some((id) => waiting.has(id))) return { ...row, left: 'it waited for work that is over' }
  const was = [...row.was]
  for (const { at, setsNull } of userColumns(table)) {
    const user = was[at]
    if (!user || people.users.has(user)) continue
    if (!setsNull) return { ...row, left: 'somebody whom it names is gone' }
    was[at] = null
  }
  return { ...row, was }
}

async function countUntouched(past: Transaction, live: Transaction, account: AccountId): Promise<readonly Untouched[]> {
  const counted: Untouched[] = []
  for (const [table, why] of Object.entries(neverMerged)) {
    const [was, is] = [await countIn(past, table, account), await countIn(live, table, account)]
    if (was !== is) counted.push({ table, was, is, why })
  }
  return counted
}

/** Nothing where it has no account, or was not there yet. */
async function countIn(tx: Transaction, table: string, account: AccountId): Promise<number> {
  const { there } = await tx.one(sql<{ there: boolean }>`
    select exists (select 1 from pg_attribute where attrelid = to_regclass(${table}) and attname = 'account_id' and not attisdropped) as there`)
  if (!there) return 0
  const { count } = await tx.one(
    sql<{ count: number }>`select count(*) as count from ${sqlName(table)} where account_id = ${account}`,
  )
  return count
}
