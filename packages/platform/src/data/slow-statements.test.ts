import { openTestDatabase, type TestDatabase, turnableClock, until } from '@seaworthy/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from './database.ts'
import type { SlowStatement } from './slow-statements.ts'
import { sql } from './sql.ts'

const THRESHOLD_MS = 50
const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

describe('a slow statement', () => {
  let test: TestDatabase
  let database: Database
  let reports: SlowStatement[]
  let counted: number
  const clock = turnableClock()
  beforeAll(async () => {
    test = await openTestDatabase()
  })
  afterAll(() => test.close())
  beforeEach(() => {
    ;[reports, counted] = [[], 0]
    database = openDatabase({
      endpoint: test.endpoint,
      login: test.appLogin,
      name: 'slow',
      limits: { max: 2, waitMs: 5_000, statementMs: 300, transactionMs: 5_000 },
      slow: {
        thresholdMs: THRESHOLD_MS,
        clock,
        count: () => {
          counted++
        },
        report: (statement) => reports.push(statement),
      },
    })
    return () => database.close()
  })

  const dawdle = (email: string, list: readonly string[] = ['a']) =>
    database.withDuty(
      'identity',
      (tx) =>
        tx.many(
          sql`select id, pg_sleep(0.06) from (select 1) once left join seaworthy.users on email = ${email} and email <> 'constant' where ${list[0]} <> ''`,
        ),
      { trace },
    )
  const reported = (count: number) => until(`${count} are reported`, () => reports.length >= count)

  it('is reported with its trace, form and plan, and without any value', async () => {
    await dawdle('canary@example.com')
    await reported(1)
    expect(reports).toEqual([
      {
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
        ms: expect.any(Number),
        trace: '0af7651916cd43dd8448eb211c80319c',
        statement: expect.stringContaining(`email = $1 and email <> '?'`),
        plan: expect.stringMatching(/Scan.* on users/),
      },
    ])
    expect(reports[0]?.ms).toBeGreaterThanOrEqual(THRESHOLD_MS)
    expect(JSON.stringify(reports)).not.toMatch(/canary|constant/)
  })

  it('is counted each time and reported once a minute', async () => {
    for (const name of ['a', 'b', 'c']) await dawdle(name)
    await reported(1)
    expect([reports.length, counted]).toEqual([1, 3])
    clock.turn(61_000)
    await dawdle('d')
    await reported(2)
    expect(reports[1]?.fingerprint).toBe(reports[0]?.fingerprint)
  })

  it('is reported too when it was ended at its limit', async () => {
    await expect(database.withDuty('janitor', (tx) => tx.run(sql`select pg_sleep(5)`))).rejects.toThrow(/timeout/)
    await reported(1)
    expect(reports[0]).toMatchObject({
      statement: 'select pg_sleep(5)',
      trace: undefined,
      plan: expect.stringContaining('Result'),
    })
  })

  it('is none when it was quick', async () => {
    await database.withDuty('janitor', (tx) => tx.run(sql`select 1`))
    expect(counted).toBe(0)
  })

  it('is never run again for its plan', async () => {
    const two = sql`select pg_sleep(0.06); create temp table again (id int)`
    await database.withDuty('janitor', (tx) => tx.run(two))
    await reported(1)
    expect(reports[0]?.plan).toBe('none: more than one statement')
  })
})
