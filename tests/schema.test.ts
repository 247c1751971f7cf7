import { cosnap } from '@seaworthy/cosnap/app'
import { exportedTables, notExported } from '@seaworthy/platform/privacy'
import { openTestDatabase, type TestDatabase } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const apps = [cosnap]
/** Holds no rows of anybody, and is written by the owner only. */
const withoutTenants = ['seaworthy.migrations']

describe('schema', () => {
  let test: TestDatabase
  beforeAll(async () => {
    test = await openTestDatabase()
  })
  afterAll(() => test.close())

  it('forces row-level security on every table of every app, with at least one policy', async () => {
    const { rows } = await test.admin.query(
      `select c.oid::regclass::text as name, c.relrowsecurity and c.relforcerowsecurity as forced, (select count(*)::int from pg_policy p where p.polrelid = c.oid) as policies
       from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and n.nspname = any($1)`,
      [['seaworthy', ...apps.map((app) => app.name)]],
    )
    expect(rows.length).toBeGreaterThan(10)
    const open = rows.filter((row) => !withoutTenants.includes(row.name) && !(row.forced && row.policies > 0))
    expect(open.map((row) => row.name)).toEqual([])
  })

  it('gives the app, worker and reader roles no power over row-level security and no tables of the platform or apps', async () => {
    const { rows: roles } = await test.admin.query(
      `select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles where rolname in ('seaworthy_app', 'seaworthy_worker', 'seaworthy_reader')`,
    )
    expect(roles).toHaveLength(3)
    for (const role of roles)
      expect(role).toMatchObject({ rolsuper: false, rolbypassrls: false, rolcreaterole: false, rolcreatedb: false })
    const { rows: owned } = await test.admin.query(
      `select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_roles r on r.oid = c.relowner
       where n.nspname = any($1) and r.rolname <> 'seaworthy_owner' and c.relkind in ('r', 'p', 'v')`,
      [['seaworthy', ...apps.map((app) => app.name)]],
    )
    expect(owned).toEqual([])
  })

  it.each(apps.flatMap((app) => app.tables))('has the columns that $name declares, with their types', async (table) => {
    const { rows } = await test.admin.query(
      `select a.attname as name, t.typname as type, not a.attnotnull as nullable from pg_attribute a join pg_type t on t.oid = a.atttypid
       where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped`,
      [table.name],
    )
    const declared = Object.entries(table.columns).map(([name, { sqlType, nullable }]) => ({
      name,
      type: sqlType,
      nullable,
    }))
    const byName = (a: { name: string }, b: { name: string }): number => a.name.localeCompare(b.name)
    expect(rows.sort(byName)).toEqual(declared.sort(byName))
  })

  it('exports every table with people in it, or says why not', async () => {
    const { rows } = await test.admin.query(
      `select distinct c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       join pg_attribute a on a.attrelid = c.oid and a.attname in ('account_id', 'user_id') and not a.attisdropped
       where c.relkind in ('r', 'p') and not c.relispartition and n.nspname = any($1)`,
      [['seaworthy', ...apps.map((app) => app.name)]],
    )
    const declared = apps.flatMap((app) => app.tables.map((table) => table.name))
    const known = new Set<string>([...exportedTables, ...Object.keys(notExported), ...declared])
    expect(rows.map((row) => row.name).filter((name) => !known.has(name))).toEqual([])
  })

  it('lets the erasure of a person reach every table with an account in it', async () => {
    const { rows } = await test.admin.query(
      `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       join pg_attribute a on a.attrelid = c.oid and a.attname = 'account_id' and not a.attisdropped
       where c.relkind in ('r', 'p') and not c.relispartition and n.nspname = any($1)
         and not exists (select 1 from pg_policy p where p.polrelid = c.oid and p.polcmd in ('*', 'd')
           and 'seaworthy_owner'::regrole::oid = any (p.polroles))`,
      [['seaworthy', ...apps.map((app) => app.name)]],
    )
    expect(rows.map((row) => row.name)).toEqual([])
  })

  it('has an index for every foreign key', async () => {
    const { rows } = await test.admin.query(
      `select c.conrelid::regclass::text || '.' || c.conname as name from pg_constraint c join pg_namespace n on n.oid = c.connamespace
       where c.contype = 'f' and n.nspname = any($1) and not exists (
         select 1 from pg_index i where i.indrelid = c.conrelid and (i.indkey::smallint[])[0:cardinality(c.conkey) - 1] @> c.conkey)`,
      [['seaworthy', ...apps.map((app) => app.name)]],
    )
    expect(rows.map((row) => row.name)).toEqual([])
  })
})
