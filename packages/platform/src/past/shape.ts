import { sql, type Transaction } from '../data/index.ts'

export interface ColumnShape {
  readonly name: string
  /** As the catalogue prints it. */
  readonly type: string
  readonly isNullable: boolean
  readonly hasDefault: boolean
  readonly isGenerated: boolean
  /** By the role that asks. */
  readonly isUpdatable: boolean
}

/** A foreign key: these columns name a row of another table. */
interface Parent {
  readonly table: string
  readonly columns: readonly string[]
  readonly parentColumns: readonly string[]
  /** When the parent goes, the columns become empty. */
  readonly setsNull: boolean
}

/** A foreign key of another table that names rows of this one. */
interface Child {
  readonly table: string
  readonly columns: readonly string[]
  readonly parentColumns: readonly string[]
}

/** A table as it is on one server. */
export interface Shape {
  readonly table: string
  readonly columns: readonly ColumnShape[]
  /** The primary key, in its order. */
  readonly key: readonly string[]
  readonly parents: readonly Parent[]
  readonly children: readonly Child[]
}

/** Undefined when there is no such table. */
export async function readShape(tx: Transaction, table: string): Promise<Shape | undefined> {
  const { found } = await tx.one(sql<{ found: boolean }>`select to_regclass(${table}) is not null as found`)
  if (!found) return undefined
  const columns = await tx.many(sql<ColumnShape>`
    select attname as name, format_type(atttypid, atttypmod) as type, not attnotnull as "isNullable", attgenerated <> '' as "isGenerated",
      atthasdef or attidentity <> '' as "hasDefault", has_column_privilege(attrelid, attnum, 'update') as "isUpdatable"
    from pg_attribute where attrelid = ${table}::regclass and attnum > 0 and not attisdropped order by attnum`)
  const keys = await tx.many(sql<{ name: string }>`
    select a.attname as name from pg_index i cross join unnest(i.indkey::smallint[]) with ordinality as k(num, place)
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num
    where i.indrelid = ${table}::regclass and i.indisprimary order by k.place`)
  if (keys.length === 0) throw new Error(`${table} has no primary key, so its rows cannot be told from each other.`)
  const parents = await tx.many(sql<Parent>`
    select confrelid::regclass::text as table, ${namesOf('conrelid', 'conkey')} as columns,
      ${namesOf('confrelid', 'confkey')} as "parentColumns", confdeltype = 'n' as "setsNull"
    from pg_constraint where contype = 'f' and conparentid = 0 and conrelid = ${table}::regclass order by conname`)
  const children = await tx.many(sql<Child>`
    select conrelid::regclass::text as table, ${namesOf('conrelid', 'conkey')} as columns,
      ${namesOf('confrelid', 'confkey')} as "parentColumns"
    from pg_constraint where contype = 'f' and conparentid = 0 and confrelid = ${table}::regclass order by conname`)
  return { table, columns, key: keys.map(({ name }) => name), parents, children }
}

const own = {
  conrelid: sql`conrelid`,
  confrelid: sql`confrelid`,
  conkey: sql`conkey`,
  confkey: sql`confkey`,
}

/** The names of the columns of a constraint, in its order. */
const namesOf = (relation: 'conrelid' | 'confrelid', key: 'conkey' | 'confkey') => sql`array(
  select a.attname::text from unnest(${own[key]}) with ordinality as k(num, place)
  join pg_attribute a on a.attrelid = ${own[relation]} and a.attnum = k.num order by k.place)`

/** What both have under the same name: of these columns a past row can be brought back. */
export const commonColumns = (then: Shape, now: Shape): readonly ColumnShape[] =>
  now.columns.filter(({ name, isGenerated }) => !isGenerated && then.columns.some((column) => column.name === name))

/** Why rows of then cannot stand in the table of now; undefined when they can. */
export function refusalOf(then: Shape, now: Shape): string | undefined {
  const needed = now.columns.find(
    ({ name, isNullable, hasDefault, isGenerated }) =>
      !isNullable && !hasDefault && !isGenerated && !then.columns.some((column) => column.name === name),
  )
  if (needed) return `the column ${needed.name} came later, and must have a value`
  return then.key.join() === now.key.join() ? undefined : 'its primary key is another one now'
}
