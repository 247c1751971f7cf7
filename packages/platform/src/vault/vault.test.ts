import { type AccountId, newId, Secret } from '@seaworthy/core'
import { openTestDatabase, type TestDatabase } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { column, queries, type Sealed, sql, type Transaction, table } from '../data/index.ts'
import { openKeyRing, ringOf } from './key-ring.ts'
import type { Place } from './place.ts'
import { openVault, type Vault } from './vault.ts'

const secret = (): Secret => new Secret(Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('hex'))

describe('vault', () => {
  let test: TestDatabase
  let vault: Vault
  let account: AccountId
  let other: AccountId
  let userId: string
  beforeAll(async () => {
    test = await openTestDatabase()
    vault = openVault({ ring: openKeyRing(test.config) })
    ;({ accountId: account, userId } = await test.makeAccount())
    ;({ accountId: other } = await test.makeAccount())
  })
  afterAll(() => test.close())

  const place = (changes: Partial<Place> = {}): Place =>
    ({ table: 'app.notes', column: 'text', row: 'row 1', accountId: account, ...changes }) as Place
  const as = <T>(accountId: AccountId, work: (tx: Transaction) => Promise<T>): Promise<T> =>
    test.database.withCaller({ accountId }, work)
  const keysOf = async (accountId: string): Promise<number> =>
    Number(
      (await test.admin.query('select count(*) from seaworthy.account_keys where account_id = $1', [accountId])).rows[0]
        .count,
    )

  it('opens what it sealed, also in another process', async () => {
    const sealed = await as(account, (tx) => vault.seal(tx, place(), 'Grüße, 你好'))
    expect(sealed).toMatch(/^sw1\.1\.[\w-]+$/)
    expect(await as(account, (tx) => vault.open(tx, place(), sealed))).toBe('Grüße, 你好')
    const elsewhere = openVault({ ring: openKeyRing(test.config) })
    expect(await as(account, (tx) => elsewhere.open(tx, place(), sealed))).toBe('Grüße, 你好')
  })

  it.each([
    ['table', { table: 'app.notebooks' }],
    ['column', { column: 'title' }],
    ['row', { row: 'row 2' }],
    ['table and column that run together the same', { table: 'app.note', column: 'stext' }],
  ])('refuses a value that was moved to another %s', async (_, changes) => {
    const sealed = await as(account, (tx) => vault.seal(tx, place(), 'x'))
    await expect(as(account, (tx) => vault.open(tx, place(changes), sealed))).rejects.toMatchObject({
      code: 'sealed_unreadable',
      status: 500,
    })
  })

  it("refuses another account's value, and has no way to that account's key", async () => {
    const sealed = await as(account, (tx) => vault.seal(tx, place(), 'x'))
    const cold = openVault({ ring: openKeyRing(test.config) })
    await as(other, (tx) => vault.seal(tx, place({ accountId: other }), 'y'))
    const move = (by: Vault, to: Partial<Place>) => as(other, (tx) => by.open(tx, place(to), sealed))
    await expect(move(vault, { accountId: other })).rejects.toMatchObject({ code: 'sealed_unreadable' })
    await expect(move(cold, { accountId: other })).rejects.toMatchObject({ code: 'sealed_unreadable' })
    await expect(move(cold, {})).rejects.toMatchObject({ code: 'sealed_unreadable' })
  })

  it('refuses clear text where sealed text is expected, and reads it only where a column is on its way', async () => {
    const clear = 'from before' as Sealed
    await expect(as(account, (tx) => vault.open(tx, place(), clear))).rejects.toMatchObject({
      code: 'sealed_unreadable',
    })
    expect(await as(account, (tx) => vault.openOrClear(tx, place(), clear))).toBe('from before')
    expect(await as(account, (tx) => vault.openOrClear(tx, place(), 'sw1.1.jpg' as Sealed))).toBe('sw1.1.jpg')
    const forged = `sw1.1.${'A'.repeat(64)}` as Sealed
    await expect(as(account, (tx) => vault.openOrClear(tx, place(), forged))).rejects.toMatchObject({
      code: 'sealed_unreadable',
    })
  })

  it('says to the public nothing of what could not be opened', async () => {
    const error = await as(account, (tx) => vault.open(tx, place(), `sw1.1.${'A'.repeat(64)}` as Sealed)).catch(
      (thrown) => thrown,
    )
    expect(error.message).toContain('app.notes.text of the row row 1 was changed or moved')
    expect(`${error.title} ${error.detail}`).not.toContain('notes')
  })

  it('makes one key for two who seal first at once', async () => {
    const { accountId } = await test.makeAccount()
    const two = [1, 2].map(() => openVault({ ring: openKeyRing(test.config) }))
    const at = place({ accountId })
    const sealed = await Promise.all(two.map((one) => as(accountId, (tx) => one.seal(tx, at, 'x'))))
    expect(await keysOf(accountId)).toBe(1)
    for (const value of sealed) expect(await as(accountId, (tx) => vault.open(tx, at, value))).toBe('x')
  })

  it('never goes on with a key whose transaction was undone', async () => {
    const { accountId } = await test.makeAccount()
    const at = place({ accountId })
    const undone = as(accountId, async (tx) => {
      await vault.seal(tx, at, 'x')
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    const sealed = await as(accountId, (tx) => vault.seal(tx, at, 'y'))
    expect(await keysOf(accountId)).toBe(1)
    expect(await as(accountId, (tx) => openVault({ ring: openKeyRing(test.config) }).open(tx, at, sealed))).toBe('y')
  })

  it('asks the database once for the key of an account, and not for each value', async () => {
    const fresh = openVault({ ring: openKeyRing(test.config) })
    const sealed = await as(account, (tx) => vault.seal(tx, place(), 'x'))
    const statements = await as(account, async (tx) => {
      let count = 0
      const counted: Pick<Transaction, 'many'> = {
        many: (query) => {
          count++
          return tx.many(query)
        },
      }
      for (let i = 0; i < 20; i++) await fresh.open(counted as Transaction, place(), sealed)
      return count
    })
    expect(statements).toBe(1)
  })

  it('keeps a bounded number of keys in memory', async () => {
    const small = openVault({ ring: openKeyRing(test.config), ownersMax: 1 })
    const values = []
    for (let i = 0; i < 5; i++) {
      const { accountId } = await test.makeAccount()
      const at = place({ accountId })
      values.push({ accountId, at, sealed: await as(accountId, (tx) => small.seal(tx, at, `text ${i}`)) })
    }
    for (const [i, { accountId, at, sealed }] of values.entries())
      expect(await as(accountId, (tx) => small.open(tx, at, sealed))).toBe(`text ${i}`)
  })

  it("seals a person's own rows and the installation's, on duty", async () => {
    const mine: Place = { table: 'seaworthy.totp', column: 'secret', row: userId, userId }
    const ours: Place = { table: 'seaworthy.signing_keys', column: 'key', row: '1', installation: true }
    for (const at of [mine, ours]) {
      const sealed = await test.database.withDuty('identity', (tx) => vault.seal(tx, at, 'x'))
      expect(await test.database.withDuty('identity', (tx) => vault.open(tx, at, sealed))).toBe('x')
      const cold = openVault({ ring: openKeyRing(test.config) })
      await expect(as(other, (tx) => cold.open(tx, at, sealed))).rejects.toMatchObject({ code: 'sealed_unreadable' })
    }
  })

  it('finds equal texts of one account by their blind index, and nothing across accounts or columns', async () => {
    const at = { table: 'app.notes', column: 'text', accountId: account }
    const index = (where: typeof at, text: string) => as(where.accountId, (tx) => vault.blindIndex(tx, where, text))
    const [one, same, different] = [await index(at, 'milk'), await index(at, 'milk'), await index(at, 'Milk')]
    expect(one).toBe(same)
    const all = [
      one,
      different,
      await index({ ...at, column: 'title' }, 'milk'),
      await index({ ...at, accountId: other }, 'milk'),
    ]
    expect(new Set(all).size).toBe(4)
    const find = (accountId: AccountId) => as(accountId, (tx) => vault.findBlindIndex(tx, { ...at, accountId }, 'milk'))
    expect(await find(account)).toBe(one)
    expect(await find((await test.makeAccount()).accountId)).toBeUndefined()
  })

  it('makes everything of an erased owner unreadable by deleting its keys, on duty only', async () => {
    const { accountId } = await test.makeAccount()
    const at = place({ accountId })
    const sealed = await as(accountId, (tx) => vault.seal(tx, at, 'x'))
    expect(await as(accountId, (tx) => vault.shred(tx, { accountId }))).toBe(0)
    expect(await test.database.withDuty('identity', (tx) => vault.shred(tx, { accountId }))).toBe(1)
    await expect(as(accountId, (tx) => vault.open(tx, at, sealed))).rejects.toMatchObject({ code: 'sealed_unreadable' })
  })

  it('refuses a data key that was put into the place of another, or whose ring key is not here', async () => {
    const { accountId } = await test.makeAccount()
    const at = place({ accountId })
    const sealed = await as(accountId, (tx) => vault.seal(tx, at, 'x'))
    const stranger = openVault({ ring: ringOf(secret()) })
    await expect(as(accountId, (tx) => stranger.open(tx, at, sealed))).rejects.toThrow(/ENCRYPTION_KEYS_OLD/)
    await test.admin.query(
      `update seaworthy.account_keys k set wrapped = other.wrapped from seaworthy.account_keys other
       where k.account_id = $1 and other.account_id = $2 and other.purpose = 'seal'`,
      [accountId, account],
    )
    const cold = openVault({ ring: openKeyRing(test.config) })
    await expect(as(accountId, (tx) => cold.open(tx, at, sealed))).rejects.toThrow(/was changed/)
  })

  it('makes no key under a ring key that the database does not know', async () => {
    const { accountId } = await test.makeAccount()
    const stranger = openVault({ ring: ringOf(secret()) })
    await expect(as(accountId, (tx) => stranger.seal(tx, place({ accountId }), 'x'))).rejects.toMatchObject({
      code: 'unavailable',
    })
    expect(await keysOf(accountId)).toBe(0)
  })
})

describe('sealed columns', () => {
  const notes = table('app.notes', {
    id: column.id(),
    account_id: column.account(),
    text: column.sealed(),
    index: column.blindIndex(),
  })
  const db = queries({ notes })
  const row = { id: newId(), account_id: newId() }
  // Each mark below is itself checked: the type check of the tests fails when a line under one compiles.
  it('do not compile with clear text in them', () => {
    const [sealed, index] = ['sw1.1.x' as Sealed, 'x' as Awaited<ReturnType<Vault['blindIndex']>>]
    const good = db.insertInto('app.notes').values({ ...row, text: sealed, index })
    // @ts-expect-error clear text is not sealed
    db.insertInto('app.notes').values({ ...row, text: 'clear', index })
    // @ts-expect-error and a blind index is not made by hand
    db.insertInto('app.notes').values({ ...row, text: sealed, index: 'clear' })
    // @ts-expect-error nor is clear text put there later
    db.updateTable('app.notes').set({ text: 'clear' })
    // @ts-expect-error a blind index is not what is sealed
    db.updateTable('app.notes').set({ text: index })
    expect(good.compile().parameters).toContain(sealed)
    expect(sql`select 1`.compile().parameters).toEqual([])
  })
})
