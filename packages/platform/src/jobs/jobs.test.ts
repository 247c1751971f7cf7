import { type AccountId, fault } from '@seaworthy/core'
import { openTestDatabase, type TestDatabase, until } from '@seaworthy/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Database, loginOf, sql } from '../data/index.ts'
import { createMemoryLogger, createMetrics } from '../telemetry/index.ts'
import type { RunningQueue } from './drivers/graphile.ts'
import { cancelJob, enqueue, viewJobs } from './queue.ts'
import type { Execution, Task } from './task.ts'
import { startWorker } from './worker.ts'

describe('jobs', () => {
  let test: TestDatabase
  const running: RunningQueue[] = []
  beforeAll(async () => {
    test = await openTestDatabase()
  })
  afterEach(async () => {
    for (const queue of running.splice(0)) await queue.stop()
  })
  afterAll(() => test.close())

  async function work(tasks: readonly Task[], concurrency = 1, database = test.database): Promise<void> {
    const login = loginOf('worker', test.config.secrets.databaseRoleSecret, test.endpoint)
    const log = createMemoryLogger()
    const queue = {
      endpoint: test.endpoint,
      login,
      concurrency,
      log,
      shutdownMs: 300,
      onFailure: (error: unknown) => log.error('gave up', { runbook: 'jobs-stuck', error }),
    }
    running.push(await startWorker({ queue, database, log, metrics: createMetrics() }, tasks, []))
  }
  const task = (name: string, run: (execution: Execution) => Promise<void>, more: Partial<Task> = {}): Task => ({
    name,
    attemptsMax: 3,
    timeoutMs: 20_000,
    run,
    ...more,
  })
  const put = (account: { accountId: AccountId }, name: string, input: unknown = {}, attemptsMax = 3) =>
    test.database.withCaller(account, (tx) => enqueue(tx, account.accountId, name, input, { attemptsMax }))
  const stateOf = async (id: string): Promise<string> =>
    (await test.admin.query('select state from seaworthy.jobs where id = $1', [id])).rows[0]?.state

  it('leaves no job when the transaction that enqueued it fails', async () => {
    const account = await test.makeAccount()
    const failing = test.database.withCaller(account, async (tx) => {
      await enqueue(tx, account.accountId, 'test.none', {}, { attemptsMax: 1 })
      throw new Error('changed its mind')
    })
    await expect(failing).rejects.toThrow('changed its mind')
    const { rows } = await test.admin.query(`select count(*)::int as n from seaworthy.jobs where task = 'test.none'`)
    expect(rows[0].n).toBe(0)
  })

  it('carries the trace of who asked into the statements that end a job', async () => {
    const account = await test.makeAccount()
    const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const traces: unknown[] = []
    const database: Database = {
      ...test.database,
      withCaller: (caller, run, options) => {
        traces.push(options?.trace)
        return test.database.withCaller(caller, run, options)
      },
    }
    await work([task('test.traced', async ({ finish }) => finish(async () => undefined))], 1, database)
    const id = await test.database.withCaller(account, (tx) =>
      enqueue(tx, account.accountId, 'test.traced', {}, { attemptsMax: 1, trace }),
    )
    await until('it is done', async () => (await stateOf(id)) === 'done')
    expect(traces).toEqual([trace])
  })

  it('lets accounts take turns: one that asks for much does not hold up one that asks for little', async () => {
    const [greedy, modest] = [await test.makeAccount(), await test.makeAccount()]
    for (let i = 0; i < 6; i++) await put(greedy, 'test.turns', { who: 'greedy', i })
    for (let i = 0; i < 2; i++) await put(modest, 'test.turns', { who: 'modest', i })
    const order: string[] = []
    await work([
      task(
        'test.turns',
        async ({ input }) => void order.push(`${(input as { who: string }).who}${(input as { i: number }).i}`),
      ),
    ])
    await until('all are done', () => order.length === 8)
    expect(order.slice(0, 4).sort()).toEqual(['greedy0', 'greedy1', 'modest0', 'modest1'])
    expect(order.filter((name) => name.startsWith('greedy'))).toEqual([
      'greedy0',
      'greedy1',
      'greedy2',
      'greedy3',
      'greedy4',
      'greedy5',
    ])
  })

  it('tells how many come first, and nothing else about them', async () => {
    const [a, b] = [await test.makeAccount(), await test.makeAccount()]
    await put(a, 'test.ahead')
    await put(a, 'test.ahead')
    const mine = await put(b, 'test.ahead')
    const views = await test.database.withCaller(b, (tx) => viewJobs(tx, [mine]))
    expect(views.get(mine)).toMatchObject({ state: 'waiting', ahead: 1 })
    const seen = await test.database.withCaller(b, (tx) => tx.many(sql<{ id: string }>`select id from seaworthy.jobs`))
    expect(seen.map((row) => row.id)).toEqual([mine])
  })

  it('ends a job together with its effect: an effect that fails leaves the job to be tried again', async () => {
    const account = await test.makeAccount()
    let tries = 0
    await work([
      task('test.effect', ({ finish }) =>
        finish(async () => {
          if (++tries === 1) throw new Error('the database hiccuped')
        }),
      ),
    ])
    const id = await put(account, 'test.effect')
    await until('the second try succeeds', async () => (await stateOf(id)) === 'done')
    expect(tries).toBe(2)
  })

  it('refuses the result of a try that was overtaken', async () => {
    const account = await test.makeAccount()
    const effects: number[] = []
    let release: () => void = () => undefined
    const frozen = new Promise<void>((resolve) => {
      release = resolve
    })
    let first = true
    await work(
      [
        task('test.fence', async ({ attempt, finish }) => {
          if (first) {
            first = false
            await frozen
          }
          await finish(async () => void effects.push(attempt))
        }),
      ],
      2,
    )
    const id = await put(account, 'test.fence')
    await until('the first try runs', async () => (await stateOf(id)) === 'running')
    // As the sweep does for a worker that is gone: the queue hands the job to somebody else.
    await test.admin.query(
      `update graphile_worker._private_jobs set locked_by = null, locked_at = null where payload->>'id' = $1`,
      [id],
    )
    await until('the second try finishes', async () => (await stateOf(id)) === 'done')
    release()
    await until('the first try has ended', async () => {
      const { rows } = await test.admin.query(`select 1 from graphile_worker._private_jobs where payload->>'id' = $1`, [
        id,
      ])
      return rows.length === 0
    })
    expect(effects).toEqual([2])
  })

  it('parks a job after its last try and gives back what it held in the same transaction', async () => {
    const account = await test.makeAccount()
    const ends: string[] = []
    await work([
      task('test.dead', () => Promise.reject(new Error('poison')), {
        onDead: async (_, code, tx) => {
          const { mine } = await tx.one(sql<{ mine: string }>`select seaworthy.account_id() as mine`)
          ends.push(`${code} ${mine === account.accountId}`)
        },
      }),
    ])
    const id = await put(account, 'test.dead', {}, 1)
    await until('it is parked', async () => (await stateOf(id)) === 'dead')
    expect(ends).toEqual(['internal true'])
  })

  it('does not try again what can never succeed', async () => {
    const account = await test.makeAccount()
    let tries = 0
    await work([
      task('test.hopeless', () => {
        tries++
        return Promise.reject(fault('not_found'))
      }),
    ])
    const id = await put(account, 'test.hopeless')
    await until('it is parked', async () => (await stateOf(id)) === 'dead')
    expect(tries).toBe(1)
  })

  it('parks a job whose worker was killed at every try', async () => {
    const account = await test.makeAccount()
    const id = await put(account, 'test.killer', {}, 2)
    await test.admin.query(`update seaworthy.jobs set state = 'running', attempts = 2 where id = $1`, [id])
    let ran = false
    await work([task('test.killer', async () => void (ran = true), { attemptsMax: 2 })])
    await until('it is parked', async () => (await stateOf(id)) === 'dead')
    expect(ran).toBe(false)
  })

  it('never starts a job that was cancelled, and cancels none that has started', async () => {
    const account = await test.makeAccount()
    const id = await put(account, 'test.cancel')
    expect(await test.database.withCaller(account, (tx) => cancelJob(tx, id))).toBe(true)
    let ran = false
    await work([task('test.cancel', async () => void (ran = true)), task('test.marker', async () => undefined)])
    const marker = await put(account, 'test.marker')
    await until('a later job is done', async () => (await stateOf(marker)) === 'done')
    expect(ran).toBe(false)
    expect(await test.database.withCaller(account, (tx) => cancelJob(tx, marker))).toBe(false)
  })

  it("does not cancel another account's job", async () => {
    const [mine, theirs] = [await test.makeAccount(), await test.makeAccount()]
    const id = await put(theirs, 'test.theirs')
    expect(await test.database.withCaller(mine, (tx) => cancelJob(tx, id))).toBe(false)
    expect(await stateOf(id)).toBe('waiting')
  })

  it('hands a job back when the worker stops, with a try more', async () => {
    const account = await test.makeAccount()
    let runs = 0
    await work([
      task('test.handback', ({ signal }) => {
        runs++
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
      }),
    ])
    const id = await put(account, 'test.handback', {}, 1)
    await until('it runs', () => runs === 1)
    await running.pop()?.stop()
    expect(await stateOf(id)).toBe('waiting')
    await work([task('test.handback', async () => void runs++)])
    await until('it is done', async () => (await stateOf(id)) === 'done')
    expect(runs).toBe(2)
  })

  it('leaves a job alone that takes long on a worker that lives', async () => {
    const account = await test.makeAccount()
    await work([task('test.long', () => new Promise((resolve) => setTimeout(resolve, 6_500)))], 2)
    const id = await put(account, 'test.long')
    await until('it is done', async () => (await stateOf(id)) === 'done')
    const { rows } = await test.admin.query('select attempts from seaworthy.jobs where id = $1', [id])
    expect(rows[0].attempts).toBe(1)
  })

  it('gives a job that lost its place in the queue a new one', async () => {
    const account = await test.makeAccount()
    const id = await put(account, 'test.lost')
    await test.admin.query(`delete from graphile_worker._private_jobs where key = $1`, [id])
    await test.admin.query(`update seaworthy.jobs set created_at = now() - interval '2 minutes' where id = $1`, [id])
    await work([task('test.lost', async () => undefined)])
    await until('it is done', async () => (await stateOf(id)) === 'done')
  })

  it('times out a job that hangs', async () => {
    const account = await test.makeAccount()
    await work([task('test.hang', () => new Promise(() => undefined), { timeoutMs: 200 })])
    const id = await put(account, 'test.hang', {}, 1)
    await until('it is parked', async () => (await stateOf(id)) === 'dead')
    const { rows } = await test.admin.query('select error_code from seaworthy.jobs where id = $1', [id])
    expect(rows[0].error_code).toBe('timed_out')
  })
})
