import { openTestDatabase, type TestDatabase } from '@seaworthy/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createMemoryLogger, createMetrics } from '../telemetry/index.ts'
import { careSchedules } from './database-care.ts'

let test: TestDatabase
beforeAll(async () => {
  test = await openTestDatabase()
})
afterAll(() => test.close())

it('tells, as metrics and as warnings with what to do, what nobody has looked after', async () => {
  await test.admin.query(`
    set role seaworthy_owner;
    create schema care;
    create table care.lines (id int, created_at timestamptz not null) partition by range (created_at);
    call seaworthy.partition_by_month('care.lines', ahead => 1);
    create table care.churned (id int) with (autovacuum_enabled = off);
    insert into care.churned select generate_series(1, 20000);
    create index broken on care.churned (id);
    reset role;
    update pg_index set indisvalid = false where indexrelid = 'care.broken'::regclass;
    delete from care.churned where id > 100;
    insert into care.lines values (1, '2001-01-01');
    select pg_stat_force_next_flush()`)
  const [log, metrics] = [createMemoryLogger(), createMetrics()]
  const schedules = careSchedules({ database: test.database, log, metrics })
  await schedules.find(({ name }) => name === 'platform.examine-database')?.run()
  const text = await metrics.text()
  expect(text).toMatch(/^database_invalid_indexes 1$/m)
  expect(text).toMatch(/^database_bloated_tables 1$/m)
  expect(text).toMatch(/^database_rows_without_month 1$/m)
  expect(text).toMatch(/^database_xid_age [1-9]\d*$/m)
  const lines = log.lines.join('\n')
  expect(lines).toMatch(/"indexes":\["care.broken"\].*drop index concurrently/)
  expect(lines).toMatch(/"tables":\["care.churned"\].*then vacuum/)
  expect(lines).toMatch(/"rows":1.*make-partitions moves them/)
})

it('makes months ahead by the clock, and says which', async () => {
  const log = createMemoryLogger()
  await test.admin.query(`
    set role seaworthy_owner;
    create schema ahead;
    create table ahead.lines (id int, created_at timestamptz not null) partition by range (created_at);
    call seaworthy.partition_by_month('ahead.lines', ahead => 1);
    update seaworthy.partitioned_tables set ahead = 2 where name = 'ahead.lines';
    reset role`)
  const schedules = careSchedules({ database: test.database, log, metrics: createMetrics() })
  await schedules.find(({ name }) => name === 'platform.make-partitions')?.run()
  expect(log.lines.join('\n')).toMatch(/"table":"ahead.lines","made":\["ahead.lines_\d{4}_\d\d"\]/)
})
