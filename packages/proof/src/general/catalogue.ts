import type { DatabaseClient } from '../rig/database.ts'

/** Tables and columns that are the app's own. */
const own = `n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'graphile_worker')`
const columns = `pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
  where ${own} and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped`
const columnName = `c.oid::regclass || '.' || a.attname as about, format_type(a.atttypid, a.atttypmod) as row`

/** Each gives rows of `about` and `row`: nothing when the mistake is not made. */
export const schemaMistakes = {
  tables: `select count(*)::int as count from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${own} and c.relkind in ('r', 'p')`,
  'a time has no zone': `select ${columnName} from ${columns} and a.atttypid = 'timestamp'::regtype`,
  'a status may be anything': `select ${columnName} from ${columns} and a.attname ~ '^(status|state)$'
    and a.atttypid in ('text'::regtype, 'varchar'::regtype)
    and not exists (select 1 from pg_constraint k where k.conrelid = c.oid and k.contype in ('c', 'f') and a.attnum = any (k.conkey))`,
  'an index repeats the beginning of another': `select i.indexrelid::regclass::text as about, 'like ' || o.indexrelid::regclass as row
    from pg_index i join pg_index o on o.indrelid = i.indrelid and o.indexrelid <> i.indexrelid
    join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
    where ${own} and not i.indisunique and i.indpred is null and o.indpred is null and i.indexprs is null and o.indexprs is null
    and (o.indkey::text || ' ') like (i.indkey::text || ' %') and (i.indkey::text <> o.indkey::text or o.indisunique or i.indexrelid > o.indexrelid)
    and (select relam from pg_class where oid = i.indexrelid) = (select relam from pg_class where oid = o.indexrelid)`,
  'a foreign key has no index': `select k.conrelid::regclass || '.' || k.conname as about, pg_get_constraintdef(k.oid) as row
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    where ${own} and k.contype = 'f' and k.conparentid = 0 and not exists (select 1 from pg_index i where i.indrelid = k.conrelid
      and (select array_agg(i.indkey[p] order by i.indkey[p]) from generate_series(0, cardinality(k.conkey) - 1) p)
        = (select array_agg(x order by x) from unnest(k.conkey) x))`,
  'money is a floating number': `select ${columnName} from ${columns} and a.attname ~ '(price|amount|balance|cost|total|credit|fee)'
    and a.atttypid in ('float4'::regtype, 'float8'::regtype)`,
  'billing rows vanish with the person': `select k.conrelid::regclass::text as about, pg_get_constraintdef(k.oid) as row
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    where ${own} and k.contype = 'f' and k.confdeltype = 'c' and k.confrelid::regclass::text ~ '(user|account|person|customer|member)'
    and c.relname ~ '(usage|subscription|payment|invoice|ledger|charge|billing|order|credit)'`,
  'a plan stands in two tables': `select a.attname::text as about, string_agg(c.oid::regclass::text, ', ' order by c.relname) as row
    from ${columns} and a.attgenerated = '' and a.attname in ('plan', 'subscription_status', 'tier') group by a.attname having count(*) > 1`,
  'a policy calls a function for every row': `select p.polrelid::regclass || '.' || p.polname as about,
    concat_ws(' ', pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) as row
    from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace where ${own}`,
  'partitions end soon': `select t.partrelid::regclass::text as about, coalesce(max(pg_get_expr(c.relpartbound, c.oid)), 'no partition') as row
    from pg_partitioned_table t left join pg_inherits i on i.inhparent = t.partrelid left join pg_class c on c.oid = i.inhrelid
    where t.partstrat = 'r' and t.partdefid = 0 group by t.partrelid
    having coalesce(max(substring(pg_get_expr(c.relpartbound, c.oid) from 'TO \\(''(\\d{4}-\\d\\d-\\d\\d)')), '') < (now() + interval '30 days')::date::text`,
} as const

/** Whether a policy asks who is calling outside of a `(select …)`, so once for every row. */
export function callsForEveryRow(rule: string): boolean {
  let rest = rule
  for (let at = rest.indexOf('( SELECT '); at >= 0; at = rest.indexOf('( SELECT ')) {
    let [end, depth] = [at + 1, 1]
    for (; depth > 0 && end < rest.length; end++) depth += rest[end] === '(' ? 1 : rest[end] === ')' ? -1 : 0
    rest = rest.slice(0, at) + rest.slice(end)
  }
  return /(current_setting|uid|user_id|jwt) *\(/.test(rest)
}

/** Each takes the name of the app's role. */
export const rightsMistakes = {
  "the app's role stands above row-level security": `select rolname::text as about, concat_ws(', ', case when rolsuper then 'superuser' end,
      case when rolbypassrls then 'bypasses row-level security' end, case when owned > 0 then 'owns ' || owned || ' tables' end) as row
    from pg_roles r, lateral (select count(*) as owned from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where ${own} and c.relkind in ('r', 'p') and c.relowner = r.oid) o
    where rolname = $1 and (rolsuper or rolbypassrls or owned > 0)`,
  'row-level security does not bind the owner': `select c.oid::regclass::text as about, 'not forced' as row
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where ${own} and c.relkind in ('r', 'p') and c.relrowsecurity and not c.relforcerowsecurity and $1::text is not null`,
  'a table of people has no row-level security': `select c.oid::regclass::text as about, 'has ' || a.attname as row
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
    where ${own} and c.relkind in ('r', 'p') and a.attname in ('account_id', 'tenant_id', 'owner_id') and not c.relrowsecurity
    and exists (select 1 from pg_class f join pg_namespace n on n.oid = f.relnamespace where ${own} and f.relrowsecurity) and $1::text is not null`,
  "the audit can be rewritten by the app's role": `select distinct c.oid::regclass::text as about, string_agg(g.privilege_type, ', ') as row
    from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) g
    where ${own} and c.relkind in ('r', 'p') and c.relname ~ 'audit' and g.privilege_type in ('UPDATE', 'DELETE', 'TRUNCATE')
    and (g.grantee = 0 or g.grantee = (select oid from pg_roles where rolname = $1)) group by c.oid`,
  "the app's role may change the schema": `select n.nspname::text as about, g.privilege_type as row
    from pg_namespace n, aclexplode(n.nspacl) g
    where ${own} and g.privilege_type = 'CREATE' and (g.grantee = 0 or g.grantee = (select oid from pg_roles where rolname = $1))`,
} as const

/** Where in the database a text lies, also inside of JSON and bytes. */
export async function placesOf(client: DatabaseClient, text: string): Promise<{ place: string; value: string }[]> {
  const { rows: tables } = await client.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${own} and c.relkind = 'r'`,
  )
  const hex = Buffer.from(text).toString('hex')
  const found: { place: string; value: string }[] = []
  for (const { name } of tables) {
    const { rows } = await client.query<{ key: string; value: string }>(
      `select distinct on (e.key) e.key, left(e.value, 120) as value from ${name} t, jsonb_each_text(to_jsonb(t)) e
       where e.value like $1 or e.value like $2`,
      [`%${text}%`, `%${hex}%`],
    )
    found.push(...rows.map(({ key, value }) => ({ place: `${name}.${key}`, value })))
  }
  return found
}
