import { type OwnerSession, sql } from '../data/index.ts'
import type { KeyRing } from './key-ring.ts'
import { openOwnerKeys } from './owner-keys.ts'
import { type SealedColumn, sqlNames } from './sealed-columns.ts'
import { isSealed, openWith } from './sealed-text.ts'

export interface Sampled {
  /** Sealed values that were tried. */
  readonly opened: number
  /** `table.column of the row id`, for those that do not open. */
  readonly unreadable: readonly string[]
}

interface Row {
  readonly row: string
  readonly owner: string
  readonly value: string
}

/** Opens the newest sealed values of a column and some from anywhere, at most `max` of each. Changes nothing. */
export async function openSample(
  session: OwnerSession,
  ring: KeyRing,
  column: SealedColumn,
  max: number,
): Promise<Sampled> {
  if (!(await isThere(session, column))) return { opened: 0, unreadable: [] }
  const keys = openOwnerKeys(session, ring)
  const rows = (await session.many(select(column, await shareOf(session, column, max), max))).filter(({ value }) =>
    isSealed(value),
  )
  const known = await keys.find(column.kind, [...new Set(rows.map(({ owner }) => owner))])
  const { table, column: name, kind } = column
  const unreadable = rows.filter(({ row, owner, value }) => {
    const place = { table, column: name, row, ...(kind === 'account' ? { accountId: owner } : { userId: owner }) }
    return openWith(known.get(owner) ?? [], place, value) === undefined
  })
  return {
    opened: rows.length - unreadable.length,
    unreadable: unreadable.map(({ row }) => `${table}.${name} of the row ${row}`),
  }
}

/** A database of an earlier release may not have it yet. */
async function isThere(session: OwnerSession, { table, column }: SealedColumn): Promise<boolean> {
  const rows = await session.many(sql`
    select 1 from pg_attribute where attrelid = to_regclass(${table}) and attname = ${column} and not attisdropped`)
  return rows.length > 0
}

/** Which part of the pages has about so many rows, with room for rows that have no value. In percent. */
async function shareOf(session: OwnerSession, { table }: SealedColumn, max: number): Promise<number> {
  const [row] = await session.many(sql<{ rows: number }>`
    select reltuples::float8 as rows from pg_class where oid = ${table}::regclass`)
  return row && row.rows > 0 ? Math.min(100, Math.max(0.001, (max * 400) / row.rows)) : 100
}

function select(of: SealedColumn, share: number, max: number) {
  const { table, column, row, owner } = sqlNames(of)
  return sql<Row>`
    (select ${row}::text as row, ${owner}::text as owner, ${column} as value from ${table} where ${column} is not null order by ${row} desc limit ${max})
    union
    (select ${row}::text, ${owner}::text, ${column} from ${table} tablesample system (${share}::float4) where ${column} is not null limit ${max})`
}
