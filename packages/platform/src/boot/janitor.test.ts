import { openTestDatabase, type TestDatabase } from '@seaworthy/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createMemoryLogger } from '../telemetry/index.ts'
import { janitorSchedules } from './janitor.ts'

let test: TestDatabase
beforeAll(async () => {
  test = await openTestDatabase()
})
afterAll(() => test.close())

it('removes old events from the oldest on, without a hole, and keeps the newest of all', async () => {
  const { accountId } = await test.makeAccount()
  const ages = ['3 hours', '2 hours', '5 minutes', '90 minutes', '1 minute']
  for (const age of ages)
    await test.admin.query(
      `insert into seaworthy.events (account_id, channel, payload, created_at)
       values ($1, 'test.news', to_jsonb($2::text), now() - $2::interval)`,
      [accountId, age],
    )
  const left = async () =>
    (
      await test.admin.query<{ age: string }>(`select payload #>> '{}' as age from seaworthy.events order by id`)
    ).rows.map(({ age }) => age)
  const parts = { database: test.database, log: createMemoryLogger(), config: test.config }
  const sweep = async () => {
    const schedules = janitorSchedules({ ...parts, media: { sweep: async () => ({ failures: [] }) } as never })
    await schedules.find(({ name }) => name === 'platform.sweep-events')?.run()
  }
  await sweep()
  expect(await left()).toEqual(['5 minutes', '90 minutes', '1 minute'])
  await test.admin.query(`update seaworthy.events set created_at = now() - interval '2 hours'`)
  await sweep()
  expect(await left()).toEqual(['1 minute'])
})
