import { defineClaim, exactly } from '../../claim.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { jpegPhoto, startRun, uploadPhoto } from '../../rig/photo.ts'
import { wrongSql } from '../../sabotage.ts'

/** Every table with rows of accounts: the catalogue of the server says which, not we. */
const tenantTables = `
  select c.oid::regclass::text as name, a.attname as account
  from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
  where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema', 'graphile_worker') and a.attname = 'account_id'`

interface TenantTable {
  readonly name: string
  readonly account: string
}

export const claim = defineClaim({
  id: 'TEN-03',
  says: "As the app's database role, and with none of our code, nobody reads or writes a row of another account",
  answers: ['D3', 'D5', 'ASVS 8.4.1'],
  witness: 'PostgreSQL, asked directly',
  tier: 'fast',
  seconds: 4,
  limits: {
    'foreign rows read': exactly(0, 'rows'),
    'foreign rows written': exactly(0, 'rows'),
    'rows seen without a caller': exactly(0, 'rows'),
    'tables without forced row-level security': exactly(0, 'tables'),
    'powers that the role must not have': exactly(0, 'powers'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const [owner, stranger] = [await stack.newcomer(), await stack.newcomer()]
    await startRun(owner, await uploadPhoto(owner, await jpegPhoto()))
    const [admin, app] = [await stack.database('admin'), await stack.database('app')]
    const { rows: tables } = await admin.query<TenantTable>(tenantTables)
    const owned = await countAll(admin, tables, owner.accountId)
    await app.query(`set app.account_id = '${stranger.accountId}'; set app.user_id = '${stranger.userId}'`)
    const read = await countAll(app, tables, owner.accountId)
    const written = await tryToWrite(app, tables, owner.accountId)
    await app.query(`reset app.account_id; reset app.user_id`)
    const blind = await countAll(app, tables)
    return {
      measured: {
        'foreign rows read': sum(read),
        'foreign rows written': sum(written),
        'rows seen without a caller': sum(blind),
        'tables without forced row-level security': await unforced(admin, tables),
        'powers that the role must not have': await powers(admin),
      },
      met: {
        'the other account has rows in five tables or more':
          [...owned.values()].filter((count) => count > 0).length >= 5,
      },
      evidence: [
        `${tables.length} tables`,
        ...[...read, ...written].filter(([, count]) => count > 0).map(([name, count]) => `${name}: ${count}`),
      ],
    }
  },
  sabotages: [
    wrongSql('one table loses its policy', 'alter table cosnap.photos disable row level security'),
    wrongSql('a policy lets everybody in', 'create policy careless on cosnap.runs to seaworthy_app using (true)'),
    wrongSql('the role may bypass row-level security', 'alter role seaworthy_app bypassrls'),
  ],
})

const sum = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((total, count) => total + count, 0)

async function countAll(
  client: DatabaseClient,
  tables: readonly TenantTable[],
  accountId?: string,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const { name, account } of tables) {
    const where = accountId ? ` where ${account} = '${accountId}'` : ''
    counts.set(name, await rowsOf(client, `select * from ${name}${where}`))
  }
  return counts
}

/** Changes, removes and forges rows of another account in every table; what went through is counted and undone. */
async function tryToWrite(
  client: DatabaseClient,
  tables: readonly TenantTable[],
  accountId: string,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const { name, account } of tables) {
    const own = `${account} = '${accountId}'`
    let written = 0
    for (const statement of [
      `update ${name} set ${account} = ${account} where ${own}`,
      `delete from ${name} where ${own}`,
      `insert into ${name} select * from ${name} where ${own}`,
    ])
      written += await rowsOf(client, statement)
    counts.set(name, written)
  }
  return counts
}

/** How many rows a statement reads or writes; 0 when it is refused. */
async function rowsOf(client: DatabaseClient, statement: string): Promise<number> {
  await client.query('begin')
  try {
    return (await client.query(statement)).rowCount ?? 0
  } catch {
    return 0
  } finally {
    await client.query('rollback')
  }
}

async function unforced(admin: DatabaseClient, tables: readonly TenantTable[]): Promise<number> {
  const { rows } = await admin.query<{ count: number }>(
    'select count(*)::int as count from pg_class where oid = any($1::regclass[]) and not (relrowsecurity and relforcerowsecurity)',
    [tables.map((table) => table.name)],
  )
  return rows[0]?.count ?? Number.NaN
}

async function powers(admin: DatabaseClient): Promise<number> {
  const { rows } = await admin.query<{ count: number }>(
    `select rolsuper::int + rolbypassrls::int + rolcreaterole::int + rolcreatedb::int + (select count(*)::int from pg_class where relowner = r.oid) as count from pg_roles r where rolname = 'seaworthy_app'`,
  )
  return rows[0]?.count ?? Number.NaN
}
