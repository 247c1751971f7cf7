import { createHash } from 'node:crypto'
import type { DatabaseClient } from './database.ts'

/** Every table, column, constraint, index, policy, function, trigger and right, as the server's catalogues have them. */
const parts = [
  `select c.oid::regclass::text, c.relkind, c.relacl::text, c.relrowsecurity, c.relforcerowsecurity from pg_class c where relnamespace in (select oid from own)`,
  `select a.attrelid::regclass::text, a.attname, a.atttypid::regtype::text, a.attnotnull, pg_get_expr(d.adbin, d.adrelid)
   from pg_attribute a join pg_class c on c.oid = a.attrelid left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where c.relnamespace in (select oid from own) and a.attnum > 0 and not a.attisdropped`,
  `select conname, conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint where connamespace in (select oid from own)`,
  `select indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index join pg_class c on c.oid = indexrelid where c.relnamespace in (select oid from own)`,
  `select polname, polrelid::regclass::text, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid) from pg_policy`,
  `select oid::regprocedure::text, prosrc, proacl::text from pg_proc where pronamespace in (select oid from own)`,
  `select tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal`,
  `select nspname, nspacl::text from own`,
]

/** One hash of all that a migration can change in this database. */
export async function schemaHash(client: DatabaseClient): Promise<string> {
  const hash = createHash('sha256')
  for (const part of parts) {
    const { rows } = await client.query(
      `with own as (select * from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema') ${part}`,
    )
    hash.update(
      rows
        .map((row) => JSON.stringify(row))
        .sort()
        .join('\n'),
    )
  }
  return hash.digest('hex')
}
