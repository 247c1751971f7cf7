import { Secret } from '@seaworthy/core'
import { openTestDatabase, type TestDatabase, turnableClock, until } from '@seaworthy/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../data/index.ts'
import { createHealth, createMemoryLogger, createMetrics } from '../telemetry/index.ts'
import { createPostgresStore } from './postgres-store.ts'
import { type Rate, rate } from './rate.ts'
import { createSharedLimiter, type SharedLimiter } from './shared-limiter.ts'
import type { RateStore } from './store.ts'

describe('limits of several processes', () => {
  let test: TestDatabase
  const clock = turnableClock()
  const opened: SharedLimiter[] = []
  beforeAll(async () => {
    test = await openTestDatabase()
  })
  afterEach(() => Promise.all(opened.splice(0).map((limiter) => limiter.close())))
  afterAll(() => test.close())

  const limits = { max: 2, waitMs: 10_000, statementMs: 10_000, transactionMs: 20_000 }
  const openStore = (): RateStore =>
    createPostgresStore(openDatabase({ endpoint: test.endpoint, login: test.appLogin, name: 'limits', limits }))

  function open(processes: number, store = openStore()) {
    const log = createMemoryLogger()
    const [metrics, health] = [createMetrics(), createHealth()]
    const secret = new Secret('a secret of some length, for tests')
    const limiter = createSharedLimiter({ store, processes, secret, clock, log, metrics, health })
    opened.push(limiter)
    return { limiter, log, metrics, health }
  }

  const strict = (name: string, max: number): Rate => rate(`test.${name}`, max, 60_000, { strict: true })
  const loose = (name: string, max: number): Rate => rate(`test.${name}`, max, 60_000, { strict: false })
  const flood = async (limiters: readonly SharedLimiter[], of: Rate, times: number, key = 'a') => {
    const decisions = await Promise.all(
      limiters.flatMap((limiter) => Array.from({ length: times }, () => limiter.take(of, key))),
    )
    return decisions.filter((decision) => decision.allowed).length
  }

  it.each([
    ['one by one', strict],
    ['in batches', loose],
  ])('lets exactly N through three processes at once, counted %s', async (name, kind) => {
    const three = [open(3).limiter, open(3).limiter, open(3).limiter]
    for (const max of [1, 7, 50, 100]) expect(await flood(three, kind(`exact ${name} ${max}`, max), max)).toBe(max)
  })

  it('keeps a strict limit over a restart, and a new window starts clean', async () => {
    const five = strict('restart', 5)
    const before = open(1).limiter
    expect(await flood([before], five, 5)).toBe(5)
    const after = open(1).limiter
    expect(await after.take(five, 'a')).toMatchObject({ allowed: false, limit: 5, remaining: 0, resetSeconds: 60 })
    clock.turn(59_999)
    expect(await after.take(five, 'a')).toMatchObject({ allowed: false, resetSeconds: 1 })
    clock.turn(1)
    expect(await after.take(five, 'a')).toMatchObject({ allowed: true, remaining: 4, resetSeconds: 60 })
    expect(await after.take(five, 'b')).toMatchObject({ allowed: true, remaining: 4 })
  })

  it('tells truly how many are left, whichever process is asked', async () => {
    const [one, two] = [open(2).limiter, open(2).limiter]
    const ten = strict('headers', 10)
    for (let asked = 1; asked <= 10; asked++)
      expect(await (asked % 2 ? one : two).take(ten, 'a')).toMatchObject({ allowed: true, remaining: 10 - asked })
  })

  it('gives back what an idle process has taken, so that another can use it', async () => {
    const [idle, busy] = [open(2).limiter, open(2).limiter]
    const hundred = loose('idle', 100)
    await idle.take(hundred, 'a')
    clock.turn(1_000)
    let passed = await flood([busy], hundred, 120)
    expect(passed).toBeGreaterThanOrEqual(89)
    await until('the rest came back', async () => {
      clock.turn(1)
      clock.turn(1_000)
      passed += await flood([busy], hundred, 1)
      return passed === 99
    })
    clock.turn(1_000)
    expect(await flood([busy], hundred, 20)).toBe(0)
  })

  it('asks nobody where one process counts what is not strict', () => {
    const { limiter } = open(1)
    expect(limiter.take(loose('memory', 100), 'a')).toMatchObject({ allowed: true, remaining: 99 })
  })

  it('keeps a share in each process while the store is lost, says so, and is back when it is', async () => {
    const inner = openStore()
    let isLost = false
    const refuse = async (): Promise<void> => {
      if (isLost) throw new Error('gone')
    }
    const store: RateStore = {
      ...inner,
      take: (key, ask) => refuse().then(() => inner.take(key, ask)),
      ping: () => refuse().then(() => inner.ping()),
    }
    const { limiter, log, metrics, health } = open(3, store)
    const nine = strict('lost', 9)
    expect(await flood([limiter], nine, 4)).toBe(4)
    isLost = true
    expect(await flood([limiter], nine, 20)).toBe(0)
    expect(await flood([limiter], nine, 20, 'b')).toBe(3)
    expect(log.lines.filter((line) => line.includes('each process keeps its share'))).toHaveLength(1)
    expect(await metrics.text()).toMatch(/limits_store_lost 1/)
    expect((await health.report()).status).toBe('degraded')
    isLost = false
    await until('the store is back', async () => /limits_store_lost 0/.test(await metrics.text()))
    expect(await flood([limiter], nine, 20)).toBe(5)
  })

  it('holds no address and no account in the store', async () => {
    await open(1).limiter.take(strict('private', 5), '203.0.113.7')
    const { rows } = await test.admin.query('select r::text as line from seaworthy.rates r')
    expect(JSON.stringify(rows)).not.toMatch(/203\.0|private/)
  })
})
