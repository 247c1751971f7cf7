import { fault } from '@seaworthy/core'
import { openTestDatabase, type TestDatabase } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from './database.ts'
import { guardFetch } from './inside.ts'
import { sql } from './sql.ts'

describe('transactions', () => {
  let test: TestDatabase
  beforeAll(async () => {
    test = await openTestDatabase()
    await test.admin.query(`
      set role seaworthy_owner;
      create schema proof;
      grant usage on schema proof to seaworthy_app;
      create table proof.notes (id int generated always as identity, account_id uuid not null, words text not null check (words <> 'forbidden'));
      call seaworthy.protect('proof.notes', 'seaworthy_app');
      create table proof.counter (id int primary key, value int not null);
      insert into proof.counter values (1, 0);
      grant select, update on proof.counter to seaworthy_app;
      reset role`)
  })
  afterAll(() => test.close())

  const write = (accountId: string, words: string) =>
    sql`insert into proof.notes (account_id, words) values (${accountId}, ${words})`
  const count = sql<{ n: number }>`select count(*)::int as n from proof.notes`
  const notesOf = async (account: Parameters<typeof test.database.withCaller>[0]) =>
    (await test.database.withCaller(account, (tx) => tx.one(count))).n

  it("hides another account's rows and refuses to write them", async () => {
    const [a, b] = [await test.makeAccount(), await test.makeAccount()]
    await test.database.withCaller(a, (tx) => tx.run(write(a.accountId, 'mine')))
    expect(await notesOf(a)).toBe(1)
    expect(await notesOf(b)).toBe(0)
    await expect(test.database.withCaller(b, (tx) => tx.run(write(a.accountId, 'forged')))).rejects.toThrow(
      /row-level security/,
    )
    expect(await test.database.withCaller(b, (tx) => tx.run(sql`delete from proof.notes`))).toBe(0)
  })

  it('shows nothing to a connection without a caller', async () => {
    const a = await test.makeAccount()
    await test.database.withCaller(a, (tx) => tx.run(write(a.accountId, 'mine')))
    const { n } = await test.database.withDuty('realtime', (tx) => tx.one(count))
    expect(n).toBe(0)
  })

  it('refuses another transaction within one, which could wait for itself', async () => {
    const a = await test.makeAccount()
    const nested = test.database.withCaller(a, () => notesOf(a))
    await expect(nested).rejects.toThrow(/within a transaction/)
  })

  it('lets another service be asked only outside of transactions', async () => {
    const original = globalThis.fetch
    try {
      guardFetch()
      const a = await test.makeAccount()
      const misuse = test.database.withCaller(a, () => fetch('http://127.0.0.1:9/'))
      await expect(misuse).rejects.toThrow(/within a transaction/)
      const later: Promise<unknown>[] = []
      await test.database.withCaller(a, async (tx) =>
        tx.afterCommit(() => void later.push(fetch('http://127.0.0.1:9/'))),
      )
      await expect(later[0]).rejects.toThrow(/fetch failed/)
    } finally {
      globalThis.fetch = original
    }
  })

  it('ends a statement when whoever asked does not wait any longer', async () => {
    const a = await test.makeAccount()
    const slow = test.database.withCaller(a, (tx) => tx.run(sql`select pg_sleep(20)`), { remainingMs: 200 })
    await expect(slow).rejects.toThrow(/statement timeout/)
    const { limit } = await test.database.withCaller(a, (tx) =>
      tx.one<{ limit: string }>(sql`select current_setting('statement_timeout') as limit`),
    )
    expect(limit).not.toBe('200ms')
  })

  it('carries no caller from one transaction to the next on the same connection', async () => {
    const accounts = await Promise.all(Array.from({ length: 10 }, () => test.makeAccount()))
    await Promise.all(
      accounts.map((account) => test.database.withCaller(account, (tx) => tx.run(write(account.accountId, 'own')))),
    )
    const reads = Array.from({ length: 400 }, async (_, i) => {
      const account = accounts[i % accounts.length] as (typeof accounts)[number]
      if (i % 7 === 0)
        await test.database.withCaller(account, () => Promise.reject(new Error('abandoned'))).catch(() => undefined)
      const rows = await test.database.withCaller(account, (tx) =>
        tx.many(sql<{ account_id: string }>`select account_id from proof.notes`),
      )
      return rows.every((row) => row.account_id === account.accountId) && rows.length === 1
    })
    expect((await Promise.all(reads)).filter((own) => !own)).toEqual([])
  })

  it('undoes everything when one step fails, and gives the connection back', async () => {
    const a = await test.makeAccount()
    const failing = test.database.withCaller(a, async (tx) => {
      await tx.run(write(a.accountId, 'first'))
      await tx.run(write(a.accountId, 'forbidden'))
    })
    await expect(failing).rejects.toMatchObject({ code: 'invalid_input' })
    expect(await notesOf(a)).toBe(0)
  })

  it('fails when a failed statement was not awaited, instead of reporting success', async () => {
    const a = await test.makeAccount()
    const careless = test.database.withCaller(a, async (tx) => {
      void tx.run(write(a.accountId, 'forbidden')).catch(() => undefined)
      return 'done'
    })
    await expect(careless).rejects.toThrow()
    expect(await notesOf(a)).toBe(0)
  })

  it('keeps what came before a savepoint that failed', async () => {
    const a = await test.makeAccount()
    const effects: string[] = []
    await test.database.withCaller(a, async (tx) => {
      await tx.run(write(a.accountId, 'outer'))
      await tx
        .savepoint(async () => {
          tx.afterCommit(() => void effects.push('inner'))
          await tx.run(write(a.accountId, 'forbidden'))
        })
        .catch(() => undefined)
      tx.afterCommit(() => void effects.push('outer'))
    })
    expect(await notesOf(a)).toBe(1)
    expect(effects).toEqual(['outer'])
  })

  it('runs effects after the commit and never after a rollback', async () => {
    const a = await test.makeAccount()
    const seen: number[] = []
    await test.database.withCaller(a, async (tx) => {
      await tx.run(write(a.accountId, 'x'))
      tx.afterCommit(async () => void seen.push(await notesOf(a)))
    })
    await test.database
      .withCaller(a, async (tx) => {
        tx.afterCommit(() => void seen.push(-1))
        throw fault('conflict')
      })
      .catch(() => undefined)
    expect(seen).toEqual([1])
  })

  it('retries serialisation failures, so that no update is lost and nobody sees one', async () => {
    const a = await test.makeAccount()
    const bump = () =>
      test.database.withCaller(
        a,
        async (tx) => {
          const { value } = await tx.one(sql<{ value: number }>`select value from proof.counter where id = 1`)
          await tx.run(sql`update proof.counter set value = ${value + 1} where id = 1`)
        },
        { isolation: 'serializable' },
      )
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, bump))
    const done = outcomes.filter((outcome) => outcome.status === 'fulfilled').length
    const { rows } = await test.admin.query('select value from proof.counter')
    expect(rows[0].value).toBe(done)
    expect(done).toBeGreaterThanOrEqual(4)
  })

  it('ends a statement at its deadline and says that the service is busy', async () => {
    const hasty = openDatabase({
      endpoint: test.endpoint,
      login: test.appLogin,
      name: 'hasty',
      limits: { max: 1, waitMs: 300, statementMs: 200, transactionMs: 1_000 },
    })
    const a = await test.makeAccount()
    const started = performance.now()
    await expect(hasty.withCaller(a, (tx) => tx.run(sql`select pg_sleep(5)`))).rejects.toMatchObject({
      code: 'unavailable',
    })
    expect(performance.now() - started).toBeLessThan(4_900)
    await hasty.close()
  })

  it('refuses with 503 when no connection becomes free in time', async () => {
    const narrow = openDatabase({
      endpoint: test.endpoint,
      login: test.appLogin,
      name: 'narrow',
      limits: { max: 1, waitMs: 150, statementMs: 2_000, transactionMs: 3_000 },
    })
    const a = await test.makeAccount()
    const slow = narrow.withCaller(a, (tx) => tx.run(sql`select pg_sleep(0.8)`))
    await expect(narrow.withCaller(a, (tx) => tx.one(sql`select 1`))).rejects.toMatchObject({
      code: 'unavailable',
      status: 503,
    })
    await slow
    await narrow.close()
  })

  it('passes every value as a parameter', async () => {
    const a = await test.makeAccount()
    const hostile = `'); drop table proof.notes; --`
    await test.database.withCaller(a, (tx) => tx.run(write(a.accountId, hostile)))
    const [row] = await test.database.withCaller(a, (tx) =>
      tx.many(sql<{ words: string }>`select words from proof.notes`),
    )
    expect(row?.words).toBe(hostile)
  })
})
