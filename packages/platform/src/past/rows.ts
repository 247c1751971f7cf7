import { type Fragment, sql, sqlList, sqlName, sqlType, type Transaction } from '../data/index.ts'
import type { ColumnShape } from './shape.ts'

/** Text of a value, as PostgreSQL writes and reads it: exact for every type. */
export type Text = string | null

/** A row, told from others by its key. */
export interface Named {
  readonly key: readonly string[]
  readonly account: string
}

/** How a row looks: two that have the same hash have the same values. */
export interface Seen extends Named {
  /** For the order in which rows are walked through. */
  readonly sort: string
  readonly hash: string
}

export interface Row extends Named {
  /** One for each column that was asked for, in that order. */
  readonly values: readonly Text[]
}

/** Which rows of a table, by the columns of its key. */
export interface Rows {
  readonly table: string
  readonly key: readonly Pick<ColumnShape, 'name' | 'type'>[]
  readonly columns: readonly Pick<ColumnShape, 'name' | 'type'>[]
}

const PAGE = 2_000

/** The same text for the same value on both servers, whatever their settings are. */
export async function speakPlainly(tx: Transaction): Promise<void> {
  await tx.run(sql`select set_config('datestyle', 'ISO, MDY', true), set_config('timezone', 'UTC', true), set_config('intervalstyle', 'postgres', true),
    set_config('extra_float_digits', '1', true), set_config('bytea_output', 'hex', true)`)
}

const texts = (columns: Rows['columns']): Fragment =>
  sql`array[${sqlList(columns.map(({ name }) => sql`t.${sqlName(name)}::text`))}]`

/** Of a row called `t`. */
export const hashOf = (columns: Rows['columns']): Fragment => sql`md5(${texts(columns)}::text)`

/** All rows that the transaction sees, in the order of their keys' bytes. One walk at a time in a transaction. */
export async function* walk(tx: Transaction, rows: Rows, where: Fragment): AsyncGenerator<Seen> {
  await tx.run(sql`declare rows_of_past no scroll cursor for
    select ${texts(rows.key)}::text as sort, ${texts(rows.key)} as key, t.account_id::text as account, ${hashOf(rows.columns)} as hash
    from ${sqlName(rows.table)} t where ${where} order by (${texts(rows.key)}::text) collate "C"`)
  for (let size = PAGE; size === PAGE; ) {
    const page = await tx.many(sql<Seen>`fetch 2000 from rows_of_past`)
    yield* page
    size = page.length
  }
  await tx.run(sql`close rows_of_past`)
}

/** The rows with these keys, as far as the transaction sees them. */
export async function readRows(tx: Transaction, rows: Rows, wanted: readonly Named[]): Promise<readonly Row[]> {
  const found: Row[] = []
  for (const part of partsOf(wanted))
    found.push(
      ...(await tx.many(sql<Row>`
        select ${texts(rows.key)} as key, t.account_id::text as account, ${texts(rows.columns)} as values
        from ${sqlName(rows.table)} t where ${isAmong(rows, part)}`)),
    )
  return found
}

/** A condition on a row called `t`. */
export function isAmong({ key }: Pick<Rows, 'key'>, wanted: readonly Named[]): Fragment {
  const names = sqlList(key.map(({ name }) => sql`t.${sqlName(name)}`))
  const values = key.map(({ type }, i) => sql`u.${sqlName(`k${i}`)}::${sqlType(type)}`)
  return sql`(${names}) in (select ${sqlList(values)} from ${unnest(
    wanted.map((one) => one.key),
    key.length,
  )} u(${columnNames(key.length, 'k')}))`
}

/** Rows of text as a table, one array for each column. */
export const unnest = (rows: readonly (readonly Text[])[], width: number): Fragment =>
  sql`unnest(${sqlList(Array.from({ length: width }, (_, i) => sql`${rows.map((row) => row[i] ?? null)}::text[]`))})`

export const columnNames = (width: number, name: string): Fragment =>
  sqlList(Array.from({ length: width }, (_, i) => sqlName(`${name}${i}`)))

const AT_ONCE = 500

export const partsOf = <T>(all: readonly T[]): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(all.length / AT_ONCE) }, (_, i) => all.slice(i * AT_ONCE, (i + 1) * AT_ONCE))

export const nameOf = ({ key }: Pick<Named, 'key'>): string => JSON.stringify(key)
