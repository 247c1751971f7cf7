import { randomBytes } from 'node:crypto'
import { openTestDatabase, type TestDatabase } from '@seaworthy/testkit'
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
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
