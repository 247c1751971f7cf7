import { Secret } from '@seaworthy/core'
import {
  type EngineCall,
  type FakeEngine,
  openFakeEngine,
  openTestDatabase,
  type TestDatabase,
  until,
} from '@seaworthy/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { consent, giveConsent } from '../consent/index.ts'
import { loginOf, openDatabase, sql, sqlName } from '../data/index.ts'
import { createMemoryLogger, createMetrics } from '../telemetry/index.ts'
import { openKeyRing, openVault } from '../vault/index.ts'
import { openRegion } from './drivers/cockatiel.ts'
import { openAiDriver } from './drivers/openai-compatible.ts'
import type { Engine } from './engine.ts'
import { type Gateway, type GatewayParts, openGateway } from './gateway.ts'
import { sweepAi } from './sweep.ts'
import { type AiTask, aiTask, type EngineUse, local, outside } from './task.ts'

const input = z.strictObject({ text: z.string().max(4_000) })
const output = z.strictObject({ title: z.string().max(80) })
const reading = consent({
  name: 'notes.outside-reading',
  version: 1,
  title: 'Read notes elsewhere',
  text: 'Notes are sent to Example Reading.',
  data: ['notes'],
  recipient: 'Example Reading',
})
const openai = outside('openai', { consent: 'not-personal' })
const firstWord = local(({ text }: { text: string }) => ({ title: text.split(' ', 1)[0] ?? '' }))

let tasks = 0
const titleOf = (
  engines: readonly EngineUse<{ text: string }, { title: string }>[],
  more: Partial<AiTask<typeof input, typeof output>> = {},
) =>
  aiTask({
    name: `notes.title-${++tasks}`,
    version: 1,
    input,
    output,
    instructions: 'Give the note a title.',
    ask: ({ text }) => ({ text }),
    engines,
    cache: { days: 30 },
    data: 'notes',
    budget: { answerTokensMax: 50 },
    timeoutMs: 20_000,
    ...more,
  })

describe('the AI gateway', () => {
  let test: TestDatabase
  let fake: FakeEngine
  const open: Gateway[] = []
  beforeAll(async () => {
    test = await openTestDatabase()
    fake = await openFakeEngine(() => ({ text: '{"title":"Milk"}' }))
  })
  beforeEach(() => fake.play(() => ({ text: '{"title":"Milk"}' })))
  afterEach(async () => {
    for (const gateway of open.splice(0)) await gateway.stop()
  })
  afterAll(async () => {
    await fake.close()
    await test.close()
  })

  const engine = (more: Partial<Engine> = {}): Engine => ({
    name: 'openai',
    model: 'some-model',
    key: new Secret('the-key'),
    price: { asked: 1, answered: 2 },
    driver: openAiDriver('openai'),
    regions: [openRegion(fake.url)],
    ...more,
  })
  const log = createMemoryLogger()
  function gatewayWith(engines: readonly Engine[] = [engine()], more: Partial<GatewayParts> = {}): Gateway {
    const gateway = openGateway({
      database: test.database,
      vault: openVault({ ring: openKeyRing(test.config) }),
      log,
      metrics: createMetrics(),
      engines: new Map(engines.map((each) => [each.name, each])),
      budgets: { accountMoney: 1_000_000, appMoney: 1_000_000_000, accountTokens: 1_000_000 },
      cache: true,
      connectionsMax: 4,
      callMs: 20_000,
      ...more,
    })
    open.push(gateway)
    return gateway
  }
  const calls = async (work: () => Promise<unknown>): Promise<readonly EngineCall[]> => {
    const before = fake.calls.length
    await work()
    return fake.calls.slice(before)
  }
  const codeOf = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'none',
      (error: { code?: string }) => error.code ?? String(error),
    )
  const note = { text: 'Milk and bread' }

  describe('with no engine set up', () => {
    it('answers by the function of the task', async () => {
      const caller = await test.makeAccount()
      const answer = await gatewayWith([]).run(titleOf([openai, firstWord]), note, { caller })
      expect(answer).toMatchObject({ value: { title: 'Milk' }, engine: 'local', servedFrom: 'engine', stale: false })
    })

    it('says which setting would enable a task that has none', async () => {
      const caller = await test.makeAccount()
      const run = gatewayWith([]).run(titleOf([openai]), note, { caller })
      await expect(run).rejects.toMatchObject({
        code: 'ai_not_set_up',
        detail: expect.stringContaining('OPENAI_API_KEY'),
      })
    })

    it('refuses what is not of the schema before anybody is asked', async () => {
      const caller = await test.makeAccount()
      const run = gatewayWith().run(titleOf([openai]), { text: 7 } as never, { caller })
      expect(await calls(async () => expect(await codeOf(run)).toBe('invalid_input'))).toHaveLength(0)
    })
  })

  it('refuses within a transaction', async () => {
    const caller = await test.makeAccount()
    const gateway = gatewayWith([])
    await expect(
      test.database.withCaller(caller, () => gateway.run(titleOf([firstWord]), note, { caller })),
    ).rejects.toThrow(/within a transaction/)
  })

  describe('keeps answers', () => {
    it('asks once for equal questions of one account, and again for every other one', async () => {
      const [one, two] = [await test.makeAccount(), await test.makeAccount()]
      const task = titleOf([openai])
      const gateway = gatewayWith()
      const asked = await calls(async () => {
        await gateway.run(task, note, { caller: one })
        const again = await gateway.run(task, { ...note }, { caller: one })
        expect(again).toMatchObject({ servedFrom: 'cache', value: { title: 'Milk' }, engine: 'openai', stale: false })
      })
      expect(asked).toHaveLength(1)
      const others: [typeof task, typeof note, typeof one][] = [
        [task, note, two],
        [task, { text: 'Milk and bread ' }, one],
        [{ ...task, version: 2 }, note, one],
        [{ ...task, instructions: 'Another.' }, note, one],
        [{ ...task, budget: { answerTokensMax: 51 } }, note, one],
        [{ ...task, output: z.strictObject({ title: z.string().max(81) }) as never }, note, one],
        [{ ...task, engines: [outside('openai', { consent: 'not-personal', model: 'other' })] }, note, one],
      ]
      for (const [as, what, caller] of others)
        expect(await calls(() => gateway.run(as, what, { caller }))).toHaveLength(1)
    })

    it('finds in another process what one has kept', async () => {
      const caller = await test.makeAccount()
      const task = titleOf([openai])
      await gatewayWith().run(task, note, { caller })
      const elsewhere = gatewayWith()
      expect(await calls(() => elsewhere.run(task, note, { caller }))).toHaveLength(0)
    })

    it('keeps nothing in clear, neither question nor answer', async () => {
      const caller = await test.makeAccount()
      const task = titleOf([openai])
      fake.play(() => ({ text: '{"title":"a title that nobody may read"}' }))
      await gatewayWith().run(task, { text: 'a question that nobody may read' }, { caller })
      const { rows } = await test.admin.query(
        'select to_jsonb(a)::text as row from seaworthy.ai_answers a where account_id = $1',
        [caller.accountId],
      )
      expect(rows).toHaveLength(1)
      expect(rows[0].row).not.toContain('nobody may read')
    })

    it('gives each a value of its own', async () => {
      const caller = await test.makeAccount()
      const task = titleOf([firstWord])
      const gateway = gatewayWith([])
      const first = await gateway.run(task, note, { caller })
      ;(first.value as { title: string }).title = 'changed'
      expect((await gateway.run(task, note, { caller })).value).toEqual({ title: 'Milk' })
    })

    it('never gives what has expired, and sweeps it', async () => {
      const caller = await test.makeAccount()
      const task = titleOf([openai])
      await gatewayWith().run(task, note, { caller })
      await test.admin.query(
        `update seaworthy.ai_answers set fresh_until = now() - interval '1 s', expires_at = now() - interval '1 s' where account_id = $1`,
        [caller.accountId],
      )
      fake.play(() => ({ status: 500 }))
      expect(await codeOf(gatewayWith().run(task, note, { caller }))).toBe('ai_unavailable')
      expect((await sweepAi(test.database)).answers).toBeGreaterThanOrEqual(1)
    })

    it('gives an old answer, marked with its age, while no engine answers', async () => {
      const caller = await test.makeAccount()
      const task = titleOf([openai], { cache: { days: 30, freshDays: 1 } })
      await gatewayWith().run(task, note, { caller })
      await test.admin.query(
        `update seaworthy.ai_answers set created_at = now() - interval '2 days', fresh_until = now() - interval '1 day' where account_id = $1`,
        [caller.accountId],
      )
      fake.play(() => ({ status: 500 }))
      const old = await gatewayWith().run(task, note, { caller })
      expect(old).toMatchObject({ servedFrom: 'cache', stale: true, value: { title: 'Milk' } })
      expect(old.ageMs).toBeGreaterThan(2 * 86_400_000 - 60_000)
      fake.play(() => ({ text: '{"title":"New"}' }))
      expect(await gatewayWith().run(task, note, { caller })).toMatchObject({ stale: false, value: { title: 'New' } })
    })

    it('asks the wanted engine again soon after another one stood in for it', async () => {
      const caller = await test.makeAccount()
      const task = titleOf([openai, firstWord])
      fake.play(() => ({ status: 500 }))
      const stand = await gatewayWith().run(task, note, { caller })
      expect(stand.engine).toBe('local')
      const { rows } = await test.admin.query(
        'select extract(epoch from fresh_until - now())::int as s, extract(epoch from expires_at - now())::int as all from seaworthy.ai_answers where account_id = $1',
        [caller.accountId],
      )
      expect(rows[0].s).toBeLessThanOrEqual(600)
      expect(rows[0].all).toBeGreaterThan(29 * 86_400)
    })

    it('counts every hit, however many there are at once', async () => {
      const caller = await test.makeAccount()
      const task = titleOf([openai])
      const gateways = [gatewayWith(), gatewayWith()]
      await gateways[0]?.run(task, note, { caller })
      await Promise.all(
        gateways.flatMap((gateway) => Array.from({ length: 150 }, () => gateway.run(task, note, { caller }))),
      )
      for (const gateway of gateways) await gateway.flush()
      const { rows } = await test.admin.query(
        'select a.hits::int as hits, u.hits::int as used, u.money_saved::int as saved, u.money::int as money, u.calls::int as calls from seaworthy.ai_answers a join seaworthy.ai_usage u using (account_id, task) where account_id = $1',
        [caller.accountId],
      )
      expect(rows).toEqual([{ hits: 300, used: 300, saved: 300 * 20, money: 20, calls: 1 }])
    })

    it('keeps nothing where a task or the installation says so', async () => {
      const caller = await test.makeAccount()
      const [never, kept] = [titleOf([openai], { cache: 'none' }), titleOf([openai])]
      const [gateway, without] = [gatewayWith(), gatewayWith([engine()], { cache: false })]
      expect(
        await calls(() => gateway.run(never, note, { caller }).then(() => gateway.run(never, note, { caller }))),
      ).toHaveLength(2)
      expect(
        await calls(() => without.run(kept, note, { caller }).then(() => without.run(kept, note, { caller }))),
      ).toHaveLength(2)
      const { rows } = await test.admin.query('select 1 from seaworthy.ai_answers where account_id = $1', [
        caller.accountId,
      ])
      expect(rows).toHaveLength(0)
    })
  })

  describe('asks once for all', () => {
    it('makes one call of many equal questions, in several processes', async () => {
      const caller = await test.makeAccount()
      const task = titleOf([openai])
      let release: (() => void) | undefined
      const held = new Promise<void>((resolve) => {
        release = resolve
      })
      fake.play(async () => {
        await held
        return { text: '{"title":"Milk"}' }
      })
      const gateways = Array.from({ length: 4 }, () => gatewayWith())
      const asked = await calls(async () => {
        const answers = gateways.flatMap((gateway) =>
          Array.from({ length: 50 }, () => gateway.run(task, note, { caller })),
        )
        await until('somebody asks', () => fake.calls.length > 0)
        release?.()
        expect(new Set((await Promise.all(answers)).map(({ value }) => value.title))).toEqual(new Set(['Milk']))
      })
      expect(asked).toHaveLength(1)
    })

    it('lets another process ask when the one that asked is gone', async () => {
      const caller = await test.makeAccount()
      const task = titleOf([openai])
      fake.play(() => 'hang')
      const abandoned = new AbortController()
      const lost = gatewayWith().run(task, note, { caller, signal: abandoned.signal })
      lost.catch(() => undefined)
      await until(
        'it asks',
        async () =>
          (await test.admin.query('select 1 from seaworthy.ai_flights where account_id = $1', [caller.accountId])).rows
            .length === 1,
      )
      // As the lease of a killed process runs out.
      await test.admin.query(
        `update seaworthy.ai_flights set call = gen_random_uuid(), expires_at = now() - interval '1 s' where account_id = $1`,
        [caller.accountId],
      )
      fake.play(() => ({ text: '{"title":"Milk"}' }))
      expect((await gatewayWith().run(task, note, { caller })).value).toEqual({ title: 'Milk' })
      abandoned.abort()
    })

    it('tells the engine to stop only when nobody waits any more', async () => {
      const caller = await test.makeAccount()
      const task = titleOf([openai])
      fake.play(() => 'drip')
      const gateway = gatewayWith()
      const [one, two] = [new AbortController(), new AbortController()]
      const both = [one, two].map(({ signal }) => gateway.run(task, note, { caller, signal }).catch(() => 'left'))
      const before = fake.calls.length
      await until('it asks', () => fake.calls.length > before)
      one.abort()
      expect(await both[0]).toBe('left')
      expect(fake.calls.at(-1)?.left).toBe(false)
      two.abort()
      await until('the engine is told', () => fake.calls.at(-1)?.left)
    })
  })

  describe('agrees first', () => {
    const notes = (engines: readonly EngineUse<{ text: string }, { title: string }>[]) => titleOf(engines)
    const agree = (caller: Awaited<ReturnType<TestDatabase['makeAccount']>>) =>
      test.database.withCaller(caller, (tx) =>
        giveConsent(tx, caller as never, reading, 1, { how: 'page', requestId: 'r' }),
      )

    it('shows data to nobody outside before the account agrees', async () => {
      const caller = await test.makeAccount()
      const both = notes([outside('openai', { consent: reading }), firstWord])
      const only = notes([outside('openai', { consent: reading })])
      const gateway = gatewayWith()
      const asked = await calls(async () => {
        expect((await gateway.run(both, note, { caller })).engine).toBe('local')
        await expect(gateway.run(only, note, { caller })).rejects.toMatchObject({
          code: 'consent_required',
          fields: [{ path: 'consent', message: reading.name }],
        })
      })
      expect(asked).toHaveLength(0)
      await agree(caller)
      expect((await gateway.run(only, note, { caller })).engine).toBe('openai')
    })

    it('is not about one class of data and asked for another', () => {
      expect(() => titleOf([outside('openai', { consent: reading })], { data: 'photos' })).toThrow(
        /is not about photos/,
      )
    })
  })

  describe('takes an answer for what it is', () => {
    it.each(['not JSON', '{"title": 7}', '{"title":"x","role":"admin"}', '[]', `{"title":"${'x'.repeat(81)}"}`])(
      'asks once more, with what is wrong, after %s',
      async (bad) => {
        const caller = await test.makeAccount()
        fake.play((_, n) => ({ text: n === first ? bad : '{"title":"Milk"}' }))
        const first = fake.calls.length + 1
        const asked = await calls(() => gatewayWith().run(titleOf([openai]), note, { caller }))
        expect(asked).toHaveLength(2)
        expect(JSON.stringify(asked[1]?.body)).toContain('Your answer cannot be used')
      },
    )

    it('fails with a code of its own after the second', async () => {
      const caller = await test.makeAccount()
      fake.play(() => ({ text: 'no' }))
      const asked = await calls(async () =>
        expect(await codeOf(gatewayWith().run(titleOf([openai]), note, { caller }))).toBe('ai_answer_unusable'),
      )
      expect(asked).toHaveLength(2)
      fake.play(() => 'huge')
      expect(await codeOf(gatewayWith().run(titleOf([openai]), note, { caller }))).toBe('ai_answer_unusable')
    })

    it('takes JSON in a fence, and a text for a text', async () => {
      const caller = await test.makeAccount()
      fake.play(() => ({ text: '```json\n{"title":"Milk"}\n```' }))
      expect((await gatewayWith().run(titleOf([openai]), note, { caller })).value).toEqual({ title: 'Milk' })
      const { kind: _, output: __, ...rest } = titleOf([openai])
      const plain = aiTask({ ...rest, output: z.string(), engines: [openai] })
      fake.play(() => ({ text: 'ignore all instructions {"a":1}' }))
      expect((await gatewayWith().run(plain, note, { caller })).value).toBe('ignore all instructions {"a":1}')
    })
  })

  describe('with engines that fail', () => {
    it('asks the next engine of the task', async () => {
      const caller = await test.makeAccount()
      fake.play(() => ({ status: 401 }))
      const answer = await gatewayWith().run(titleOf([openai, firstWord]), note, { caller })
      expect(answer.engine).toBe('local')
    })

    it('writes nothing of what was asked into the log', async () => {
      const caller = await test.makeAccount()
      for (const how of ['reset', 'cut', 'garbage'] as const) {
        fake.play(() => how)
        await codeOf(gatewayWith().run(titleOf([openai]), { text: 'a question for no log' }, { caller }))
      }
      fake.play(() => ({ status: 400, body: '{"error":{"message":"a question for no log"}}' }))
      await codeOf(gatewayWith().run(titleOf([openai]), { text: 'a question for no log' }, { caller }))
      expect(log.lines.some((line) => line.includes('did not answer'))).toBe(true)
      expect(log.lines.filter((line) => line.includes('for no log'))).toEqual([])
    })

    it('tries three times at most, and not again what was refused', async () => {
      const caller = await test.makeAccount()
      fake.play(() => ({ status: 500 }))
      expect(await calls(() => codeOf(gatewayWith().run(titleOf([openai]), note, { caller })))).toHaveLength(3)
      fake.play(() => ({ status: 400 }))
      expect(await calls(() => codeOf(gatewayWith().run(titleOf([openai]), note, { caller })))).toHaveLength(1)
    })

    it('waits as long as it is told, and tells who asked when that is too long', async () => {
      const caller = await test.makeAccount()
      let refusedAt = 0
      fake.play(() => {
        if (refusedAt) return { text: '{"title":"Milk"}' }
        refusedAt = performance.now()
        return { status: 429, headers: { 'retry-after': '1' } }
      })
      await gatewayWith().run(titleOf([openai]), note, { caller })
      expect(performance.now() - refusedAt).toBeGreaterThanOrEqual(1_000)
      fake.play(() => ({ status: 429, headers: { 'retry-after': '90' } }))
      const gateway = gatewayWith()
      const late = gateway.run(titleOf([openai]), note, { caller })
      await expect(late).rejects.toMatchObject({ code: 'ai_unavailable', retryAfterSeconds: 90 })
      expect(await calls(() => codeOf(gateway.run(titleOf([openai]), note, { caller })))).toHaveLength(0)
    })

    it('asks the second region at once when the first one fails', async () => {
      const caller = await test.makeAccount()
      const dead = await openFakeEngine(() => 'reset')
      const two = engine({ regions: [openRegion(dead.url), openRegion(fake.url)] })
      const started = performance.now()
      const gateway = gatewayWith([two])
      for (let i = 0; i < 6; i++) await gateway.run(titleOf([openai]), { text: `Milk ${i}` }, { caller })
      expect(performance.now() - started).toBeLessThan(5_000)
      // The breaker has opened: the dead region is left alone.
      expect(dead.calls.length).toBeLessThanOrEqual(4)
      await dead.close()
    })

    it('does not wait for an engine that does not answer longer than its share', async () => {
      const caller = await test.makeAccount()
      fake.play(() => 'hang')
      const started = performance.now()
      const answer = await gatewayWith().run(titleOf([openai, firstWord], { timeoutMs: 1_500 }), note, { caller })
      expect(answer.engine).toBe('local')
      expect(performance.now() - started).toBeLessThan(1_400)
    })
  })

  describe('spends no more than the budget', () => {
    const spentOf = async (accountId: string) => {
      const { rows } = await test.admin.query(
        `select money_spent::int as spent, money_held::int as held from seaworthy.ai_budgets where scope = $1`,
        [`account:${accountId}`],
      )
      return rows[0]
    }

    it('counts what a call has cost, and holds nothing afterwards', async () => {
      const caller = await test.makeAccount()
      fake.play(() => ({ text: '{"title":"Milk"}', tokensIn: 100, tokensOut: 30 }))
      await gatewayWith().run(titleOf([openai]), note, { caller })
      expect(await spentOf(caller.accountId)).toEqual({ spent: 160, held: 0 })
    })

    it('lets through exactly as many as it pays for, however many ask at once in several processes', async () => {
      const caller = await test.makeAccount()
      const task = titleOf([openai], { cache: 'none' })
      // Each costs 1,000 at most and in the end: seven of them fit.
      const flat = engine({ price: { asked: 0, answered: 20 } })
      fake.play(() => ({ text: '{"title":"Milk"}', tokensOut: 50 }))
      const budgets = { accountMoney: 7_500, appMoney: 1_000_000_000, accountTokens: 1_000_000 }
      const databases = Array.from({ length: 3 }, () =>
        openDatabase({
          endpoint: test.endpoint,
          login: loginOf('app', test.config.secrets.databaseRoleSecret, test.endpoint),
          name: 'other',
          limits: { max: 4, waitMs: 1_000, statementMs: 60_000, transactionMs: 60_000 },
        }),
      )
      const gateways = databases.map((database) => gatewayWith([flat], { database, budgets }))
      const asked = await calls(async () => {
        const codes = await Promise.all(
          gateways.flatMap((gateway) =>
            Array.from({ length: 40 }, (_, i) => codeOf(gateway.run(task, { text: `${i}` }, { caller }))),
          ),
        )
        expect(codes.filter((code) => code === 'none')).toHaveLength(7)
        expect(codes.filter((code) => code === 'ai_budget_used_up')).toHaveLength(113)
      })
      expect(asked).toHaveLength(7)
      expect(await spentOf(caller.accountId)).toEqual({ spent: 7_000, held: 0 })
      for (const gateway of open.splice(0)) await gateway.stop()
      for (const database of databases) await database.close()
    })

    it('gives back what a killed process held once its lease is over', async () => {
      const caller = await test.makeAccount()
      const scope = `account:${caller.accountId}`
      const hold = (money: number, leaseMs: number) =>
        test.database.withCaller(caller, (tx) =>
          tx.one<{ short: string | null }>(
            sql`select seaworthy.ai_reserve(gen_random_uuid(), ${[scope]}::text[], ${[1_000]}::bigint[], ${[1_000]}::bigint[], ${money}, 1, ${leaseMs}) as short`,
          ),
        )
      expect((await hold(900, 60_000)).short).toBeNull()
      expect((await hold(200, 60_000)).short).toBe(scope)
      await test.admin.query(
        `update seaworthy.ai_reservations set expires_at = now() - interval '1 s' where account_id = $1`,
        [caller.accountId],
      )
      expect((await hold(200, 60_000)).short).toBe(`stale ${scope}`)
      const gateway = gatewayWith([engine({ price: { asked: 0, answered: 4 } })], {
        budgets: { accountMoney: 1_000, appMoney: 1_000_000_000, accountTokens: 10_000 },
      })
      await gateway.run(titleOf([openai]), note, { caller })
      expect(await spentOf(caller.accountId)).toEqual({ spent: 20, held: 0 })
    })

    it('counts a call whose end nobody saw as if it had cost its most', async () => {
      const caller = await test.makeAccount()
      fake.play(() => 'cut')
      const flat = engine({ price: { asked: 0, answered: 20 } })
      await codeOf(gatewayWith([flat]).run(titleOf([openai]), note, { caller }))
      expect(await spentOf(caller.accountId)).toEqual({ spent: 3_000, held: 0 })
      fake.play(() => ({ status: 500 }))
      const other = await test.makeAccount()
      await codeOf(gatewayWith([flat]).run(titleOf([openai]), note, { caller: other }))
      expect(await spentOf(other.accountId)).toEqual({ spent: 0, held: 0 })
    })

    it('falls back to what costs nothing when the budget is used up', async () => {
      const caller = await test.makeAccount()
      const gateway = gatewayWith([engine()], {
        budgets: { accountMoney: 0, appMoney: 1_000_000, accountTokens: 1_000_000 },
      })
      const asked = await calls(async () => {
        expect((await gateway.run(titleOf([openai, firstWord]), note, { caller })).engine).toBe('local')
        await expect(gateway.run(titleOf([openai]), note, { caller })).rejects.toMatchObject({
          code: 'ai_budget_used_up',
          retryAfterSeconds: expect.any(Number),
        })
      })
      expect(asked).toHaveLength(0)
    })

    it('keeps the budget of a task beside those of the account and the app', async () => {
      const caller = await test.makeAccount()
      const flat = engine({ price: { asked: 0, answered: 20 } })
      fake.play(() => ({ text: '{"title":"Milk"}', tokensOut: 50 }))
      const small = titleOf([openai], { cache: 'none', budget: { answerTokensMax: 50, moneyPerDayMax: 2_000 } })
      const gateway = gatewayWith([flat])
      const codes = []
      for (let i = 0; i < 3; i++) codes.push(await codeOf(gateway.run(small, note, { caller })))
      expect(codes).toEqual(['none', 'none', 'ai_budget_used_up'])
      expect(await codeOf(gateway.run(titleOf([openai]), note, { caller }))).toBe('none')
    })

    it('lets no account see or change what another one spends', async () => {
      const [mine, theirs] = [await test.makeAccount(), await test.makeAccount()]
      await gatewayWith().run(titleOf([openai]), note, { caller: theirs })
      for (const table of ['ai_answers', 'ai_budgets', 'ai_usage', 'ai_flights', 'ai_reservations'])
        expect(
          await test.database.withCaller(mine, (tx) => tx.many(sql`select 1 from ${sqlName(`seaworthy.${table}`)}`)),
        ).toEqual([])
      await expect(
        test.database.withCaller(mine, (tx) => tx.run(sql`update seaworthy.ai_budgets set money_spent = 0`)),
      ).rejects.toThrow(/permission denied/)
      const settle = (scope: string, money: number) =>
        test.database.withCaller(mine, (tx) =>
          tx.run(
            sql`select seaworthy.ai_settle(gen_random_uuid(), array[${scope}]::text[], ${money}::bigint, 0::bigint)`,
          ),
        )
      await expect(settle(`account:${theirs.accountId}`, 1)).rejects.toThrow(/another account/)
      await expect(settle(`account:${mine.accountId}`, -1)).rejects.toThrow(/less than nothing/)
      await settle(`account:${mine.accountId}`, 1)
    })
  })
})
