import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openTestDatabase, type TestDatabase } from '@seaworthy/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../data/index.ts'
import { createMemoryLogger } from '../telemetry/index.ts'
import { type KeptAssets, openKeptAssets, sweepKeptAssets } from './index.ts'

describe('kept files of the pages', () => {
  const directory = mkdtempSync(join(tmpdir(), 'assets-'))
  const opened: KeptAssets[] = []
  let test: TestDatabase
  let releases = 0
  beforeAll(async () => {
    test = await openTestDatabase()
  })
  afterEach(async () => {
    for (const kept of opened.splice(0)) kept.stop()
    await test.admin.query('delete from seaworthy.web_assets')
  })
  afterAll(async () => {
    await test.close()
    rmSync(directory, { recursive: true })
  })

  /** A process of a release with these files. */
  async function start(files: Record<string, string>, database: Database = test.database): Promise<KeptAssets> {
    const own = join(directory, String(++releases))
    mkdirSync(own)
    for (const [name, text] of Object.entries(files)) writeFileSync(join(own, name), text)
    const kept = await openKeptAssets({ database, directory: own, log: createMemoryLogger() })
    opened.push(kept)
    return kept
  }
  const textOf = async (kept: KeptAssets, name: string, ...encodings: string[]) =>
    (await kept.find(name, encodings))?.body.toString()
  const names = async () =>
    (await test.admin.query('select name from seaworthy.web_assets order by name')).rows.map(({ name }) => name)

  /** How many transactions were begun. */
  function counted() {
    let count = 0
    const database: Database = {
      ...test.database,
      withDuty: (...all) => {
        count++
        return test.database.withDuty(...all)
      },
    }
    return { database, count: () => count }
  }

  it('are found by every release that runs beside, before and after, with type and the best form that is accepted', async () => {
    const before = await start({ 'page-1.js': 'one', 'page-1.js.br': 'one in br', 'page-1.js.gz': 'one in gz' })
    const after = await start({ 'page-2.js': 'two', 'style-2.css': 'a{}' })
    expect(await textOf(after, 'page-1.js')).toBe('one')
    expect(await textOf(before, 'page-2.js', 'br')).toBe('two')
    expect(await after.find('page-1.js', ['gzip', 'br'])).toEqual({
      type: 'text/javascript; charset=utf-8',
      encoding: 'br',
      body: Buffer.from('one in br'),
    })
    expect(await textOf(after, 'page-1.js', 'gzip')).toBe('one in gz')
    expect((await before.find('style-2.css', []))?.type).toBe('text/css; charset=utf-8')
    expect(await textOf(after, 'page-3.js')).toBeUndefined()
    expect(await textOf(after, '../secrets')).toBeUndefined()
  })

  it('are kept once and whole when many processes of a release start together', async () => {
    const files = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`part-${i}.js`, `${i}`]))
    const all = await Promise.all(Array.from({ length: 4 }, () => start(files)))
    expect(await names()).toHaveLength(20)
    expect(await textOf(all[0] as KeptAssets, 'part-7.js')).toBe('7')
  })

  it('never change under their name, and cannot be replaced', async () => {
    await start({ 'page-1.js': 'one' })
    const other = await start({ 'page-1.js': 'another', 'page-2.js': 'two' })
    expect(await textOf(other, 'page-1.js')).toBe('one')
    const asApp = (text: string) =>
      test.database.withDuty('assets', (tx) => tx.run({ compile: () => ({ sql: text, parameters: [] }) } as never))
    await expect(asApp(`update seaworthy.web_assets set body = 'evil'`)).rejects.toThrow()
    await expect(asApp(`update seaworthy.web_assets set seen_at = now() - interval '9 days'`)).rejects.toThrow()
    expect(await asApp('delete from seaworthy.web_assets')).toBe(0)
    expect(await asApp('update seaworthy.web_assets set seen_at = now()')).toBe(2)
  })

  it('cost the database one question a second for names that nobody has, and none for what was asked for lately', async () => {
    const { database, count } = counted()
    await start({ 'page-1.js': 'one' })
    const kept = await start({ 'page-2.js': 'two' }, database)
    await Promise.all(Array.from({ length: 50 }, () => textOf(kept, 'page-1.js')))
    const before = count()
    await Promise.all(Array.from({ length: 200 }, (_, i) => textOf(kept, `nothing-${i}.js`)))
    await Promise.all(Array.from({ length: 50 }, () => textOf(kept, 'page-1.js')))
    expect(count() - before).toBeLessThanOrEqual(1)
    expect(before).toBeLessThanOrEqual(4)
  })

  it('are removed a month after the last start of a release that has them, and never while one runs', async () => {
    await start({ 'old-1.js': 'old', 'same-1.js': 'same' })
    await test.admin.query(`update seaworthy.web_assets set seen_at = now() - interval '31 days'`)
    await start({ 'new-2.js': 'new', 'same-1.js': 'same' })
    expect(await sweepKeptAssets(test.database)).toBe(1)
    expect(await names()).toEqual(['new-2.js', 'same-1.js'])
  })

  it('are no more than a bound, the longest unseen first, without those that were seen today', async () => {
    await test.admin.query(`
      insert into seaworthy.web_assets (name, body, seen_at)
      select 'old-' || n || '.js', decode(repeat('00', 1000), 'hex'), now() - n * interval '1 day' from generate_series(3, 9) n`)
    await start(Object.fromEntries([1, 2, 3].map((n) => [`today-${n}.js`, '0'.repeat(1_000)])))
    expect(await sweepKeptAssets(test.database, 5_000)).toBe(5)
    expect(await names()).toEqual(['old-3.js', 'old-4.js', 'today-1.js', 'today-2.js', 'today-3.js'])
    expect(await sweepKeptAssets(test.database, 1_000)).toBe(2)
  })

  it('leave a release that cannot keep them to start and serve all the same', async () => {
    const database: Database = { ...test.database, withDuty: () => Promise.reject(new Error('the disk is full')) }
    const kept = await start({ 'page-1.js': 'one' }, database)
    await expect(kept.find('page-9.js', [])).rejects.toThrow('the disk is full')
  })
})
