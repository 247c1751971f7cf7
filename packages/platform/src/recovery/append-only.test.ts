import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { DAY, Secret } from '@seaworthy/core'
import { type ArchivedDatabase, type FakeS3, openArchivedDatabase, openFakeS3 } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openClient, startEmbeddedServer } from '../data/index.ts'
import { ringOf } from '../vault/index.ts'
import { findRestic } from './drivers/restic.ts'
import { openShelf } from './places.ts'
import { listPoints } from './point.ts'
import { keepStore } from './retention.ts'
import { RefusedError, type Shelf } from './shelf.ts'
import { prepareStore } from './store.ts'

const secret = 'a-secret-of-forty-letters-for-the-bucket'
const NAME = 's3://backups/boats'
const overwritten = /^boats\/head\.json$/
const locks = /^boats\/restic\/locks\//

describe('a store that the running system may add to', () => {
  const root = mkdtempSync(join(tmpdir(), 'append-only-'))
  let s3: FakeS3
  let archived: ArchivedDatabase
  const keyed = (id: string): Shelf =>
    openShelf(NAME, {
      backupS3Endpoint: s3.endpoint,
      backupS3Region: 'auto',
      backupS3AccessKeyId: id,
      backupS3SecretAccessKey: new Secret(secret),
    })
  beforeAll(async () => {
    s3 = await openFakeS3('backups', [
      { id: 'KEEPS', secret },
      {
        id: 'RUNS',
        secret,
        may: ({ method, key, once }) =>
          method === 'DELETE' ? locks.test(key) : method !== 'PUT' || once || overwritten.test(key),
      },
    ])
    mkdirSync(join(root, 'disk'))
    archived = await openArchivedDatabase(0, {
      BACKUP_STORES: `${join(root, 'disk')},${NAME}`,
      BACKUP_S3_ENDPOINT: s3.endpoint,
      BACKUP_S3_ACCESS_KEY_ID: 'RUNS',
      BACKUP_S3_SECRET_ACCESS_KEY: secret,
    })
    await archived.admin().query('create table public.notes (id int primary key)')
  }, 120_000)
  afterAll(async () => {
    await archived?.close()
    await s3.close()
    rmSync(root, { recursive: true })
  })

  const note = (id: number): Promise<unknown> => archived.admin().query('insert into public.notes values ($1)', [id])
  const keysOf = async (shelf: Shelf): Promise<readonly string[]> => {
    const keys: string[] = []
    for await (const { key } of shelf.list('')) keys.push(key)
    return keys
  }
  async function lastNote(directory: string): Promise<number | undefined> {
    const server = await startEmbeddedServer(directory, 'only for tests', 20)
    const client = await openClient(server.endpoint, server.admin, 'test')
    const { rows } = await client.query<{ last: number }>('select max(id) as last from public.notes')
    await client.end()
    await server.stop()
    return rows[0]?.last
  }
  const keep = (id: string, keepPoints: number) =>
    keepStore(
      { shelf: keyed(id), ring: archived.ring, restic: findRestic(undefined) },
      { now: Date.now() + 60 * DAY, retentionMs: 30 * DAY, keep: keepPoints },
    )

  it('has each point beside a directory that has it too, and restores it', { timeout: 240_000 }, async () => {
    await note(1)
    const { points, failures } = await archived.backUp()
    expect(failures).toEqual([])
    expect(points.map(({ store }) => store)).toEqual([join(root, 'disk'), NAME])
    await note(2)
    await archived.archive()
    await archived.restoreInto(archived.scratch('from-bucket'), 'latest', 1)
    expect(await lastNote(archived.scratch('from-bucket'))).toBe(2)
  })

  it('takes the next point and the log after it with the same key', { timeout: 240_000 }, async () => {
    const { points, failures } = await archived.backUp()
    expect(failures).toEqual([])
    expect(points.map(({ forgotten }) => forgotten.problem)).toEqual([undefined, undefined])
    await note(3)
    await archived.archive()
  })

  it('loses and changes nothing that is there when that key is in other hands', { timeout: 240_000 }, async () => {
    const { rows } = await archived
      .admin()
      .query<{ at: Date }>("select date_trunc('milliseconds', clock_timestamp()) as at, pg_sleep(0.2)")
    const before = rows[0]?.at.toISOString() ?? ''
    await note(4)
    await archived.archive()
    const shelf = keyed('RUNS')
    const keys = (await keysOf(shelf)).filter((key) => key !== 'head.json')
    expect(keys.length).toBeGreaterThan(10)
    const bytesOf = async (key: string) => buffer(Readable.from((await shelf.get(key)) ?? []))
    for (const key of keys) {
      const bytes = await bytesOf(key)
      await expect(shelf.delete(key)).rejects.toThrow(RefusedError)
      await expect(shelf.put(key, [Buffer.from('nothing')])).rejects.toThrow(RefusedError)
      await expect(shelf.put(key, [Buffer.from('nothing')], { once: true })).rejects.toThrow(/already/)
      expect((await bytesOf(key)).equals(bytes)).toBe(true)
    }
    // What may be written over is not needed for an instant that is surely in the log.
    await shelf.put('head.json', [Buffer.from('nothing')])
    await expect(archived.restoreInto(archived.scratch('spoilt'), 'latest', 1)).rejects.toThrow(/head.json/)
    await archived.restoreInto(archived.scratch('spoilt'), before, 1)
    expect(await lastNote(archived.scratch('spoilt'))).toBe(3)
  })

  it('says in a line that what is old goes with another key, and it does', { timeout: 240_000 }, async () => {
    const before = await listPoints(await archived.store(1))
    await expect(keep('RUNS', 1)).rejects.toThrow(
      /^s3:\/\/backups\/boats does not delete .* with this key\. Pruning needs the other key, which may delete\.\n {4}HINT: .*seaworthy backups prune$/,
    )
    expect(await listPoints(await archived.store(1))).toHaveLength(before.length)
    const { points, problem } = await keep('KEEPS', 1)
    expect([points, problem]).toEqual([[before[0]?.id], undefined])
    const [left] = await listPoints(await archived.store(1))
    expect(left?.id).toBe(before[1]?.id)
    await archived.restoreInto(archived.scratch('after'), 'before-gap', 1)
    expect(await lastNote(archived.scratch('after'))).toBe(4)
  })

  it('is told of a new key of the ring by whoever keeps it', async () => {
    const ring = ringOf(new Secret('ab'.repeat(8) + 'cdef0123'.repeat(6)), ...archived.keys)
    const { owner } = await archived.store(1)
    await expect(prepareStore(keyed('RUNS'), ring, owner)).rejects.toThrow(
      /must be told of a new key.*\n.*backups prune/,
    )
    await keepStore(
      { shelf: keyed('KEEPS'), ring, restic: findRestic(undefined) },
      { now: Date.now(), retentionMs: 30 * DAY, keep: 7 },
    )
    await prepareStore(keyed('RUNS'), ring, owner)
  })
})
