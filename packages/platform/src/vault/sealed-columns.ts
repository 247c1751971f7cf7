import { type Fragment, sqlName, type Table } from '../data/index.ts'

/** Where sealed values are, for the tools that go over all of them. Names are of the database. */
export interface SealedColumn {
  /** With its schema: `cosnap.photos`. */
  readonly table: string
  readonly column: string
  /** The column that names the row: its primary key. */
  readonly row: string
  /** The column that names whose key it is. */
  readonly owner: string
  readonly kind: 'account' | 'user'
}

/** Of tables that no app declares. */
export const platformSealedColumns: readonly SealedColumn[] = [
  { table: 'seaworthy.ai_answers', column: 'answer', row: 'id', owner: 'account_id', kind: 'account' },
  { table: 'seaworthy.provider_keys', column: 'secret', row: 'id', owner: 'account_id', kind: 'account' },
  { table: 'seaworthy.totp', column: 'secret', row: 'user_id', owner: 'user_id', kind: 'user' },
]

/** The sealed columns of tables as apps declare them: their rows are named by `id` and owned by `account_id`. */
export function sealedColumnsOf(tables: readonly Table[]): readonly SealedColumn[] {
  return tables.flatMap(({ name, columns }) =>
    Object.entries(columns)
      .filter(([, column]) => column.sealed)
      .map(([column]) => {
        if (!columns.id || !columns.account_id)
          throw new Error(`${name} has a sealed column and must have id and account_id, which it is bound to`)
        return { table: name, column, row: 'id', owner: 'account_id', kind: 'account' as const }
      }),
  )
}

/** The names as pieces of a statement. */
export const sqlNames = (of: SealedColumn): Record<'table' | 'column' | 'row' | 'owner', Fragment> => ({
  table: sqlName(of.table),
  column: sqlName(of.column),
  row: sqlName(of.row),
  owner: sqlName(of.owner),
})
