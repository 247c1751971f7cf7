import type { DatabaseClient } from './database.ts'

const ours = `n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'proof') and n.nspname !~ '^pg_temp'`

/** How many rows of each table hold one of these texts anywhere: the catalogue says which tables there are, not we. */
export async function rowsWith(admin: DatabaseClient, texts: readonly string[]): Promise<Record<string, number>> {
  const { rows: tables } = await admin.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and ${ours}`,
  )
  const found: Record<string, number> = {}
  for (const { name } of tables) {
    const { rows } = await admin.query<{ count: number }>(
      `select count(*)::int as count from ${name} t where t::text ilike any ($1)`,
      [texts.map((text) => `%${text}%`)],
    )
    if (rows[0]?.count) found[name] = rows[0].count
  }
  return found
}

/** How many rows of each table belong to an account. */
export async function rowsOfAccount(admin: DatabaseClient, accountId: string): Promise<Record<string, number>> {
  const { rows: tables } = await admin.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     join pg_attribute a on a.attrelid = c.oid and a.attname = 'account_id' and not a.attisdropped
     where c.relkind in ('r', 'p') and not c.relispartition and ${ours}`,
  )
  const found: Record<string, number> = {}
  for (const { name } of tables) {
    const { rows } = await admin.query<{ count: number }>(
      `select count(*)::int as count from ${name} where account_id = $1`,
      [accountId],
    )
    if (rows[0]?.count) found[name] = rows[0].count
  }
  return found
}
