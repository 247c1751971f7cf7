import { openTestDatabase, type TestDatabase, until } from '@seaworthy/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createMemoryLogger } from '../telemetry/index.ts'
import { channel, publish } from './channel.ts'
import { type Feed, openFeed, type StoredEvent } from './feed.ts'

const news = channel({ name: 'test.news', auth: 'viewer', event: z.object({ n: z.number() }) })

describe('events', () => {
  let test: TestDatabase
  const feeds: Feed[] = []
  beforeAll(async () => {
    test = await openTestDatabase()
  })
  afterEach(async () => {
    for (const feed of feeds.splice(0)) await feed.stop()
  })
  afterAll(() => test.close())

  async function watch(gapMs = 40_000) {
    const seen: StoredEvent[] = []
    const feed = await openFeed({
      database: test.database,
      endpoint: test.endpoint,
      login: test.appLogin,
      log: createMemoryLogger(),
      deliver: (event) => void seen.push(event),
      gapMs,
    })
    feeds.push(feed)
    return { feed, seen, numbers: () => seen.map((event) => (event.payload as { n: number }).n) }
  }
  const say = (account: Awaited<ReturnType<TestDatabase['makeAccount']>>, n: number) =>
    test.database.withCaller(account, (tx) => publish(tx, account, news, { n }))

  it('reach every process once, after the commit and never without it', async () => {
    const account = await test.makeAccount()
    const [one, two] = [await watch(), await watch()]
    await say(account, 1)
    await test.database
      .withCaller(account, async (tx) => {
        await publish(tx, account, news, { n: -1 })
        throw new Error('undone')
      })
      .catch(() => undefined)
    await say(account, 2)
    await until('both heard', () => one.seen.length >= 2 && two.seen.length >= 2)
    expect(one.numbers()).toEqual([1, 2])
    expect(two.numbers()).toEqual([1, 2])
  })

  it('are not lost when a transaction that began earlier commits later', async () => {
    const account = await test.makeAccount()
    const { numbers } = await watch()
    let release: () => void = () => undefined
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const slow = test.database.withCaller(account, async (tx) => {
      await publish(tx, account, news, { n: 10 })
      await gate
    })
    await until('the early one has its id', async () => {
      const { rows } = await test.admin.query(
        `select 1 from pg_stat_activity where state = 'idle in transaction' and datname = current_database()`,
      )
      return rows.length > 0
    })
    await say(account, 11)
    await until('the later id is delivered', () => numbers().includes(11))
    release()
    await slow
    await until('the earlier id is delivered too', () => numbers().includes(10))
    expect(numbers()).toEqual([11, 10])
  })

  it('that were missed are given again from the cursor on, to their own account only', async () => {
    const [mine, theirs] = [await test.makeAccount(), await test.makeAccount()]
    const { feed, seen } = await watch()
    const { cursor } = feed
    await say(mine, 1)
    await say(theirs, 2)
    await say(mine, 3)
    await until('they were delivered', () => seen.length >= 3)
    const replay = await feed.since(mine.accountId, news.name, cursor)
    expect(replay?.map((event) => (event.payload as { n: number }).n)).toEqual([1, 3])
  })

  it('that nobody can know any more are said to be lost', async () => {
    const account = await test.makeAccount()
    const { feed, seen } = await watch()
    const { cursor } = feed
    await say(account, 1)
    await say(account, 2)
    await until('they were delivered', () => seen.length >= 2)
    await test.admin.query(
      'delete from seaworthy.events where id <= (select min(id) from seaworthy.events where account_id = $1)',
      [account.accountId],
    )
    expect(await feed.since(account.accountId, news.name, cursor)).toBeUndefined()
  })

  it('are said to be more than can be given at once, by their number and by their size', async () => {
    const [many, large] = [await test.makeAccount(), await test.makeAccount()]
    const { feed } = await watch()
    const { cursor } = feed
    await test.admin.query(
      `insert into seaworthy.events (account_id, channel, payload) select $1::uuid, $3::text, '{}'::jsonb from generate_series(1, 501)
       union all select $2::uuid, $3, to_jsonb(repeat('x', 100000)) from generate_series(1, 3)`,
      [many.accountId, large.accountId, news.name],
    )
    for (const { accountId } of [many, large]) {
      expect(await feed.since(accountId, news.name, cursor)).toBeUndefined()
      expect(await feed.recent(accountId, news.name)).toBeUndefined()
    }
    await test.admin.query(`delete from seaworthy.events where id in (
      select max(id) from seaworthy.events where account_id in ('${many.accountId}', '${large.accountId}') group by account_id)`)
    expect(await feed.recent(many.accountId, news.name)).toHaveLength(500)
    expect(await feed.recent(large.accountId, news.name)).toHaveLength(2)
  })

  it('are not lost to a process that began while a transaction with a smaller id was under way', async () => {
    const account = await test.makeAccount()
    const insert = `insert into seaworthy.events (account_id, channel, payload, created_at)
      values ('${account.accountId}', '${news.name}', '{"n": #}', now() - interval '@ seconds')`
    const lateId = (await test.admin.query("select nextval('seaworthy.events_id_seq')::float8 as id")).rows[0].id
    // Began fifty seconds ago, wrote and committed at the end of its life, thirty seconds later.
    await test.admin.query(insert.replace('#', '2').replace('@', '50'))
    const { feed, numbers } = await watch()
    expect(feed.cursor).toBeLessThan(lateId)
    await test.admin.query(
      insert
        .replace('(account_id', '(id, account_id')
        .replace('values (', `overriding system value values (${lateId}, `)
        .replace('#', '1')
        .replace('@', '5'),
    )
    await until('the late one is delivered', () => numbers().includes(1))
  })

  it('go on after the listening connection broke', async () => {
    const account = await test.makeAccount()
    const { numbers } = await watch()
    await test.admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'seaworthy-events' and datname = current_database()`,
    )
    await say(account, 5)
    await until('it was delivered all the same', () => numbers().includes(5), 5_000)
  })
})
