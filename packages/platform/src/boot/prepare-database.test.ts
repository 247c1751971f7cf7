import { randomBytes } from 'node:crypto'
import { openTestDatabase, type TestDatabase } from '@seaworthy/testkit'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { openClient } from '../data/index.ts'
import { createMemoryLogger } from '../telemetry/index.ts'
import { prepareDatabase } from './prepare-database.ts'

let test: TestDatabase
beforeAll(async () => {
  test = await openTestDatabase()
})
afterAll(() => test.close())

it('prepares one database for many that start together', async () => {
  const name = `together_${randomBytes(4).toString('hex')}`
  const server = {
    endpoint: { host: '127.0.0.1', port: test.endpoint.port, database: name, tls: 'off' as const },
    admin: { user: 'seaworthy_admin', password: inject('seaworthy').adminPassword },
    embedded: undefined,
  }
  const prepare = () => prepareDatabase(server, test.config, [], createMemoryLogger())
  const applied = await Promise.all(Array.from({ length: 8 }, prepare))
  expect(applied.filter((migrations) => migrations.length > 0)).toHaveLength(1)
  await test.admin.query(`drop database ${name} with (force)`)
})

it('refuses to start on a database whose row-level security somebody took away, and says where', async () => {
  const name = `weak_${randomBytes(4).toString('hex')}`
  const server = {
    endpoint: { host: '127.0.0.1', port: test.endpoint.port, database: name, tls: 'off' as const },
    admin: { user: 'seaworthy_admin', password: inject('seaworthy').adminPassword },
    embedded: undefined,
  }
  const prepare = () => prepareDatabase(server, test.config, [], createMemoryLogger())
  await prepare()
  const admin = await openClient(server.endpoint, server.admin, 'test')
  await admin.query('alter table seaworthy.ledger no force row level security')
  await expect(prepare()).rejects.toThrow('seaworthy.ledger: row-level security is not forced')
  await admin.query('alter table seaworthy.ledger force row level security')
  expect(await prepare()).toEqual([])
  await admin.end()
  await test.admin.query(`drop database ${name} with (force)`)
})
