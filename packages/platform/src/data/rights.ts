import type { PgSingleClient } from './drivers/pg.ts'
import { type DatabaseRole, OWNER } from './roles.ts'

/** Whose rights, by their names on this server, and in which schemas. */
export interface RightsOf {
  readonly roles: Readonly<Record<DatabaseRole, string>>
  readonly schemas: readonly string[]
}

interface Rule {
  readonly says: string
  /** Gives `name`, one row for each place where the rule is broken. $1: schemas, $2: the app's role, $3: the reader's, $4: the worker's. */
  readonly query: string
}

/** Columns that say whose a row is. A table that has one is a tenant table. */
const tables = `
  select c.oid, c.oid::regclass::text as name, c.relrowsecurity and c.relforcerowsecurity as forced, c.relacl, c.relowner, c.relispartition,
    exists (select 1 from pg_attribute a where a.attrelid = c.oid and not a.attisdropped and a.attname in ('account_id', 'user_id')) as tenant
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and n.nspname = any ($1) and c.oid::regclass::text <> 'seaworthy.migrations'`

/** One side of a policy as the server prints it, with everything that opens a row named explicitly. */
const bound = String.raw`^\(?\(*(account_id|user_id) = \( SELECT seaworthy\.\1\(\) AS \1\)|^\(?\(* ?SELECT seaworthy\.on_duty\(''\w+''::text\) AS on_duty\)`

/** `table policy` whose rows need no owner, and why. */
const free: Readonly<Record<string, string>> = {
  'seaworthy.audit append': 'lines without account, and lines that duties write; a caller names no other account',
}
/** `table column` that names an owner and changes all the same. */
const changing: Readonly<Record<string, string>> = {
  'seaworthy.sessions account_id': 'a sign-in goes on in another account of its person',
}
const listOf = (declared: Readonly<Record<string, string>>): string =>
  `(${Object.keys(declared)
    .map((name) => `'${name}'`)
    .join()})`

const rules: readonly Rule[] = [
  {
    says: 'row-level security is not forced',
    query: `select name from (${tables}) t where not forced`,
  },
  {
    says: 'nothing limits the app to the rows of one account or to a duty',
    query: `select name from (${tables}) t where tenant and has_table_privilege($2, oid, 'select')
      and not exists (select 1 from pg_policy p where p.polrelid = t.oid and p.polcmd in ('r', '*')
        and (p.polroles = '{0}' or (select oid from pg_roles where rolname = $2) = any (p.polroles)))`,
  },
  {
    says: 'the policy opens rows of others',
    query: `select name || ' ' || polname as name from (${tables}) t join pg_policy p on p.polrelid = t.oid
      cross join lateral (values (pg_get_expr(polqual, polrelid)), (pg_get_expr(polwithcheck, polrelid))) as sides (side)
      where tenant and polpermissive and side is not null
        and (polroles = '{0}' or polroles && array (select oid from pg_roles where rolname in ($2, $3)))
        and (side !~ '${bound}' or side ~ ' OR ') and name || ' ' || polname not in ${listOf(free)}`,
  },
  {
    says: 'the app may change whole rows: grant update by column',
    query: `select name from (${tables}) t, aclexplode(relacl) a
      where tenant and a.privilege_type = 'UPDATE' and a.grantee = (select oid from pg_roles where rolname = $2)`,
  },
  {
    says: 'the app may change what never changes',
    query: `select name || ' ' || attname as name from (${tables}) t join pg_attribute c on c.attrelid = t.oid, aclexplode(c.attacl) a
      where tenant and a.privilege_type = 'UPDATE' and a.grantee = (select oid from pg_roles where rolname = $2)
        and attname in ('id', 'account_id', 'user_id', 'created_at') and name || ' ' || attname not in ${listOf(changing)}`,
  },
  {
    says: 'a role has a right that it must not have',
    query: `select name || ' ' || case grantee when 0 then 'public' else grantee::regrole::text end || ' ' || privilege_type as name
      from (${tables}) t, lateral (select * from aclexplode(relacl) union all
        select x.* from pg_attribute c, aclexplode(c.attacl) x where c.attrelid = t.oid) a
      where grantee = 0 or is_grantable and grantee <> relowner
        or grantee in (select oid from pg_roles where rolname in ($2, $4)) and privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN')
          and not (name = 'seaworthy.accounts' and privilege_type = 'REFERENCES')
        or grantee = (select oid from pg_roles where rolname = $3) and privilege_type <> 'SELECT'`,
  },
  {
    says: 'a role is stronger than it must be',
    query: `select rolname as name from pg_roles r where rolname in ($2, $3, $4)
      and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication
        or pg_has_role(oid, '${OWNER}', 'member') and rolname <> '${OWNER}'
        or exists (select 1 from (${tables}) t where t.relowner = r.oid))`,
  },
  {
    says: 'a function with the rights of its owner is open to everybody, or finds what it calls by a path that others set',
    query: `select p.oid::regprocedure::text as name from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname = any ($1) and prosecdef and prorettype <> 'trigger'::regtype
        and (has_function_privilege('public', p.oid, 'execute') or not exists (select 1 from unnest(proconfig) c where c like 'search_path=%'))`,
  },
]

/** What the database lets the app do beyond what it must: one line for each, none when all is well. */
export async function findWeakRights(client: PgSingleClient, { roles, schemas }: RightsOf): Promise<readonly string[]> {
  const found: string[] = []
  for (const { says, query } of rules) {
    const parameters = [schemas, roles.app, roles.reader, roles.worker].slice(0, highestParameter(query))
    const { rows } = await client.query<{ name: string }>(query, parameters)
    found.push(...new Set(rows.map(({ name }) => `${name}: ${says}`)))
  }
  return found
}

const highestParameter = (query: string): number =>
  Math.max(...[...query.matchAll(/\$(\d)/g)].map(([, number]) => Number(number)))
