import type { DatabaseRole } from '../data/index.ts'
import type { Session } from './session.ts'
import { carriedSchemas } from './tables.ts'

/** The names of the roles on one server. */
export type RoleNames = Readonly<Record<DatabaseRole | 'admin', string>>

/**
 * Everything about a database but its rows, one line for each: tables, columns, owners, row-level security and its policies,
 * rights, keys, triggers, functions. In words that every version of the server writes alike.
 */
export async function readShape(session: Session, roles: RoleNames): Promise<readonly string[]> {
  const { rows } = await session.query<{ line: string }>(`
    with tables as (select c.*, n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and ${carriedSchemas}),
      rights as (select oid::regclass::text as name, '' as part, relacl as acl, relowner as owner from tables
        union all select t.oid::regclass::text, '.' || attname, attacl, t.relowner from tables t join pg_attribute a on a.attrelid = t.oid where attacl is not null
        union all select p.oid::regprocedure::text, '()', coalesce(proacl, acldefault('f', proowner)), proowner from pg_proc p join pg_namespace n on n.oid = p.pronamespace where ${carriedSchemas}
        union all select 'schema ' || nspname, '', nspacl, nspowner from pg_namespace n where ${carriedSchemas} and nspname <> 'public')
    select 'table ' || oid::regclass || ' of ' || relowner::regrole || case when relrowsecurity then ', rows secured' else '' end || case when relforcerowsecurity then ' for all' else '' end
        || case relpersistence when 'u' then ', unlogged' else '' end as line from tables
    union all select 'column ' || t.oid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod) || case when attnotnull then ' not null' else '' end || ' ' || attidentity::text || attgenerated::text
      from tables t join pg_attribute a on a.attrelid = t.oid where attnum > 0 and not attisdropped
    union all select 'policy ' || polrelid::regclass || ' ' || polname || ' ' || polcmd::text || polpermissive::text || ' ' || coalesce(pg_get_expr(polqual, polrelid), '') || ' / ' || coalesce(pg_get_expr(polwithcheck, polrelid), '')
        || ' ' || (select string_agg(case role when 0 then 'public' else role::regrole::text end, ',' order by role::regrole::text) from unnest(polroles) role)
      from pg_policy p join tables t on t.oid = polrelid
    union all select 'right ' || name || part || ' ' || case grantee when 0 then 'public' else grantee::regrole::text end || ' ' || privilege_type
      from rights, aclexplode(acl) where grantee <> owner
    union all select 'key ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(k.oid)
      from pg_constraint k join tables t on t.oid = conrelid where contype in ('p', 'u', 'f', 'x') and conparentid = 0
    union all select 'trigger ' || tgrelid::regclass || ' ' || tgname || ' ' || tgenabled::text from pg_trigger g join tables t on t.oid = tgrelid where not tgisinternal
    union all select 'index ' || indexrelid::regclass from pg_index i join tables t on t.oid = indrelid where indisvalid
    union all select 'function ' || p.oid::regprocedure || ' of ' || proowner::regrole || ' ' || prosecdef::text || ' ' || md5(coalesce(prosrc, '')) from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where ${carriedSchemas} and not exists (select 1 from pg_depend d where d.objid = p.oid and d.deptype = 'e')`)
  return rows.map(({ line }) => withoutNames(line, roles))
}

/** Roles have other names on a server where another installation has taken ours. */
function withoutNames(line: string, roles: RoleNames): string {
  let text = line
  // The longest first: one may be the beginning of another.
  for (const [role, name] of Object.entries(roles).sort(([, a], [, b]) => b.length - a.length))
    text = text.replaceAll(new RegExp(`(?<![\\w])"?${name}"?(?![\\w])`, 'g'), `<${role}>`)
  return text
}

interface ShapeDifference {
  readonly missing: readonly string[]
  readonly added: readonly string[]
}

/** Undefined when they are the same. */
export function compareShapes(from: readonly string[], to: readonly string[]): ShapeDifference | undefined {
  const [known, there] = [new Set(from), new Set(to)]
  const missing = [...known].filter((line) => !there.has(line)).sort()
  const added = [...there].filter((line) => !known.has(line)).sort()
  return missing.length || added.length ? { missing, added } : undefined
}
