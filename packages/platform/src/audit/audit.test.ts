import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AccountId, type Clock, DAY, newId, Secret, systemClock, type UserId } from '@seaworthy/core'
import { openTestDatabase, type TestDatabase, turnableClock } from '@seaworthy/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Database, loginOf, openDatabase } from '../data/index.ts'
import { createMemoryLogger } from '../telemetry/index.ts'
import { toCsv } from './format.ts'
import { openHeadsFile } from './heads.ts'
import type { AuditLine } from './line.ts'
import { recordAudit, recordEvent } from './record.ts'
import { createSealKey } from './seal.ts'
import { readSealLag, sealWaiting } from './sealer.ts'
import { verifyAudit } from './verify.ts'

const secret = new Secret('0123456789abcdef0123456789abcdef0123456789abcdef')
const origin = {
  network: '203.0.x.x',
  userAgent: 'test',
  requestId: 'r',
  method: 'POST',
  route: '/api/x',
  path: '/api/x',
}
const entry = { kind: 'change', action: 'thing_make', outcome: 'done', status: 201, durationMs: 1, origin } as const

describe('the audit', () => {
  let test: TestDatabase
  let worker: Database
  let directory: string
  const people: { accountId: AccountId; userId: UserId }[] = []

  beforeEach(async () => {
    test = await openTestDatabase()
    const login = loginOf('worker', test.config.secrets.databaseRoleSecret, test.endpoint)
    const limits = { max: 1, waitMs: 1_000, statementMs: 5_000, transactionMs: 10_000 }
    worker = openDatabase({ endpoint: test.endpoint, login, name: 'sealer', limits })
    directory = mkdtempSync(join(tmpdir(), 'audit-'))
    people.splice(0, people.length, await test.makeAccount(), await test.makeAccount())
  })
  afterEach(async () => {
    await worker.close()
    await test.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const heads = () => openHeadsFile(directory)
  const key = createSealKey(secret)
  const seal = (by = key, clock: Clock = systemClock) =>
    sealWaiting({ database: worker, key: by, heads: heads(), clock, log: createMemoryLogger() })
  const verify = async (forgottenBefore = 0) => {
    const known = await heads().read()
    return verifyAudit({
      client: test.admin,
      key,
      known,
      forgottenBefore: Math.max(forgottenBefore, known.forgottenBefore),
    })
  }
  const write = async (person = people[0], count = 1) => {
    for (let i = 0; i < count; i++)
      await test.database.withDuty('identity', (tx) =>
        recordAudit(tx, person && { ...person }, { ...entry, details: { number: i } }),
      )
  }
  /** Six lines in three chains, sealed. */
  const prepare = async () => {
    await write(people[0], 3)
    await write(people[1], 2)
    await test.database.withDuty('identity', (tx) =>
      recordEvent(tx, {
        action: 'sign_in_failed',
        outcome: 'refused',
        origin,
        details: { password: 'hunter2', way: 'password' },
      }),
    )
    expect(await seal()).toBe(6)
  }
  const chain = () => people[0]?.accountId
  const lineAt = async (seq: number): Promise<string> =>
    (await test.admin.query('select line_id from seaworthy.audit_seals where chain = $1 and seq = $2', [chain(), seq]))
      .rows[0].line_id

  it('is whole when nobody touched it, with a chain for each account and one for lines without', async () => {
    await prepare()
    await write()
    await seal()
    expect(await verify()).toEqual({ chains: 3, lines: 7, waiting: 0, faults: [] })
    expect(await readSealLag(worker)).toEqual({ seconds: 0, lines: 0 })
  })

  it('keeps no secrets in details', async () => {
    await prepare()
    const { rows } = await test.admin.query(`select details from seaworthy.audit where action = 'sign_in_failed'`)
    expect(rows[0].details).toEqual({ password: '[REDACTED]', way: 'password' })
  })

  it.each([
    ['changed', 2, `update seaworthy.audit set outcome = 'refused' where id = $1`],
    ['changed', 2, `update seaworthy.audit set created_at = created_at + interval '1 microsecond' where id = $1`],
    ['changed', 2, `update seaworthy.audit set user_agent = null where id = $1`],
    ['changed', 2, `update seaworthy.audit_seals set sealed_at = sealed_at - interval '1 day' where line_id = $1`],
    ['missing', 2, 'delete from seaworthy.audit where id = $1'],
  ])('names a line that was %s', async (kind, seq, sql) => {
    await prepare()
    const id = await lineAt(seq)
    await test.admin.query(sql, [id])
    const { faults } = await verify()
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatchObject({ kind, chain: chain(), seq, lineId: id })
  })

  it('names the place of a line that was removed together with its seal', async () => {
    await prepare()
    const id = await lineAt(2)
    await test.admin.query('delete from seaworthy.audit_seals where line_id = $1', [id])
    await test.admin.query('delete from seaworthy.audit where id = $1', [id])
    expect((await verify()).faults[0]).toMatchObject({ kind: 'missing', chain: chain(), seq: 2 })
  })

  it('names two lines that changed places', async () => {
    await prepare()
    await test.admin.query('alter table seaworthy.audit_seals drop constraint audit_seals_seq_check')
    await test.admin.query(
      'update seaworthy.audit_seals set seq = case seq when 2 then -3 else -2 end where chain = $1 and seq in (2, 3)',
      [chain()],
    )
    await test.admin.query(`update seaworthy.audit_seals set seq = -seq where seq < 0`)
    expect((await verify()).faults[0]).toMatchObject({ kind: 'reordered', chain: chain(), seq: 2 })
  })

  it('names a line that was slipped in past the trigger', async () => {
    await prepare()
    await test.admin.query('alter table seaworthy.audit disable trigger await_seal')
    await write()
    const { faults } = await verify()
    expect(faults).toHaveLength(1)
    expect(faults[0]).toMatchObject({ kind: 'inserted', chain: chain() })
  })

  it('names a line that says it is older than those before it', async () => {
    await prepare()
    await write()
    await test.admin.query(
      `update seaworthy.audit set created_at = created_at - interval '2 days' where id = (select id from seaworthy.audit_unsealed)`,
    )
    await seal()
    expect((await verify()).faults[0]).toMatchObject({ kind: 'inserted', chain: chain(), seq: 4 })
  })

  it('finds that the end of a chain was cut off, by what is kept outside the database', async () => {
    await prepare()
    const id = await lineAt(3)
    await test.admin.query('delete from seaworthy.audit_seals where line_id = $1', [id])
    await test.admin.query('delete from seaworthy.audit where id = $1', [id])
    expect((await verify()).faults).toMatchObject([{ kind: 'truncated', chain: chain(), seq: 3 }])
    // Also when the chain has grown again since.
    await write(people[0], 2)
    await seal()
    const all = await openHeadsFile(directory).read()
    expect(all.heads.get(chain() ?? '')?.seq).toBe(4)
  })

  it('finds that everything was removed', async () => {
    await prepare()
    await test.admin.query('truncate seaworthy.audit, seaworthy.audit_seals, seaworthy.audit_unsealed')
    const { faults } = await verify()
    expect(faults.map(({ kind }) => kind)).toEqual(['truncated', 'truncated', 'truncated'])
  })

  it('cannot be sealed again by somebody without the key', async () => {
    await prepare()
    const id = await lineAt(3)
    await test.admin.query(`update seaworthy.audit set action = 'nothing' where id = $1`, [id])
    await test.admin.query('delete from seaworthy.audit_seals where line_id = $1', [id])
    await test.admin.query('insert into seaworthy.audit_unsealed (id) values ($1)', [id])
    await seal(createSealKey(new Secret('ffffffffffffffffffffffffffffffffffffffffffffffff')))
    expect((await verify()).faults[0]).toMatchObject({ chain: chain(), seq: 3 })
  })

  it('takes lines and seals from nobody but its own roles', async () => {
    await prepare()
    const app = test.database
    for (const text of [
      'update seaworthy.audit set action = action',
      'delete from seaworthy.audit',
      'truncate seaworthy.audit',
      'select 1 from seaworthy.audit_seals',
      'delete from seaworthy.audit_unsealed',
      'select seaworthy.lines_to_seal(1)',
      'select seaworthy.seal_heads(array[]::uuid[])',
      'select seaworthy.forget_audit(400, 10)',
    ])
      await expect(
        app.withDuty('identity', (tx) => tx.run({ compile: () => ({ sql: text, parameters: [] }) as never })),
        text,
      ).rejects.toThrow(/permission denied|janitor only/)
    for (const text of [
      'delete from seaworthy.audit',
      'delete from seaworthy.audit_seals',
      'select 1 from seaworthy.audit',
    ])
      await expect(
        worker.withDuty('audit', (tx) => tx.run({ compile: () => ({ sql: text, parameters: [] }) as never })),
        text,
      ).rejects.toThrow(/permission denied/)
  })

  it('leaves no line of a change that was undone', async () => {
    await expect(
      test.database.withDuty('identity', async (tx) => {
        await recordAudit(tx, people[0], entry)
        throw new Error('undone')
      }),
    ).rejects.toThrow('undone')
    expect(await seal()).toBe(0)
  })

  it('forgets what is older than it is kept, and still holds', async () => {
    await write(people[0], 3)
    await seal(key, turnableClock(Date.now() - 365 * DAY))
    await write(people[0], 2)
    await seal()
    const forget = (days: number) =>
      test.database.withDuty('janitor', (tx) =>
        tx.run({ compile: () => ({ sql: `select seaworthy.forget_audit(${days}, 100)`, parameters: [] }) as never }),
      )
    await expect(forget(30)).rejects.toThrow(/90 days/)
    await forget(100)
    const { rows } = await test.admin.query('select count(*)::int as lines from seaworthy.audit')
    expect(rows[0].lines).toBe(2)
    expect((await verify(Date.now() - 100 * DAY)).faults).toEqual([])
    expect((await verify(0)).faults.length).toBeGreaterThan(0)
  })

  it('keeps every head when the file outside is full and another begins', async () => {
    const file = openHeadsFile(directory, 2_000)
    const chains = Array.from({ length: 30 }, () => newId())
    for (let seq = 1; seq <= 5; seq++)
      for (const chain of chains) await file.add([{ chain, seq, mac: Buffer.alloc(32, seq) }])
    const { heads: found } = await file.read()
    expect([...found.values()].map(({ seq }) => seq)).toEqual(chains.map(() => 5))
    expect(readdirSync(directory)).toHaveLength(1)
  })

  it('gives spreadsheets no formulas', () => {
    const texts = {
      action: '=cmd()',
      userAgent: '+1+1',
      path: '-1',
      route: '@x',
      network: 'a"b',
      details: '\t=1',
      requestId: '＝1',
    }
    const rest = {
      id: 'i',
      at: 'a',
      kind: 'change',
      outcome: 'done',
      method: 'GET',
      status: 200,
      durationMs: 1,
    } as const
    const none = { accountId: null, userId: null, resource: null, errorCode: null, errorText: null }
    const csv = toCsv([{ ...rest, ...none, ...texts } satisfies AuditLine])
    expect(csv).not.toMatch(/(^|,)"?[=+\-@\t]/)
    expect(csv).toContain('"a""b"')
  })
})
