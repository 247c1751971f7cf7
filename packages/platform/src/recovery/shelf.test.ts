import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { Secret } from '@seaworthy/core'
import { type FakeS3, openFakeS3 } from '@seaworthy/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openDirectoryShelf } from './drivers/directory.ts'
import { openS3Shelf } from './drivers/s3.ts'
import { parseBucket } from './places.ts'
import { RefusedError, type Shelf, TakenError } from './shelf.ts'

const secret = 'a-secret-of-forty-letters-for-the-bucket'
const directory = mkdtempSync(join(tmpdir(), 'shelf-'))
let s3: FakeS3
beforeAll(async () => {
  s3 = await openFakeS3('backups', [
    { id: 'ALL', secret },
    { id: 'ADDS', secret, may: ({ method, key, once }) => method !== 'DELETE' && (method !== 'PUT' || once || !key) },
  ])
})
afterAll(async () => {
  await s3.close()
  rmSync(directory, { recursive: true })
})

const inBucket = (prefix: string, accessKeyId = 'ALL', words = secret): Shelf =>
  openS3Shelf({
    endpoint: s3.endpoint,
    bucket: 'backups',
    region: 'eu-central-1',
    accessKeyId,
    secretAccessKey: new Secret(words),
    prefix,
  })
const inDirectory = (name: string): Shelf => {
  mkdirSync(join(directory, name), { recursive: true })
  return openDirectoryShelf(join(directory, name))
}
async function keysOf(shelf: Shelf, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of shelf.list(prefix)) keys.push(key)
  return keys.sort()
}
const textOf = async (bytes: AsyncIterable<Buffer> | undefined): Promise<string | undefined> =>
  bytes && (await buffer(bytes)).toString()

describe.each([
  ['a directory', inDirectory],
  ['a bucket', (name: string) => inBucket(name)],
  ['a whole bucket', () => inBucket('')],
])('a shelf in %s', (_kind, open) => {
  let shelf: Shelf
  beforeEach(() => {
    shelf = open('first/one')
  })

  it('gives back what was put, whole and in part, and knows its size', async () => {
    await shelf.put('wal/00000001/a', [Buffer.from('01234'), Buffer.from('56789')])
    expect(await textOf(await shelf.get('wal/00000001/a'))).toBe('0123456789')
    expect(await textOf(await shelf.get('wal/00000001/a', { start: 2, end: 4 }))).toBe('234')
    expect(await textOf(await shelf.get('wal/00000001/a', { start: 7 }))).toBe('789')
    expect(await shelf.size('wal/00000001/a')).toBe(10)
  })

  it('knows what is not there, and deletes it without a word', async () => {
    expect(await shelf.get('nothing')).toBeUndefined()
    expect(await shelf.get('nothing', { start: 1, end: 2 })).toBeUndefined()
    expect(await shelf.size('nothing')).toBeUndefined()
    await shelf.delete('nothing')
  })

  it('takes the place of what was there', async () => {
    await shelf.put('head.json', [Buffer.from('one')])
    await shelf.put('head.json', [Buffer.from('two')])
    expect(await textOf(await shelf.get('head.json'))).toBe('two')
  })

  it('lists what begins with a prefix, with size and time', async () => {
    const since = Date.now()
    for (const key of ['blobs/x/1', 'blobs/x/2', 'blobsandmore/3']) await shelf.put(key, [Buffer.from(key)])
    expect(await keysOf(shelf, 'blobs/')).toEqual(['blobs/x/1', 'blobs/x/2'])
    for await (const { at, bytes } of shelf.list('blobs/')) {
      expect(Math.abs(at - since)).toBeLessThan(60_000)
      expect(bytes).toBe(9)
    }
    await shelf.delete('blobs/x/1')
    expect(await keysOf(shelf, 'blobs/')).toEqual(['blobs/x/2'])
  })

  it('says that it is well', async () => {
    await shelf.ping()
  })
})

describe('a bucket', () => {
  it('has two shelves beside each other that know nothing of one another', async () => {
    await inBucket('boats').put('head.json', [Buffer.from('boats')])
    await inBucket('boats-too').put('head.json', [Buffer.from('boats too')])
    expect(await keysOf(inBucket('boats'), '')).toEqual(['head.json'])
  })

  it('lists thousands, a page at a time', { timeout: 120_000 }, async () => {
    const shelf = inBucket('many')
    for (let at = 0; at < 1_010; at += 10)
      await Promise.all(Array.from({ length: 10 }, (_, i) => shelf.put(`wal/${at + i}`, [Buffer.from('x')])))
    expect(await keysOf(shelf, 'wal/')).toHaveLength(1_010)
  })

  it('lets nothing take the place of what was put once, and takes the same again', async () => {
    const shelf = inBucket('once')
    await shelf.put('wal/a', [Buffer.from('one')], { once: true })
    await shelf.put('wal/a', [Buffer.from('one')], { once: true })
    await expect(shelf.put('wal/a', [Buffer.from('two')], { once: true })).rejects.toThrow(TakenError)
    expect(await textOf(await shelf.get('wal/a'))).toBe('one')
  })

  it('tries again while the service is busy', async () => {
    s3.beBusy(2)
    await inBucket('busy').put('wal/a', [Buffer.from('one')], { once: true })
    expect(await textOf(await inBucket('busy').get('wal/a'))).toBe('one')
  })

  it('says in words what a key may not, and that one is wrong', async () => {
    const adding = inBucket('boats', 'ADDS')
    await adding.put('wal/b', [Buffer.from('one')], { once: true })
    await expect(adding.delete('wal/b')).rejects.toThrow(RefusedError)
    await expect(adding.put('wal/b', [Buffer.from('two')])).rejects.toThrow(
      's3://backups/boats does not take wal/b with this key.',
    )
    await expect(inBucket('boats', 'ALL', 'another').ping()).rejects.toThrow(/BACKUP_S3_SECRET_ACCESS_KEY/)
    await expect(
      openS3Shelf({
        endpoint: s3.endpoint,
        bucket: 'nowhere',
        prefix: '',
        region: 'auto',
        accessKeyId: 'ALL',
        secretAccessKey: new Secret(secret),
      }).ping(),
    ).rejects.toThrow(/bucket nowhere is not there/)
  })

  it('is named with or without a part of it', () => {
    expect(parseBucket('s3://boats')).toEqual({ bucket: 'boats', prefix: '' })
    expect(parseBucket('s3://boats/in/harbour/')).toEqual({ bucket: 'boats', prefix: 'in/harbour' })
    expect(parseBucket('/mnt/s3://boats')).toBeUndefined()
  })
})
