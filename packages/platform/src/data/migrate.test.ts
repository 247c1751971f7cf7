import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openTestDatabase, type TestDatabase } from '@seaworthy/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
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
  const migrate = (app: string) =>
    migrateToLatestOrThrow(
      test.endpoint,
      { user: 'seaworthy_admin', password: inject('seaworthy').adminPassword },
      test.config.secrets.databaseRoleSecret,
      [{ app, directory: pathToFileURL(`${directory}/`) }],
    )
  const exists = async (table: string): Promise<boolean> =>
    (await test.admin.query('select to_regclass($1) as found', [table])).rows[0].found !== null

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
})
