import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AccountId, newId, Secret, systemClock } from '@seaworthy/core'
import { openTestDatabase, type TestDatabase } from '@seaworthy/testkit'
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest'
import { replaceSecret } from '../config/index.ts'
import { asOwner, type Sealed, sql } from '../data/index.ts'
import { rememberKey, rememberRingOrThrow } from './fingerprints.ts'
import { createKeyAgeCheck } from './key-age.ts'
import { openKeyRing, type RingConfig, ringOf } from './key-ring.ts'
import { recordKitVerified } from './kit-record.ts'
import { addKey, adoptKeys, makeCurrent } from './ring-files.ts'
import { type KeyTools, lockKeys, refreshAll, retireRingKeys, rotateDataKeys, rotateRing } from './rotate.ts'
import type { SealedColumn } from './sealed-columns.ts'
import { keyStatus } from './status.ts'
import { openVault } from './vault.ts'

const names: SealedColumn = { table: 'cosnap.photos', column: 'name', row: 'id', owner: 'account_id', kind: 'account' }
const fast = { rowsPerSecond: 1_000_000 }

describe('the work on keys', () => {
  let test: TestDatabase
  let config: RingConfig
  let account: AccountId
  beforeEach(async () => {
    test = await openTestDatabase()
    const dataDirectory = mkdtempSync(join(tmpdir(), 'keys-'))
    config = { ...test.config, dataDirectory }
    replaceSecret(join(dataDirectory, 'secrets'), 'ENCRYPTION_KEY', test.config.secrets.encryptionKey.reveal())
    ;({ accountId: account } = await test.makeAccount())
  })
  afterEach(async () => {
    await test.close()
    rmSync(config.dataDirectory, { recursive: true })
  })

  const withTools = <T>(work: (tools: KeyTools) => Promise<T>): Promise<T> =>
    asOwner(
      test.endpoint,
      { user: 'seaworthy_admin', password: inject('seaworthy').adminPassword },
      'keys',
      (session) => work({ session, ring: openKeyRing(config), config, columns: [names] }),
    )
  /** As another process has it, since before whatever comes. */
  const openElsewhere = () => openVault({ ring: openKeyRing(config) })
  const placeOf = (id: string) => ({ table: 'cosnap.photos', column: 'name', row: id, accountId: account })
  const file = (name: string): string => readFileSync(join(config.dataDirectory, 'secrets', name), 'utf8').trim()

  async function addPhoto(name: string): Promise<string> {
    const id = newId()
    await test.database.withCaller({ accountId: account }, (tx) =>
      tx.run(sql`insert into cosnap.photos (id, account_id, name, hash, type, bytes, width, height)
        values (${id}, ${account}, ${name}, 'h', 'image/png', 1, 1, 1)`),
    )
    return id
  }
  const seal = (vault: ReturnType<typeof openVault>, id: string, text: string): Promise<Sealed> =>
    test.database.withCaller({ accountId: account }, async (tx) => {
      const sealed = await vault.seal(tx, placeOf(id), text)
      await tx.run(sql`update cosnap.photos set name = ${sealed} where id = ${id}`)
      return sealed
    })
  const read = (vault: ReturnType<typeof openVault>, id: string): Promise<string> =>
    test.database.withCaller({ accountId: account }, async (tx) => {
      const row = await tx.one(sql<{ name: Sealed }>`select name from cosnap.photos where id = ${id}`)
      return vault.openOrClear(tx, placeOf(id), row.name)
    })

  it('gives the ring a new key, twice, while others read and write; the older ones go for good', async () => {
    const [warm, cold] = [openElsewhere(), openElsewhere()]
    const id = await addPhoto('in clear')
    await seal(warm, id, 'boat.jpg')
    const first = openKeyRing(config).current().id
    for (let round = 0; round < 2; round++) {
      expect(await withTools(rotateRing)).toMatchObject({ resumed: false, rewrapped: 1 })
      for (const vault of [warm, cold, openElsewhere()]) expect(await read(vault, id)).toBe('boat.jpg')
    }
    const retired = await withTools(retireRingKeys)
    expect(retired).toContain(first)
    expect(retired).toHaveLength(2)
    expect(file('ENCRYPTION_KEYS_OLD')).toBe('')
    expect(file('ENCRYPTION_KEY')).not.toBe(test.config.secrets.encryptionKey.reveal())
    expect(await read(openElsewhere(), id)).toBe('boat.jpg')
    const { ringKeys } = await withTools(({ session, ring, columns }) => keyStatus(session, ring, columns))
    expect(ringKeys).toMatchObject([{ isCurrent: true, isInRing: true, wraps: 1 }])
  })

  it('goes on with a rotation that was killed, and makes no third key', async () => {
    const vault = openElsewhere()
    const id = await addPhoto('in clear')
    await seal(vault, id, 'boat.jpg')
    await withTools(async ({ session }) => {
      const { id: made } = addKey(config)
      await rememberKey(session, made)
      makeCurrent(config, made)
    })
    expect(await read(openElsewhere(), id)).toBe('boat.jpg')
    expect(await withTools(rotateRing)).toMatchObject({ resumed: true, rewrapped: 1 })
    expect((await withTools(({ session, ring }) => keyStatus(session, ring, []))).ringKeys).toHaveLength(2)
  })

  it('never lets a key go that wraps something, nor anything be wrapped by one that is gone', async () => {
    const late = openElsewhere()
    const id = await addPhoto('in clear')
    await seal(late, id, 'boat.jpg')
    const { id: first } = openKeyRing(config).current()
    await expect(test.admin.query('delete from seaworthy.ring_keys where id = $1', [first])).rejects.toThrow(
      /foreign key/,
    )
    // Its ring is that of before, as in a process that cannot see the files.
    const blind = openVault({ ring: ringOf(test.config.secrets.encryptionKey) })
    await withTools(rotateRing)
    await withTools(retireRingKeys)
    const { accountId } = await test.makeAccount()
    await expect(
      test.database.withCaller({ accountId }, (tx) => blind.seal(tx, { ...placeOf(id), accountId }, 'x')),
    ).rejects.toMatchObject({ code: 'unavailable' })
    expect(await read(late, id)).toBe('boat.jpg')
  })

  it('seals what was stored in clear, once, and leaves nothing unreadable in between', async () => {
    const vault = openElsewhere()
    const clear = await Promise.all(['a.jpg', 'b.jpg', 'sw1.jpg'].map(addPhoto))
    const sealed = await addPhoto('-')
    const before = await seal(vault, sealed, 'c.jpg')
    const [done] = await withTools((tools) => refreshAll(tools, fast))
    expect(done).toMatchObject({ seen: 4, sealed: 3, resealed: 0, unreadable: [] })
    const { rows } = await test.admin.query('select id, name from cosnap.photos')
    for (const row of rows) expect(row.name).toMatch(/^sw1\.1\./)
    expect(rows.find((row) => row.id === sealed)?.name).toBe(before)
    expect(await Promise.all([...clear, sealed].map((id) => read(vault, id)))).toEqual([
      'a.jpg',
      'b.jpg',
      'sw1.jpg',
      'c.jpg',
    ])
    expect((await withTools((tools) => refreshAll(tools, fast)))[0]).toMatchObject({ seen: 4, sealed: 0 })
  })

  it('seals every value again under a new data key, and tells of those that do not open', async () => {
    const vault = openElsewhere()
    const [good, bad] = [await addPhoto('-'), await addPhoto('-')]
    await seal(vault, good, 'good.jpg')
    await seal(vault, bad, 'bad.jpg')
    await test.admin.query(`update cosnap.photos set name = overlay(name placing 'AAAA' from 20) where id = $1`, [bad])
    const { made, refreshed } = await withTools((tools) => rotateDataKeys(tools, fast, 0))
    expect(made).toBe(1)
    expect(refreshed[0]).toMatchObject({ seen: 2, resealed: 1, unreadable: [bad] })
    const { rows } = await test.admin.query('select name from cosnap.photos where id = $1', [good])
    expect(rows[0].name).toMatch(/^sw1\.2\./)
    for (const other of [vault, openElsewhere()]) expect(await read(other, good)).toBe('good.jpg')
  })

  it('lets one work at a time', async () => {
    await withTools(async (tools) => {
      await lockKeys(tools)
      await expect(withTools(lockKeys)).rejects.toThrow(/Another work/)
    })
  })

  it('refuses to start with another key, and names the one that it expects', async () => {
    const { id } = openKeyRing(config).current()
    const wrong = ringOf(new Secret('0123456789abcdef'.repeat(4)))
    await expect(withTools(({ session }) => rememberRingOrThrow(session, wrong))).rejects.toThrow(id)
    expect(await withTools(({ session, ring }) => rememberRingOrThrow(session, ring))).toMatchObject({ current: id })
  })

  it('takes the keys of a kit over without losing those that are here', () => {
    const here = file('ENCRYPTION_KEY')
    const kit = new Secret('0123456789abcdef'.repeat(4))
    adoptKeys(config, [kit])
    expect(file('ENCRYPTION_KEY')).toBe(kit.reveal())
    expect(file('ENCRYPTION_KEYS_OLD')).toBe(here)
    adoptKeys(config, [kit])
    expect([file('ENCRYPTION_KEY'), file('ENCRYPTION_KEYS_OLD')]).toEqual([kit.reveal(), here])
  })

  it('asks for a rotation after ninety days, and is content after it', async () => {
    const check = () => createKeyAgeCheck(test.database, openKeyRing(config), systemClock)()
    const age = (days: number) =>
      test.admin.query('update seaworthy.ring_keys set created_at = now() - make_interval(days => $1)', [days])
    await age(90)
    await check()
    await age(91)
    await expect(check()).rejects.toThrow(/91 days old; HINT: seaworthy keys rotate/)
    await withTools(rotateRing)
    await check()
  })

  it('remembers which keys are in a recovery kit that was read back', async () => {
    const { id } = openKeyRing(config).current()
    expect(await withTools(({ session }) => recordKitVerified(session, []))).toEqual([id])
    expect(await withTools(({ session }) => recordKitVerified(session, [id]))).toEqual([])
  })
})
