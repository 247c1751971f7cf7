import { ARRIVING, MOVED } from '../data/index.ts'
import type { Session } from './session.ts'

/** A table that is carried over; one cut into months is one table. */
export interface Table {
  /** With its schema, quoted where it must be. */
  readonly name: string
  /** The same without quotes. */
  readonly path: string
  readonly columns: readonly string[]
  readonly hasKey: boolean
  /** Its changes are told by all values of a row. */
  readonly isWhole: boolean
  /** Its changes are told to nobody: it is copied while nobody writes. */
  readonly isUnlogged: boolean
  readonly bytes: number
}

/** Of schemas that are not the server's own and not ours alone. */
export const carriedSchemas = `n.nspname !~ '^pg_' and n.nspname not in ('information_schema', '${MOVED}', '${ARRIVING}')`

export async function readTables(session: Session): Promise<readonly Table[]> {
  const { rows } = await session.query<Table>(`
    select c.oid::regclass::text as name, n.nspname || '.' || c.relname as path,
      array(select quote_ident(attname) from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped and attgenerated = '' order by attname) as columns,
      exists (select 1 from pg_index where indrelid = c.oid and indisprimary) as "hasKey",
      c.relreplident = 'f' as "isWhole", c.relpersistence = 'u' as "isUnlogged",
      (select coalesce(sum(pg_table_size(part)), 0)::bigint from (select c.oid as part union select relid::oid from pg_partition_tree(c.oid)) parts) as bytes
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and not c.relispartition and ${carriedSchemas} order by 1`)
  return rows
}

/** What cannot be carried, each in words; none when all is well. */
export async function findUncarried(session: Session): Promise<readonly string[]> {
  const { rows } = await session.query<{ problem: string }>(`
    select 'large objects (' || count(*) || '), which no change tells about' as problem from pg_largeobject_metadata having count(*) > 0
    union all select 'a prepared transaction: ' || gid from pg_prepared_xacts where database = current_database()
    union all select 'the ' || case c.relkind when 'm' then 'materialized view' else 'foreign table' end || ' ' || c.oid::regclass
      from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('m', 'f') and ${carriedSchemas}
    union all select 'rows that are hidden from this user in ' || c.oid::regclass
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and ${carriedSchemas} and row_security_active(c.oid) and not exists (
        select 1 from pg_policy p where p.polrelid = c.oid and p.polcmd = '*' and p.polpermissive and pg_get_expr(p.polqual, c.oid) = 'true'
          and exists (select 1 from unnest(p.polroles) role where role = 0 or pg_has_role(role, 'usage')))`)
  return rows.map(({ problem }) => problem)
}

/** Months that one has and the other not, made there as the product makes them. */
export async function bringMonths(from: Session, to: Session): Promise<void> {
  const { rows } = await from.query<{ table: string; day: string }>(`
    select i.inhparent::regclass::text as table, substring(pg_get_expr(c.relpartbound, c.oid) from 'FROM \\(''([0-9-]+)') as day
    from pg_inherits i join pg_class c on c.oid = i.inhrelid join seaworthy.partitioned_tables t on t.name::regclass = i.inhparent
    where pg_get_expr(c.relpartbound, c.oid) like 'FOR VALUES FROM%'`)
  for (const { table, day } of rows)
    await to.query('select seaworthy.make_month($1::text::regclass, $2::text::date)', [table, day])
}

/** Where each sequence stands. */
export async function bringSequences(from: Session, to: Session): Promise<number> {
  const { rows } = await from.query<{ name: string; value: string; called: boolean }>(`
    select format('%I.%I', schemaname, sequencename) as name, coalesce(last_value, start_value)::text as value, last_value is not null as called
    from pg_sequences n where ${carriedSchemas.replaceAll('n.nspname', 'n.schemaname')}`)
  for (const { name, value, called } of rows)
    await to.query('select setval($1::text::regclass, $2::text::bigint, $3)', [name, value, called])
  return rows.length
}
