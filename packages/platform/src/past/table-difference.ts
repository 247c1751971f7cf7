import type { AccountId } from '@seaworthy/core'
import { type Fragment, type Sealed, sql, type Transaction } from '../data/index.ts'
import type { Vault } from '../vault/index.ts'
import { type Changed, compare } from './compare.ts'
import { type Named, nameOf, type Row, type Rows, readRows, type Text } from './rows.ts'
import { type AppTable, sealedColumnsOf } from './rules.ts'
import { type ColumnShape, commonColumns, readShape, refusalOf, type Shape } from './shape.ts'

/** A row that is not the same on both sides. */
export interface DifferentRow extends Named {
  readonly kind: 'only then' | 'only now' | 'changed'
  /** One for each of the table's columns; of what is only there now not for all rows. */
  readonly was?: readonly Text[]
  readonly is?: readonly Text[]
  /** How it looked when it was compared. */
  readonly hashNow?: string
  /** Columns whose values differ. */
  readonly differing: readonly string[]
  /** Why it stays as it is, whatever is asked. */
  readonly left?: string
}

export interface TableDifference {
  readonly table: AppTable
  readonly shape: Shape
  /** What both sides have. */
  readonly columns: readonly ColumnShape[]
  readonly same: number
  readonly rows: readonly DifferentRow[]
  /** Why nothing of it can be put back. */
  readonly refusal: string | undefined
}

/** What opens sealed values of then, and of now. */
export interface Vaults {
  readonly past: Pick<Vault, 'openOrClear'>
  readonly live: Vault
}

/** Only so many rows that came since are read: they stay as they are, and are only shown. */
const NEWER_READ = 100

/** Both sides at one instant each, and what opens their sealed values. */
interface Look {
  readonly past: Transaction
  readonly live: Transaction
  readonly vaults: Vaults
}

export async function findTableDifference(look: Look, table: AppTable, where: Fragment): Promise<TableDifference> {
  const { past, live } = look
  const [then, now] = [await readShape(past, table.name), await readShape(live, table.name)]
  if (!now) throw new Error(`${table.name} is not in the database.\n    HINT: seaworthy migrate`)
  if (!then) return { table, shape: now, columns: [], same: 0, rows: [], refusal: 'it was not there then' }
  const refusal = refusalOf(then, now)
  const columns = commonColumns(then, now)
  const rows = rowsOf(now, columns)
  if (refusal) return { table, shape: now, columns, same: 0, rows: [], refusal }
  const found = await compare(past, live, rows, where)
  const gone = await readRows(past, rows, found.onlyThen)
  const newer = await readRows(live, rows, found.onlyNow.slice(0, NEWER_READ))
  const changed = await findChanges(look, { table, columns, rows }, found.changed)
  return {
    table,
    shape: now,
    columns,
    same: found.same + found.changed.length - changed.length,
    rows: [
      ...gone.map(({ values, ...row }) => ({ ...row, kind: 'only then' as const, was: values, differing: [] })),
      ...changed,
      ...newer.map(({ values, ...row }) => ({ ...row, kind: 'only now' as const, is: values, differing: [] })),
      ...found.onlyNow
        .slice(NEWER_READ)
        .map(({ key, account }) => ({ key, account, kind: 'only now' as const, differing: [] })),
    ],
    refusal,
  }
}

export const rowsOf = ({ table, key, columns: all }: Shape, columns: readonly ColumnShape[]): Rows => ({
  table,
  key: key.map((name) => all.find((column) => column.name === name)).filter((column) => column !== undefined),
  columns,
})

interface Compared {
  readonly table: AppTable
  readonly columns: readonly ColumnShape[]
  readonly rows: Rows
}

/** With both values of each; without those whose values were only sealed again. */
async function findChanges(look: Look, of: Compared, changed: readonly Changed[]): Promise<readonly DifferentRow[]> {
  const before = byName(await readRows(look.past, of.rows, changed))
  const after = byName(await readRows(look.live, of.rows, changed))
  const different: DifferentRow[] = []
  for (const { hash, key, account } of changed) {
    const [was, is] = [before.get(nameOf({ key }))?.values ?? [], after.get(nameOf({ key }))?.values ?? []]
    const differing: string[] = []
    for (const [i, { name }] of of.columns.entries())
      if (!(await isSame(look, of, { key, account, column: name }, [was[i] ?? null, is[i] ?? null])))
        differing.push(name)
    if (differing.length) different.push({ key, account, kind: 'changed', was, is, hashNow: hash, differing })
  }
  return different
}

/** Sealed values are never twice the same text: what they say is compared. */
async function isSame(
  { past, live, vaults }: Look,
  { table, rows }: Compared,
  { column, ...row }: Named & { readonly column: string },
  [was, is]: readonly [Text, Text],
): Promise<boolean> {
  if (was === is) return true
  if (was === null || is === null || !sealedColumnsOf(table).has(column)) return false
  const place = placeOf(table.name, column, { rows }, row)
  const words = await vaults.past.openOrClear(past, place, was as Sealed)
  return words === (await vaults.live.openOrClear(live, place, is as Sealed))
}

const byName = (rows: readonly Row[]): ReadonlyMap<string, Row> => new Map(rows.map((row) => [nameOf(row), row]))

/** Where a sealed value stands: it opens there and nowhere else. */
export const placeOf = (table: string, column: string, { rows }: { readonly rows: Pick<Rows, 'key'> }, row: Named) => ({
  table,
  column,
  row: row.key[rows.key.findIndex(({ name }) => name === 'id')] ?? '',
  accountId: row.account as AccountId,
})

/** Work that was under way then: what waits for it would wait for ever. */
export async function unfinishedJobs(past: Transaction): Promise<ReadonlySet<string>> {
  const jobs = await past.many(
    sql<{ id: string }>`select id::text as id from seaworthy.jobs where state in ('waiting', 'running')`,
  )
  return new Set(jobs.map(({ id }) => id))
}
