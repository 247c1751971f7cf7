import { type AccountId, type Caller, DAY, MINUTE, newId, Secret, type UserId } from '@seaworthy/core'
import { openTestDatabase, type TestDatabase, turnableClock } from '@seaworthy/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryLogger } from '../telemetry/index.ts'
import { createAccessTokens } from './access-tokens.ts'
import { openSigningKeys, type SigningKeys } from './signing-keys.ts'

const secret = new Secret('a secret that encrypts signing keys, 44 characters')

describe('signing keys', () => {
  let test: TestDatabase
  const opened: SigningKeys[] = []
  beforeAll(async () => {
    test = await openTestDatabase()
  })
  afterEach(async () => {
    for (const keys of opened.splice(0)) keys.stop()
    await test.admin.query('delete from seaworthy.signing_keys')
  })
  afterAll(() => test.close())

  async function open(clock = turnableClock(Date.now()), of = secret) {
    const settings = { database: test.database, secret: of, accessMs: 15 * MINUTE, rotateMs: 90 * DAY, clock }
    const keys = await openSigningKeys({ ...settings, log: createMemoryLogger() })
    opened.push(keys)
    return { keys, clock }
  }
  /** Keys are read again when somebody asks for one that is not known. */
  const readAgain = (keys: SigningKeys) => keys.find('none')
  const ids = async (keys: SigningKeys) => (await keys.publicKeys()).keys.map(({ kid }) => kid)

  it('are the same in all processes that start together', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => open()))
    expect(new Set(all.map(({ keys }) => keys.current().id)).size).toBe(1)
  })

  it('are replaced after ninety days, by a key that signs once every process can know it', async () => {
    const { keys, clock } = await open()
    const first = keys.current().id
    clock.turn(91 * DAY)
    await readAgain(keys)
    expect(keys.current().id).toBe(first)
    clock.turn(MINUTE)
    const second = keys.current().id
    expect(second).not.toBe(first)
    expect(await ids(keys)).toEqual([second, first])
    clock.turn(17 * MINUTE)
    await readAgain(keys)
    expect(await keys.find(first)).toBeUndefined()
    expect(await ids(keys)).toEqual([second])
  })

  it('take what they signed with them when they go, also what was seen before', async () => {
    const { keys, clock } = await open()
    const tokens = createAccessTokens({ keys, lifeMs: DAY, clock })
    const caller: Caller = {
      userId: newId() as UserId,
      accountId: newId() as AccountId,
      role: 'owner',
      sessionId: newId(),
      authenticatedAtMs: clock.now(),
      secondFactor: false,
      operator: false,
    }
    clock.turn(91 * DAY)
    const { token } = await tokens.issue({ caller, version: 0 })
    expect(await tokens.verify(token)).toMatchObject({ version: 0 })
    await readAgain(keys)
    expect(await tokens.verify(token)).toMatchObject({ version: 0 })
    clock.turn(18 * MINUTE)
    await readAgain(keys)
    await expect((async () => tokens.verify(token))()).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  it('are found by a process that did not make them', async () => {
    const { keys: here, clock } = await open()
    const { keys: there, clock: thereClock } = await open()
    clock.turn(91 * DAY)
    thereClock.turn(91 * DAY)
    await readAgain(here)
    clock.turn(MINUTE)
    thereClock.turn(MINUTE)
    expect(await there.find(here.current().id)).toMatchObject({ id: here.current().id })
  })

  it('are not believed when somebody else wrote them into the database', async () => {
    const { keys } = await open()
    const { keys: foreign } = await open(
      turnableClock(Date.now()),
      new Secret('another secret, which is not the same at all'),
    )
    expect(foreign.current().id).not.toBe(keys.current().id)
    const { keys: later } = await open()
    expect(await later.find(foreign.current().id)).toBeUndefined()
    await test.admin.query(
      `update seaworthy.signing_keys set public_key = (select public_key from seaworthy.signing_keys where id = $1) where id = $2`,
      [foreign.current().id, keys.current().id],
    )
    const { keys: swapped } = await open()
    expect(await swapped.find(keys.current().id)).toBeUndefined()
  })

  it('keep their private halves out of the database', async () => {
    const { keys } = await open()
    const { rows } = await test.admin.query('select private_sealed from seaworthy.signing_keys')
    const seed = keys.current().privateKey.export({ type: 'pkcs8', format: 'der' }).subarray(-32)
    for (const { private_sealed } of rows) expect(private_sealed.includes(seed)).toBe(false)
    for (const key of (await keys.publicKeys()).keys) expect(key).not.toHaveProperty('d')
  })
})
