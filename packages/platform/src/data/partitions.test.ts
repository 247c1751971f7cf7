import { openTestDatabase, type TestDatabase, until } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makePartitions } from './partitions.ts'
import { sql } from './sql.ts'

describe('a table that is cut by month', () => {
  let test: TestDatabase
  beforeAll(async () => {
    test = await openTestDatabase()
    await test.admin.query(`
      set role seaworthy_owner;
      create schema months;
      grant usage on schema months to seaworthy_app;
      create table months.lines (
        id uuid not null default uuidv7(), account_id uuid not null references seaworthy.accounts on delete cascade,
        words text not null check (words <> ''), created_at timestamptz not null default now(), primary key (id, created_at)
      ) partition by range (created_at);
      create index lines_account on months.lines (account_id, created_at);
      call seaworthy.protect('months.lines', 'seaworthy_app', 'account_id', 'select, insert');
      call seaworthy.partition_by_month('months.lines', ahead => 2, keep => 12, since => now() - interval '2 months');
      reset role`)
  })
  afterAll(() => test.close())

  const partsOf = async (schema = 'months') =>
    (
      await test.admin.query(
        `select c.relname as name, c.relrowsecurity and c.relforcerowsecurity as forced,
           (select count(*)::int from pg_policy p where p.polrelid = c.oid) as policies,
           (select count(*)::int from pg_index i where i.indrelid = c.oid) as indexes,
           (select count(*)::int from pg_constraint k where k.conrelid = c.oid and k.contype in ('p', 'f', 'c')) as keys
         from pg_class c where c.relnamespace = to_regnamespace($1) and c.relkind = 'r' order by 1`,
        [schema],
      )
    ).rows
  const month = (ahead: number): string => {
    const at = new Date()
    return new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + ahead)).toISOString().slice(0, 7).replace('-', '_')
  }
  const tend = () => makePartitions(test.database)

  it('has its months from the oldest to those ahead, and a part for the rest, each protected and keyed like the whole', async () => {
    const parts = await partsOf()
    const months = [-2, -1, 0, 1, 2].map((ahead) => `lines_${month(ahead)}`)
    expect(parts.map(({ name }) => name)).toEqual([...months, 'lines_default'])
    for (const part of parts) expect(part).toMatchObject({ forced: true, policies: 3, indexes: 2, keys: 3 })
  })

  it("hides another account's rows in every part, and gives no role a way around the whole", async () => {
    const [a, b] = [await test.makeAccount(), await test.makeAccount()]
    const write = (account: typeof a) =>
      test.database.withCaller(a, (tx) =>
        tx.run(sql`insert into months.lines (account_id, words) values (${account.accountId}, 'mine')`),
      )
    await write(a)
    await expect(write(b)).rejects.toThrow(/row-level security/)
    const count = sql<{ n: number }>`select count(*)::int as n from months.lines`
    expect((await test.database.withCaller(a, (tx) => tx.one(count))).n).toBe(1)
    expect((await test.database.withCaller(b, (tx) => tx.one(count))).n).toBe(0)
    await test.admin.query(`grant select on months.lines_${month(0)} to seaworthy_app`)
    const part = {
      compile: () => ({ ...count.compile(), sql: `select count(*)::int as n from months.lines_${month(0)}` }),
    }
    expect((await test.database.withCaller(b, (tx) => tx.one(part as typeof count))).n).toBe(0)
  })

  it('makes the months that are missing, and moves what came before its month was there', async () => {
    const a = await test.makeAccount()
    await test.admin.query(`drop table months.lines_${month(1)}`)
    await test.admin.query(
      `insert into months.lines (account_id, words, created_at) values ($1, 'early', date_trunc('month', now() at time zone 'UTC') + interval '1 month 3 days')`,
      [a.accountId],
    )
    expect(await test.admin.query('select words from months.lines_default')).toMatchObject({
      rows: [{ words: 'early' }],
    })
    expect(await tend()).toEqual([{ table: 'months.lines', made: [`months.lines_${month(1)}`], archived: [] }])
    expect((await test.admin.query('select words from months.lines_default')).rows).toEqual([])
    expect((await test.admin.query(`select words from months.lines_${month(1)}`)).rows).toEqual([{ words: 'early' }])
    expect(await tend()).toEqual([])
  })

  it('takes a month beyond its retention out of the table and keeps it whole, where no role of ours reads it', async () => {
    const a = await test.makeAccount()
    await test.admin.query(
      `set role seaworthy_owner; select seaworthy.make_month('months.lines', date_trunc('month', now() at time zone 'UTC' - interval '13 months')::date); reset role`,
    )
    await test.admin.query(
      `insert into months.lines (account_id, words, created_at) values ($1, 'old', now() - interval '13 months')`,
      [a.accountId],
    )
    const name = `lines_${month(-13)}`
    expect(await tend()).toEqual([{ table: 'months.lines', made: [], archived: [`months_archive.${name}`] }])
    expect((await partsOf()).map((part) => part.name)).not.toContain(name)
    expect(await partsOf('months_archive')).toMatchObject([{ name, forced: true, policies: 3 }])
    expect((await test.admin.query(`select words from months_archive.${name}`)).rows).toEqual([{ words: 'old' }])
    const { rows } = await test.admin.query(
      `select has_schema_privilege('seaworthy_app', 'months_archive', 'usage') or has_schema_privilege('seaworthy_reader', 'months_archive', 'usage') as open`,
    )
    expect(rows[0].open).toBe(false)
  })

  it('gives up soon behind whoever holds the table, and lets the other tables have theirs', async () => {
    await test.admin.query(`
      set role seaworthy_owner;
      create table months.other (id int, created_at timestamptz not null) partition by range (created_at);
      call seaworthy.partition_by_month('months.other', ahead => 1);
      reset role;
      drop table months.other_${month(1)}, months.lines_${month(2)}`)
    await test.admin.query('begin; lock table months.lines in access exclusive mode')
    const failures: string[] = []
    const started = performance.now()
    const done = await makePartitions(test.database, (table) => failures.push(table))
    expect(performance.now() - started).toBeLessThan(60_000)
    await test.admin.query('rollback')
    expect([failures, done.map(({ table }) => table)]).toEqual([['months.lines'], ['months.other']])
    await until('the next time finds it free', async () => (await tend())[0]?.made.length === 1)
  })

  it('has no table that is not cut by the range of one time', async () => {
    const wrong = test.admin.query(`call seaworthy.partition_by_month('seaworthy.jobs')`)
    await expect(wrong).rejects.toThrow(/not partitioned by the range/)
    const foreign = test.database.withDuty('janitor', (tx) =>
      tx.run(sql`select seaworthy.make_partitions('seaworthy.jobs')`),
    )
    await expect(foreign).rejects.toThrow(/not cut by month/)
  })
})
