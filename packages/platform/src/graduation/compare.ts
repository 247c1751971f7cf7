import type { Session } from './session.ts'
import type { Table } from './tables.ts'

interface TableCount {
  readonly rows: number
  /** Of all rows together, whatever their order. */
  readonly hash: string
}

/** Rows are hashed as text, so two servers of different versions give the same. */
async function countTable(session: Session, { name, columns }: Table, withHash = true): Promise<TableCount> {
  const hash =
    withHash && columns.length
      ? `coalesce(sum(('x' || left(md5(row(${columns.join(', ')})::text), 15))::bit(60)::bigint), 0)::text`
      : `''`
  const { rows } = await session.query<TableCount>(`select count(*)::bigint as rows, ${hash} as hash from ${name}`)
  return rows[0] ?? { rows: 0, hash: '' }
}

export interface Compared {
  readonly tables: number
  readonly rows: number
}

/** Throws with the first table whose rows are not the same on both sides. */
export async function compareTables(
  from: Session,
  to: Session,
  tables: readonly Table[],
  withHash: (table: Table) => boolean = () => true,
): Promise<Compared> {
  let sum = 0
  for (const table of tables) {
    const isHashed = withHash(table)
    const [there, here] = await Promise.all([countTable(from, table, isHashed), countTable(to, table, isHashed)])
    if (there.rows !== here.rows)
      throw new Error(`${table.name} has ${there.rows} rows here and ${here.rows} there. Nothing was changed over.`)
    if (there.hash !== here.hash)
      throw new Error(`${table.name} has rows that are not the same here and there. Nothing was changed over.`)
    sum += here.rows
  }
  return { tables: tables.length, rows: sum }
}
