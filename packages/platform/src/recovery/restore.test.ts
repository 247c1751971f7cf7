import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ArchivedDatabase, openArchivedDatabase } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openClient, startEmbeddedServer } from '../data/index.ts'
import { findRestic } from './drivers/restic.ts'
import { restore } from './restore.ts'
import { parseTarget, planRestore } from './restore-plan.ts'
import { keyOfWal } from './segments.ts'

describe('a recovery point', () => {
  let archived: ArchivedDatabase
  beforeAll(async () => {
    archived = await openArchivedDatabase()
    await archived.admin().query('create table public.notes (id int primary key, words text not null)')
    await archived.admin().query(`insert into public.notes select i, repeat('x', 100) from generate_series(1, 5000) i`)
  })
  afterAll(() => archived.close())

  const note = (id: number): Promise<unknown> =>
    archived.admin().query(`insert into public.notes values ($1, 'later')`, [id])
  /** An instant of whole milliseconds, as people name one: after all that was done, and over before anything else is. */
  const nextMillisecond =
    "select date_trunc('milliseconds', clock_timestamp() + interval '1 ms') as at, pg_sleep(0.002)"
  const clock = async (): Promise<string> =>
    (await archived.admin().query<{ at: Date }>(nextMillisecond)).rows[0]?.at.toISOString() ?? ''

  const walOf = async () => {
    const { chain, point } = await planRestore(await archived.store(), parseTarget('latest'))
    return { segments: chain.segments, point }
  }

  /** What a restored directory has, asked as an operator would after starting it. */
  async function ask<T>(directory: string, query: string): Promise<T[]> {
    const server = await startEmbeddedServer(directory, 'only for tests', 20)
    try {
      const client = await openClient(server.endpoint, server.admin, 'test')
      const { rows } = await client.query(query)
      await client.end()
      return rows as T[]
    } finally {
      await server.stop()
    }
  }

  it('brings back everything that was archived, from store and key alone', async () => {
    await archived.backUp()
    await note(9_001)
    await archived.archive()
    const directory = archived.scratch('latest')
    const { checked } = await archived.restoreInto(directory)
    expect(checked.indexes).toBeGreaterThan(50)
    expect(await ask(directory, `select count(*)::int as count, max(id) as last from public.notes`)).toEqual([
      { count: 5_001, last: 9_001 },
    ])
  })

  it('brings back the instant before a delete without where', async () => {
    await note(9_002)
    const before = await clock()
    await archived.admin().query('delete from public.notes')
    await note(9_003)
    await archived.archive()
    const directory = archived.scratch('instant')
    await archived.restoreInto(directory, before)
    expect(await ask(directory, 'select count(*)::int as count, max(id) as last from public.notes')).toEqual([
      { count: 5_002, last: 9_002 },
    ])
  })

  it('brings back a transaction and everything before it, and nothing after it', async () => {
    const admin = archived.admin()
    await admin.query('begin')
    await note(9_010)
    const { rows } = await admin.query<{ id: string }>('select pg_current_xact_id()::text as id')
    await admin.query('commit')
    await note(9_011)
    await archived.archive()
    const directory = archived.scratch('transaction')
    await archived.restoreInto(directory, `transaction:${rows[0]?.id}`)
    expect(await ask(directory, 'select max(id) as last from public.notes')).toEqual([{ last: 9_010 }])
  })

  it('names the segment that is missing, and restores what was before it', async () => {
    await note(9_020)
    await archived.archive()
    const { segments } = await walOf()
    const gone = segments.at(-2) ?? ''
    const path = join(archived.shelves[0]?.name ?? '', keyOfWal(gone))
    const bytes = readFileSync(path)
    rmSync(path)
    const directory = archived.scratch('gap')
    await expect(archived.restoreInto(directory)).rejects.toThrow(new RegExp(`the segment ${gone} is missing`))
    expect(existsSync(directory)).toBe(false)
    await expect(archived.restoreInto(directory, new Date().toISOString())).rejects.toThrow(/before-gap/)
    await archived.restoreInto(directory, 'before-gap')
    expect(await ask(directory, 'select max(id) as last from public.notes')).toEqual([{ last: 9_003 }])
    writeFileSync(path, bytes)
  })

  it('names the end that was cut off', async () => {
    const { segments } = await walOf()
    const gone = segments.at(-1) ?? ''
    const path = join(archived.shelves[0]?.name ?? '', keyOfWal(gone))
    const bytes = readFileSync(path)
    rmSync(path)
    await expect(archived.restoreInto(archived.scratch('end'))).rejects.toThrow(
      new RegExp(`the segment ${gone} is missing`),
    )
    writeFileSync(path, bytes)
  })

  it('names one changed byte of the log, of the base, of a record and of kept files, and leaves nothing behind', async () => {
    const root = archived.shelves[0]?.name ?? ''
    const { segments, point } = await walOf()
    const packs = readdirSync(join(root, 'restic', 'data'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.length > 60)
      .map((name) => join('restic', 'data', name))
      .sort((a, b) => statSync(join(root, b)).size - statSync(join(root, a)).size)
    const victims: [string, RegExp][] = [
      [keyOfWal(segments[1] ?? ''), new RegExp(segments[1] ?? '')],
      [packs[0] ?? '', /The base of .* damaged|ciphertext/],
      [`points/${point.id}.json`, new RegExp(point.id)],
      [`points/${point.id}.files`, new RegExp(`${point.id}.files`)],
      ['head.json', /head.json/],
    ]
    for (const [name, words] of victims) {
      const path = join(root, name)
      const bytes = readFileSync(path)
      const changed = Buffer.from(bytes)
      const at = Math.floor(bytes.length / 2)
      changed[at] = (changed[at] ?? 0) ^ 1
      chmodSync(path, 0o600)
      writeFileSync(path, changed)
      const directory = archived.scratch('changed')
      await expect(archived.restoreInto(directory)).rejects.toThrow(words)
      expect(existsSync(directory)).toBe(false)
      expect(existsSync(archived.scratch('.changed.restoring'))).toBe(false)
      writeFileSync(path, bytes)
    }
  })

  it('takes the place of the present database only when nothing runs there, and keeps the old one', async () => {
    const plan = await planRestore(await archived.store(), parseTarget('latest'))
    const { places, ring, config } = archived
    const dataDirectory = places.dataDirectory
    const inPlace = () =>
      restore({
        plan,
        destination: { kind: 'in place', dataDirectory },
        ring,
        restic: findRestic(config.restic),
        tell: () => undefined,
      })
    await expect(inPlace()).rejects.toThrow(/is in use/)
    await archived.stop()
    const { kept } = await inPlace()
    expect(existsSync(join(kept ?? '', 'PG_VERSION'))).toBe(true)
    await archived.start()
    const { rows } = await archived.admin().query('select max(id) as last from public.notes')
    expect(rows).toEqual([{ last: 9_020 }])
    // The log goes on without a hole on its own timeline: the same point leads to what is written now.
    await note(9_030)
    await archived.archive()
    const directory = archived.scratch('second')
    await archived.restoreInto(directory)
    expect(await ask(directory, 'select max(id) as last from public.notes')).toEqual([{ last: 9_030 }])
  })
})
