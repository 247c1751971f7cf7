import { credits } from '@seaworthy/core'
import { openTestDatabase, type TestDatabase } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { captureHold, grantCredits, holdCredits, readBalance, readEntries, releaseHold } from './ledger.ts'

describe('ledger', () => {
  let test: TestDatabase
  beforeAll(async () => {
    test = await openTestDatabase()
  })
  afterAll(() => test.close())

  async function accountWith(amount: number) {
    const account = await test.makeAccount()
    await test.database.withDuty('identity', (tx) => grantCredits(tx, account.accountId, credits(amount), 'gift'))
    return account
  }

  const sumOfBooks = async (): Promise<number> => {
    const { rows } = await test.admin.query(`
      select coalesce(sum(change), 0)::int as total from (
        select to_book as book, amount as change from seaworthy.ledger union all select from_book, -amount from seaworthy.ledger) moves`)
    return rows[0].total
  }

  it('never spends more than there is, however many ask at once', async () => {
    const account = await accountWith(7)
    const asked = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        test.database.withCaller(account, (tx) => holdCredits(tx, credits(1), `run-${i}`)),
      ),
    )
    expect(asked.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(7)
    for (const outcome of asked)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'insufficient_credits' })
    expect(await test.database.withCaller(account, readBalance)).toEqual({ available: 0, held: 7, spent: 0 })
    expect(await sumOfBooks()).toBe(0)
  })

  it('settles a hold once, whoever captures and releases at the same moment', async () => {
    const account = await accountWith(5)
    const hold = await test.database.withCaller(account, (tx) => holdCredits(tx, credits(2), 'one'))
    const settled = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        test.database.withCaller(account, (tx) => (i % 2 ? captureHold(tx, hold) : releaseHold(tx, hold))),
      ),
    )
    expect(settled.filter(Boolean)).toHaveLength(1)
    const balance = await test.database.withCaller(account, readBalance)
    expect(balance.held).toBe(0)
    expect(balance.available + balance.spent).toBe(5)
  })

  it('gives the same hold for the same reference', async () => {
    const account = await accountWith(5)
    const first = await test.database.withCaller(account, (tx) => holdCredits(tx, credits(2), 'same'))
    const second = await test.database.withCaller(account, (tx) => holdCredits(tx, credits(2), 'same'))
    expect(second).toBe(first)
    expect((await test.database.withCaller(account, readBalance)).held).toBe(2)
  })

  it('counts a gift once', async () => {
    const account = await accountWith(20)
    await test.database.withDuty('identity', (tx) => grantCredits(tx, account.accountId, credits(20), 'gift'))
    expect((await test.database.withCaller(account, readBalance)).available).toBe(20)
  })

  it('refuses a gift outside of its duty, and every write to its rows by the app role', async () => {
    const account = await accountWith(1)
    await expect(
      test.database.withCaller(account, (tx) => grantCredits(tx, account.accountId, credits(9), 'forged')),
    ).rejects.toThrow(/on duty only/)
    const { sql } = await import('../data/index.ts')
    const forged = sql`insert into seaworthy.ledger (id, account_id, kind, from_book, to_book, amount, reference)
      values (gen_random_uuid(), ${account.accountId}, 'grant', 'gifts', 'available', 1000, 'forged')`
    await expect(test.database.withCaller(account, (tx) => tx.run(forged))).rejects.toThrow(/permission denied/)
    await expect(
      test.database.withCaller(account, (tx) => tx.run(sql`update seaworthy.ledger set amount = 1000`)),
    ).rejects.toThrow(/permission denied/)
    await expect(test.database.withCaller(account, (tx) => tx.run(sql`delete from seaworthy.ledger`))).rejects.toThrow(
      /permission denied/,
    )
  })

  it("does not settle another account's hold", async () => {
    const [mine, theirs] = [await accountWith(5), await accountWith(5)]
    const hold = await test.database.withCaller(theirs, (tx) => holdCredits(tx, credits(3), 'theirs'))
    await expect(test.database.withCaller(mine, (tx) => releaseHold(tx, hold))).rejects.toThrow(/no hold/)
    expect((await test.database.withCaller(theirs, readBalance)).held).toBe(3)
  })

  it('keeps nothing of a transaction that fails after the hold', async () => {
    const account = await accountWith(5)
    const failing = test.database.withCaller(account, async (tx) => {
      await holdCredits(tx, credits(3), 'lost')
      throw new Error('the next step failed')
    })
    await expect(failing).rejects.toThrow('the next step failed')
    expect(await test.database.withCaller(account, readBalance)).toEqual({ available: 5, held: 0, spent: 0 })
    expect(await test.database.withCaller(account, (tx) => readEntries(tx, 10))).toHaveLength(1)
  })
})
