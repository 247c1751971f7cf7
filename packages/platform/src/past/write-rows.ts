import { type Fragment, sql, sqlList, sqlName, sqlType, type Transaction } from '../data/index.ts'
import { columnNames, hashOf, isAmong, type Named, nameOf, partsOf, type Rows, type Text, unnest } from './rows.ts'
import { ACCOUNTS, USERS } from './rules.ts'
import type { ColumnShape, Shape } from './shape.ts'

interface NewRow extends Named {
  /** One for each of the columns. */
  readonly values: readonly Text[]
}

interface Into {
  readonly shape: Shape
  readonly columns: readonly ColumnShape[]
  readonly rows: Rows
}

/**
 * Adds rows of the account of the transaction. One whose key or unique value is taken, or whose parent is not there, is
 * left out. Returns the names of those that were added.
 */
export async function insertRows(
  tx: Transaction,
  { shape, columns, rows }: Into,
  all: readonly NewRow[],
): Promise<ReadonlySet<string>> {
  const at = (name: string): number => columns.findIndex((column) => column.name === name)
  const value = (name: string): Fragment => {
    const type = columns[at(name)]?.type
    if (!type) throw new Error(`${shape.table} has no column ${name}`)
    return sql`v.${sqlName(`c${at(name)}`)}::${sqlType(type)}`
  }
  const hasParents = shape.parents
    .filter(
      (parent) => parent.table !== ACCOUNTS && parent.table !== USERS && parent.columns.every((name) => at(name) >= 0),
    )
    .map((parent) => {
      const names = sqlList(parent.parentColumns.map((name) => sql`p.${sqlName(name)}`))
      const values = sqlList(parent.columns.map(value))
      return sql`and (num_nulls(${values}) > 0 or exists (select 1 from ${sqlName(parent.table)} p where (${names}) = (${values})))`
    })
  const conditions = hasParents.reduce((before, one) => sql`${before} ${one}`, sql``)
  const added = new Set<string>()
  for (const part of partsOf(all)) {
    const inserted = await tx.many(sql<Pick<Named, 'key'>>`
      insert into ${sqlName(shape.table)} as t (${sqlList(columns.map(({ name }) => sqlName(name)))}) overriding system value
      select ${sqlList(columns.map(({ name }) => value(name)))}
      from ${unnest(
        part.map(({ values }) => values),
        columns.length,
      )} v(${columnNames(columns.length, 'c')})
      where ${value('account_id')} = seaworthy.account_id() ${conditions}
      on conflict do nothing
      returning array[${sqlList(rows.key.map(({ name }) => sql`t.${sqlName(name)}::text`))}] as key`)
    for (const row of inserted) added.add(nameOf(row))
  }
  return added
}

/** How rows of the account look now, by their names. `forUpdate` holds them until the transaction ends. */
export async function hashesOf(
  tx: Transaction,
  rows: Rows,
  wanted: readonly Named[],
  forUpdate = false,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (const part of partsOf(wanted)) {
    const seen = await tx.many(sql<{ key: string[]; hash: string }>`
      select array[${sqlList(rows.key.map(({ name }) => sql`t.${sqlName(name)}::text`))}] as key, ${hashOf(rows.columns)} as hash
      from ${sqlName(rows.table)} t where t.account_id = seaworthy.account_id() and ${isAmong(rows, part)} ${forUpdate ? sql`for update` : sql``}`)
    for (const row of seen) found.set(nameOf(row), row.hash)
  }
  return found
}

/** False when something that was not there before is in the way: a unique value, a parent that is gone, a check. */
export async function updateRow(
  tx: Transaction,
  { shape, rows }: Omit<Into, 'columns'>,
  row: Named,
  values: Readonly<Record<string, Text>>,
): Promise<boolean> {
  const set = Object.entries(values).map(([name, text]) => {
    const type = shape.columns.find((column) => column.name === name)?.type ?? 'text'
    return sql`${sqlName(name)} = ${text}::text::${sqlType(type)}`
  })
  try {
    return await tx.savepoint(async () => {
      const changed = await tx.run(
        sql`update ${sqlName(shape.table)} t set ${sqlList(set)} where t.account_id = seaworthy.account_id() and ${isAmong(rows, [row])}`,
      )
      return changed === 1
    })
  } catch (error) {
    if (String((error as { code?: string }).code).startsWith('23')) return false
    throw error
  }
}

/** Removes these rows of the account as long as nothing refers to them. Returns the names of those that went. */
export async function deleteRows(
  tx: Transaction,
  { shape, rows }: Omit<Into, 'columns'>,
  wanted: readonly Named[],
): Promise<ReadonlySet<string>> {
  const unused = shape.children.map((child) => {
    const names = sqlList(child.columns.map((name) => sql`c.${sqlName(name)}`))
    const values = sqlList(child.parentColumns.map((name) => sql`t.${sqlName(name)}`))
    return sql`and not exists (select 1 from ${sqlName(child.table)} c where (${names}) = (${values}))`
  })
  const conditions = unused.reduce((before, one) => sql`${before} ${one}`, sql``)
  const gone = new Set<string>()
  for (const part of partsOf(wanted)) {
    const deleted = await tx.many(sql<Pick<Named, 'key'>>`
      delete from ${sqlName(shape.table)} t where t.account_id = seaworthy.account_id() and ${isAmong(rows, part)} ${conditions}
      returning array[${sqlList(rows.key.map(({ name }) => sql`t.${sqlName(name)}::text`))}] as key`)
    for (const row of deleted) gone.add(nameOf(row))
  }
  return gone
}
