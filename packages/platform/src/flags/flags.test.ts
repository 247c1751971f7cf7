import { newId, type UserId } from '@seaworthy/core'
import { openTestDatabase, type TestDatabase, until } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryLogger } from '../telemetry/index.ts'
import { flag } from './flag.ts'
import { type OpenFlags, openFlags } from './flags.ts'

const tide = flag({ name: 'boats.tide', values: ['low', 'high'], default: 'low', text: 'How high the water is.' })
const open = flag({ name: 'boats.open', values: [true, false], default: true, text: 'Whether the harbour is open.' })

describe('flags', () => {
  let test: TestDatabase
  let by: UserId
  const opened: OpenFlags[] = []
  beforeAll(async () => {
    test = await openTestDatabase()
    by = (await test.makeAccount()).userId
  })
  afterAll(async () => {
    for (const flags of opened) flags.stop()
    await test.close()
  })
  async function process(): Promise<OpenFlags> {
    const flags = await openFlags({ database: test.database, flags: [tide, open], log: createMemoryLogger() })
    opened.push(flags)
    return flags
  }

  it('are what the code says until somebody turns them, and then so in every process within a second', async () => {
    const [here, there] = [await process(), await process()]
    expect([here.valueOf(tide), there.valueOf(open)]).toEqual(['low', true])
    await here.turn({ name: 'boats.tide', value: 'high', by })
    expect(here.valueOf(tide)).toBe('high')
    await until('the other process knows', () => there.valueOf(tide) === 'high', 2_000)
    expect((await process()).valueOf(tide)).toBe('high')
  })

  it('change together with what is recorded of it, or not at all', async () => {
    const flags = await process()
    const broken = flags.turn({ name: 'boats.open', value: false, by }, async () => {
      throw new Error('no audit line')
    })
    await expect(broken).rejects.toThrow('no audit line')
    expect(flags.valueOf(open)).toBe(true)
  })

  it('refuse names and values that mean nothing, and ignore stored ones that another release wrote', async () => {
    const flags = await process()
    await expect(flags.turn({ name: 'boats.wind', value: true, by })).rejects.toMatchObject({ code: 'not_found' })
    await expect(flags.turn({ name: 'boats.tide', value: true, by })).rejects.toMatchObject({ code: 'invalid_input' })
    await test.admin.query(`insert into seaworthy.flags (name, value) values ('boats.open', '"perhaps"')`)
    expect((await process()).valueOf(open)).toBe(true)
  })

  it('cannot be turned by the app outside its duty', async () => {
    const account = await test.makeAccount()
    const write = test.database.withCaller({ accountId: account.accountId }, (tx) =>
      tx.run({
        compile: () => ({
          sql: `insert into seaworthy.flags (name, value) values ('boats.${newId()}', 'true')`,
          parameters: [],
          query: {} as never,
          queryId: {} as never,
        }),
      }),
    )
    await expect(write).rejects.toThrow()
  })
})
