import { cosnap } from '@seaworthy/cosnap/app'
import { findWeakRights } from '@seaworthy/platform/data'
import { neverMerged } from '@seaworthy/platform/past'
import { exportedTables, notExported } from '@seaworthy/platform/privacy'
import { platformSealedColumns, sealedColumnsOf } from '@seaworthy/platform/vault'
import { openTestDatabase, type TestDatabase } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const apps = [cosnap]

describe('schema', () => {
  let test: TestDatabase
  beforeAll(async () => {
    test = await openTestDatabase()
  })
  afterAll(() => test.close())

  const weak = () =>
    findWeakRights(test.admin, {
      roles: { app: 'seaworthy_app', worker: 'seaworthy_worker', reader: 'seaworthy_reader' },
      schemas: ['seaworthy', ...apps.map((app) => app.name)],
    })

  it('keeps every account to its own rows, and the roles to what they need', async () => {
    const { rows } = await test.admin.query(
      `select 1 from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and n.nspname = any($1)`,
      [['seaworthy', ...apps.map((app) => app.name)]],
    )
    expect(rows.length).toBeGreaterThan(10)
    expect(await weak()).toEqual([])
  })

  it.each([
    ['row-level security that is off', 'alter table cosnap.photos disable row level security'],
    ['row-level security that is not forced', 'alter table cosnap.photos no force row level security'],
    ['a table that nobody protected', 'create table cosnap.notes (id uuid, account_id uuid)'],
    ['a table without its policy', 'drop policy account on cosnap.runs; drop policy janitor on cosnap.runs'],
    ['a policy for everybody', 'create policy careless on cosnap.photos to seaworthy_app using (true)'],
    ['a policy for all roles', 'create policy careless on cosnap.photos for select using (id is not null)'],
    [
      'a policy with a way around',
      'create policy careless on cosnap.photos to seaworthy_app using (account_id = (select seaworthy.account_id()) or bytes > 0)',
    ],
    [
      'a policy that checks the wrong column',
      'create policy careless on cosnap.photos to seaworthy_app using (id = (select seaworthy.account_id()))',
    ],
    [
      'a policy that lets rows be given away',
      'create policy careless on cosnap.photos to seaworthy_app using (account_id = (select seaworthy.account_id())) with check (true)',
    ],
    ['a policy for readers', 'create policy careless on cosnap.photos to seaworthy_reader using (true)'],
    ['an update of whole rows', 'grant update on cosnap.photos to seaworthy_app'],
    ['an update of the owner', 'grant update (account_id) on cosnap.photos to seaworthy_app'],
    ['a right of everybody', 'grant select on cosnap.photos to public'],
    ['truncation', 'grant truncate on cosnap.photos to seaworthy_app'],
    ['a reader that writes', 'grant insert on cosnap.photos to seaworthy_reader'],
    ['a right to pass on', 'grant select on cosnap.photos to seaworthy_app with grant option'],
    ['a table of the app', 'alter table cosnap.photos owner to seaworthy_app'],
    ['a role that bypasses policies', 'alter role seaworthy_app bypassrls'],
    ['a role that may become the owner', 'grant seaworthy_owner to seaworthy_app'],
    ['an open function', 'grant execute on function seaworthy.ledger_grant(uuid, uuid, bigint, text) to public'],
    ['a function without a path', 'alter function seaworthy.ledger_hold(uuid, bigint, text) reset search_path'],
  ])('finds %s', async (_, mistake) => {
    await test.admin.query('begin')
    try {
      await test.admin.query(mistake)
      expect(await weak()).not.toEqual([])
    } finally {
      await test.admin.query('rollback')
    }
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

  it('tells the tools of every column that holds sealed values', async () => {
    const { rows } = await test.admin.query(
      `select c.conrelid::regclass::text || '.' || a.attname as name from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any(c.conkey)
       where c.contype = 'c' and pg_get_constraintdef(c.oid) like '%sw1.%'`,
    )
    const known = [...platformSealedColumns, ...sealedColumnsOf(apps.flatMap((app) => app.tables))]
    const names = known.map(({ table, column }) => `${table}.${column}`)
    expect(rows.length).toBeGreaterThan(0)
    expect(names).toEqual(expect.arrayContaining(rows.map((row) => row.name)))
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

  it('says of every table of the platform with people in it why nothing of it is put back as it was', async () => {
    const { rows } = await test.admin.query(
      `select distinct c.oid::regclass::text as name from pg_class c
       join pg_attribute a on a.attrelid = c.oid and a.attname in ('account_id', 'user_id') and not a.attisdropped
       where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'seaworthy'::regnamespace`,
    )
    expect(rows.map((row) => row.name).filter((name) => !(name in neverMerged))).toEqual([])
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
