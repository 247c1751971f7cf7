import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openTestDatabase, type TestDatabase, until } from '@seaworthy/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest'
import { openClient, type PgSingleClient } from './drivers/pg.ts'
import { migrateToLatestOrThrow } from './migrate.ts'

describe('migrations', () => {
  let test: TestDatabase
  let directory: string
  beforeAll(async () => {
    test = await openTestDatabase()
  })
  afterAll(() => test.close())
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'migrations-'))
    return () => rmSync(directory, { recursive: true })
  })

  const file = (name: string, text: string): void => writeFileSync(join(directory, name), text)
  const admin = () => ({ user: 'seaworthy_admin', password: inject('seaworthy').adminPassword })
  const migrate = (app: string) =>
    migrateToLatestOrThrow(test.endpoint, admin(), test.config.secrets.databaseRoleSecret, [
      { app, directory: pathToFileURL(`${directory}/`) },
    ])
  const exists = async (table: string): Promise<boolean> =>
    (await test.admin.query('select to_regclass($1) as found', [table])).rows[0].found !== null

  const connect = async (): Promise<PgSingleClient> => {
    const client = await openClient(test.endpoint, admin(), 'test')
    onTestFinished(() => client.end())
    return client
  }
  const waitsFor = async (table: string): Promise<boolean> =>
    (await test.admin.query(`select 1 from pg_locks where relation = to_regclass($1) and not granted`, [table]))
      .rowCount === 1

  it('applies each file once, however many processes start together', async () => {
    file('0001-one.sql', 'create schema if not exists scratch; create table scratch.together (id int)')
    file('0002-two.sql', 'alter table scratch.together add column words text')
    const applied = await Promise.all(Array.from({ length: 5 }, () => migrate('together')))
    expect(applied.map((done) => done.length).sort()).toEqual([0, 0, 0, 0, 2])
    expect(await migrate('together')).toEqual([])
  })

  it('leaves nothing of a file that fails', async () => {
    file(
      '0001-half.sql',
      'create schema if not exists scratch; create table scratch.half (id int); select no_such_column from scratch.half',
    )
    await expect(migrate('half')).rejects.toThrow(/half\/0001-half.sql failed and was undone/)
    expect(await exists('scratch.half')).toBe(false)
  })

  it('refuses a file that was changed after it was applied, by name', async () => {
    file('0001-kept.sql', 'create schema if not exists scratch; create table scratch.kept (id int)')
    await migrate('kept')
    file('0001-kept.sql', 'create schema if not exists scratch; create table scratch.kept (id bigint)')
    await expect(migrate('kept')).rejects.toThrow(/kept\/0001-kept.sql was changed/)
  })

  it('starts an older release on the newer schema that was expanded before it was rolled back', async () => {
    file('0001-old.sql', 'create schema if not exists scratch; create table scratch.old (id int)')
    file('0002-new.sql', 'alter table scratch.old add column extra text')
    await migrate('older')
    rmSync(join(directory, '0002-new.sql'))
    expect(await migrate('older')).toEqual([])
  })

  it('refuses a release that lost a file in the middle', async () => {
    file('0001-a.sql', 'select 1')
    file('0002-b.sql', 'select 1')
    await migrate('lost')
    rmSync(join(directory, '0001-a.sql'))
    await expect(migrate('lost')).rejects.toThrow(/lost: 0001-a.sql/)
  })

  it('does not mind numbers that are missing, and applies one that was filled in later', async () => {
    file('0001-a.sql', 'create schema if not exists scratch; create table scratch.gaps (id int)')
    file('0009-c.sql', 'alter table scratch.gaps add column c int')
    expect(await migrate('gaps')).toHaveLength(2)
    file('0004-b.sql', 'alter table scratch.gaps add column b int')
    expect((await migrate('gaps')).map(({ name }) => name)).toEqual(['0004-b.sql'])
  })

  it('gives way to whoever holds a table, so that nobody waits behind it for long, and comes again', async () => {
    file('0001-table.sql', 'create schema if not exists scratch; create table scratch.held (id int)')
    await migrate('held')
    file('0002-column.sql', 'alter table scratch.held add column words text')
    const holder = await connect()
    await holder.query('begin; lock table scratch.held in access share mode')
    const done = migrate('held')
    for (let tries = 1; tries <= 2; tries++) {
      await until('the migration waits', () => waitsFor('scratch.held'))
      await until('it gives way', async () => !(await waitsFor('scratch.held')))
    }
    await holder.query('commit')
    expect(await done).toHaveLength(1)
  })

  describe('without transaction', () => {
    const build = (table: string, more = ''): string =>
      `-- no transaction: an index is built without holding up writers\ncreate index concurrently ${table}_words on scratch.${table} (id);${more}`
    const makeTable = async (app: string): Promise<void> => {
      file('0001-table.sql', `create schema if not exists scratch; create table scratch.${app} (id int)`)
      await migrate(app)
    }
    const indexesOf = async (table: string) =>
      (
        await test.admin.query<{ name: string; id: number; valid: boolean }>(
          `select indexrelid::regclass::text as name, indexrelid::int as id, indisvalid as valid from pg_index where indrelid = to_regclass($1)`,
          [`scratch.${table}`],
        )
      ).rows
    const recordsOf = async (app: string): Promise<string[]> =>
      (
        await test.admin.query<{ name: string }>(
          `select name from seaworthy.migrations where app = $1 union all select 'begun ' || name from seaworthy.migrations_begun where app = $1 order by 1`,
          [app],
        )
      ).rows.map(({ name }) => name)

    it('builds an index once, however many processes start together', async () => {
      await makeTable('quick')
      file('0002-index.sql', build('quick'))
      const applied = await Promise.all(Array.from({ length: 5 }, () => migrate('quick')))
      expect(applied.map((done) => done.length).sort()).toEqual([0, 0, 0, 0, 1])
      expect(await indexesOf('quick')).toMatchObject([{ valid: true }])
    })

    it('drops what a killed start left of an index, builds it again and records it once', async () => {
      await makeTable('killed')
      file('0002-index.sql', build('killed'))
      const writer = await connect()
      await writer.query('begin; lock table scratch.killed in row exclusive mode')
      const interrupted = migrate('killed').catch((error: Error) => error.message)
      const [left] = await until('the index is half built', async () => {
        const found = await indexesOf('killed')
        return found.length > 0 && found
      })
      await test.admin.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'seaworthy-migrate'`,
      )
      expect(await interrupted).toMatch(/killed\/0002-index.sql failed/)
      await writer.query('commit')
      expect(await indexesOf('killed')).toEqual([{ ...left, valid: false }])
      expect(await migrate('killed')).toHaveLength(1)
      const [built, ...more] = await indexesOf('killed')
      expect([built?.valid, built?.id === left?.id, more]).toEqual([true, false, []])
      expect(await recordsOf('killed')).toEqual(['0001-table.sql', '0002-index.sql'])
    })

    it('keeps an index that was complete when its start was killed', async () => {
      await makeTable('complete')
      file('0002-index.sql', build('complete'))
      await test.admin.query(
        `insert into seaworthy.migrations_begun values ('complete', '0002-index.sql'); create index complete_words on scratch.complete (id); alter index scratch.complete_words owner to seaworthy_owner`,
      )
      const before = await indexesOf('complete')
      expect(await migrate('complete')).toHaveLength(1)
      expect(await indexesOf('complete')).toEqual(before)
      expect(await recordsOf('complete')).toEqual(['0001-table.sql', '0002-index.sql'])
    })

    it('does not touch an index of that name that somebody else made', async () => {
      await makeTable('foreign_one')
      file('0002-index.sql', build('foreign_one'))
      await test.admin.query('create index foreign_one_words on scratch.foreign_one ((id + 1))')
      const before = await indexesOf('foreign_one')
      for (let start = 1; start <= 2; start++) await expect(migrate('foreign_one')).rejects.toThrow(/already exists/)
      expect(await indexesOf('foreign_one')).toEqual(before)
      expect(await recordsOf('foreign_one')).toEqual(['0001-table.sql'])
    })

    it('refuses a second statement, and an index without a name', async () => {
      await makeTable('wrong')
      file('0002-index.sql', build('wrong', ' select 1'))
      await expect(migrate('wrong')).rejects.toThrow(/exactly one statement, not 2/)
      file('0002-index.sql', '-- no transaction: why not\ncreate index concurrently on scratch.wrong (id)')
      await expect(migrate('wrong')).rejects.toThrow(/needs a name/)
      expect(await indexesOf('wrong')).toEqual([])
    })
  })
})
