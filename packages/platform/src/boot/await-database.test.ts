import { randomBytes } from 'node:crypto'
import type { Config } from '@seaworthy/platform/config'
import { openTestDatabase, type TestDatabase, until } from '@seaworthy/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { readConfig } from '../config/index.ts'
import { openClient, type PgSingleClient } from '../data/index.ts'
import { createMemoryLogger } from '../telemetry/index.ts'
import { awaitPreparedDatabase } from './await-database.ts'
import { prepareDatabase } from './prepare-database.ts'

describe('a start that changes nothing in the database', () => {
  let test: TestDatabase
  beforeAll(async () => {
    test = await openTestDatabase()
  })
  afterAll(() => test.close())

  let endpoint: Parameters<typeof awaitPreparedDatabase>[0]['endpoint']
  let log: ReturnType<typeof createMemoryLogger>
  beforeEach(() => {
    const database = `waited_${randomBytes(4).toString('hex')}`
    endpoint = { host: '127.0.0.1', port: test.endpoint.port, database, tls: 'off' }
    log = createMemoryLogger()
    return async () => void (await test.admin.query(`drop database if exists ${database} with (force)`))
  })

  const admin = () => ({ user: 'seaworthy_admin', password: inject('seaworthy').adminPassword })
  const prepare = () =>
    prepareDatabase({ endpoint, admin: admin(), embedded: undefined }, test.config, [], createMemoryLogger())
  const wait = (config: Config = test.config, signal?: AbortSignal) =>
    awaitPreparedDatabase({ endpoint, config, apps: [], log, ...(signal ? { signal } : {}) })
  const once = { databaseTries: 1 }
  const asAdmin = async (work: (client: PgSingleClient) => Promise<unknown>): Promise<void> => {
    const client = await openClient(endpoint, admin(), 'test')
    await work(client).finally(() => client.end())
  }

  it('waits until somebody else has prepared it, and says for what', async () => {
    const waiting = wait()
    await until('it says that it waits', () => log.lines.length > 0)
    expect(log.lines[0]).toMatch(/waiting until the database is prepared/)
    await prepare()
    await waiting
  })

  it('names the migrations that are missing, and how they come there', async () => {
    await prepare()
    await asAdmin((client) => client.query(`delete from seaworthy.migrations where name >= '0020'`))
    await expect(wait({ ...test.config, ...once })).rejects.toThrow(
      /platform\/0020-[\w-]+\.sql.* are missing\.\n {4}HINT: seaworthy migrate/,
    )
  })

  it('does not take migrations alone for a database that is prepared', async () => {
    await prepare()
    await asAdmin((client) => client.query('comment on schema seaworthy_queue is null'))
    await expect(wait({ ...test.config, ...once })).rejects.toThrow('the queue is not installed')
    await asAdmin((client) => client.query('delete from seaworthy.ring_keys'))
    await expect(wait({ ...test.config, ...once })).rejects.toThrow('the current encryption key is not known')
  })

  it('runs on what a newer release prepared', async () => {
    await prepare()
    await asAdmin(async (client) => {
      await client.query(`insert into seaworthy.migrations values ('platform', '9999-later.sql', 'x')`)
      const { rows } = await client.query(`select obj_description('seaworthy_queue'::regnamespace) as marks`)
      await client.query(`comment on schema seaworthy_queue is '${rows[0].marks} 0123456789ab'`)
    })
    await wait({ ...test.config, ...once })
    await prepare()
    await wait({ ...test.config, ...once })
    expect(log.lines).toEqual([])
  })

  it('refuses at once a migration with another content, and keys that are not those of the database', async () => {
    await prepare()
    const other = readConfig(test.config.dataDirectory, {
      DATA_DIR: test.config.dataDirectory,
      ENCRYPTION_KEY: randomBytes(32).toString('hex'),
    })
    await expect(wait(other)).rejects.toThrow('not the one that this database is sealed with')
    await asAdmin((client) =>
      client.query(`update seaworthy.migrations set checksum = 'other' where name like '0007%'`),
    )
    await expect(wait()).rejects.toThrow(/platform\/0007-[\w-]+\.sql was changed after it was applied/)
    expect(log.lines).toEqual([])
  })

  it('tells a wrong DATABASE_ROLE_SECRET from a database that is away', async () => {
    await prepare()
    const other = readConfig(test.config.dataDirectory, {
      DATA_DIR: test.config.dataDirectory,
      DATABASE_ROLE_SECRET: randomBytes(32).toString('hex'),
    })
    await expect(wait({ ...other, ...once })).rejects.toThrow('DATABASE_ROLE_SECRET')
  })
})
