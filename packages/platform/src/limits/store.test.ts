import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { Secret } from '@seaworthy/core'
import { openTestDatabase, type TestDatabase, until } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRedis } from '../connections/index.ts'
import { openDatabase } from '../data/index.ts'
import { createPostgresStore } from './postgres-store.ts'
import { createRedisStore } from './redis-store.ts'
import type { RateStore } from './store.ts'

const START = Date.UTC(2026, 0, 1)
const WINDOW = 60_000
let keys = 0
const newKey = (): string => (++keys).toString(16).padStart(32, '0')

/** What every store must do. */
function behavesLikeAStore(open: () => RateStore, answers: () => Promise<void>): void {
  let store: RateStore
  beforeAll(async () => {
    await answers()
    store = open()
    await until('the store answers', () =>
      store.ping().then(
        () => true,
        () => undefined,
      ),
    )
  })
  afterAll(() => store.close())
  const take = (key: string, max: number, want = 1, now = START) =>
    store.take(key, { max, windowMs: WINDOW, want, now })

  it('gives exactly the limit to many at once', async () => {
    const key = newKey()
    const grants = await Promise.all(Array.from({ length: 300 }, () => take(key, 100)))
    expect(grants.filter(({ granted }) => granted === 1)).toHaveLength(100)
    expect(Math.max(...grants.map(({ used }) => used))).toBe(100)
  })

  it('gives part of what is wanted where that is all that is left', async () => {
    const key = newKey()
    expect(await take(key, 10, 7)).toEqual({ granted: 7, used: 7, startedMs: START })
    expect(await take(key, 10, 7, START + 1)).toEqual({ granted: 3, used: 10, startedMs: START })
    expect(await take(key, 10, 7, START + 2)).toEqual({ granted: 0, used: 10, startedMs: START })
    expect(await take(newKey(), 3, 7)).toEqual({ granted: 3, used: 3, startedMs: START })
  })

  it('begins a new window when the old one is over, and not a millisecond before', async () => {
    const key = newKey()
    await take(key, 2, 2)
    expect((await take(key, 2, 1, START + WINDOW - 1)).granted).toBe(0)
    expect(await take(key, 2, 1, START + WINDOW)).toEqual({ granted: 1, used: 1, startedMs: START + WINDOW })
  })

  it('takes back what was not used, and nothing into another window', async () => {
    const key = newKey()
    await take(key, 5, 5)
    await store.giveBack(key, START, 2)
    await store.giveBack(key, START - WINDOW, 2)
    expect(await take(key, 5, 5)).toMatchObject({ granted: 2, used: 5 })
  })

  it('obeys a limit that was lowered in the middle of a window', async () => {
    const key = newKey()
    await take(key, 50, 20)
    expect((await take(key, 10)).granted).toBe(0)
  })
}

describe('limits in PostgreSQL', () => {
  let test: TestDatabase
  afterAll(() => test.close())
  const limits = { max: 2, waitMs: 10_000, statementMs: 10_000, transactionMs: 20_000 }
  behavesLikeAStore(
    () => createPostgresStore(openDatabase({ endpoint: test.endpoint, login: test.appLogin, name: 'limits', limits })),
    async () => {
      test = await openTestDatabase()
    },
  )
})

const redisServer = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find((path) => existsSync(path))

// Without a server these are reported as skipped; scripts/install-test-tools.sh installs it.
describe.skipIf(!redisServer)('limits in Redis', () => {
  let server: ChildProcess
  let port: number
  const start = (): void => {
    server = spawn(redisServer ?? '', ['--port', String(port), '--save', '', '--bind', '127.0.0.1'], {
      stdio: 'ignore',
    })
  }
  afterAll(() => void server.kill('SIGKILL'))
  behavesLikeAStore(
    () => createRedisStore(openRedis(new Secret(`redis://127.0.0.1:${port}`))),
    async () => {
      port = await freePort()
      start()
    },
  )

  it('fails at once while Redis is away, and works when it is back', async () => {
    const store = createRedisStore(openRedis(new Secret(`redis://127.0.0.1:${port}`)))
    const works = () =>
      store.take(newKey(), { max: 1, windowMs: WINDOW, want: 1, now: START }).then(
        () => true,
        () => false,
      )
    await until('it works', works)
    const gone = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGKILL')
    await gone
    const startedMs = performance.now()
    expect(await works()).toBe(false)
    expect(performance.now() - startedMs).toBeLessThan(10_000)
    start()
    await until('it works again', works)
    await store.close()
  })
})

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
