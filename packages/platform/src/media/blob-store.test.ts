import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { Secret } from '@seaworthy/core'
import { type FakeS3, openFakeS3 } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDiskStore } from './drivers/disk.ts'
import { openS3Store } from './drivers/s3.ts'
import type { BlobStore } from './store.ts'

const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER-secret-key' }
const directory = mkdtempSync(join(tmpdir(), 'blob-store-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

let s3: FakeS3
beforeAll(async () => {
  s3 = await openFakeS3('photos', [{ id: credentials.accessKeyId, secret: credentials.secretAccessKey }])
})
afterAll(() => s3.close())

const settings = (secret: string) => ({
  endpoint: s3.endpoint,
  bucket: 'photos',
  region: 'us-east-1',
  accessKeyId: credentials.accessKeyId,
  secretAccessKey: new Secret(secret),
})

/** A file system that is not that of our directory; where there is none, nothing can be moved between two. */
const elsewhere = '/dev/shm'
const hasTwo = existsSync(elsewhere) && statSync(elsewhere).dev !== statSync(directory).dev

describe.skipIf(!hasTwo)('blob store on a volume of its own', () => {
  it('takes a file from another volume, and leaves no draft behind', async () => {
    const other = mkdtempSync(join(elsewhere, 'blob-store-'))
    try {
      writeFileSync(join(other, 'upload'), 'from afar')
      const store = await openDiskStore(join(directory, 'apart'))
      const key = `01a1fc0b-3041-78fc-a432-c753d31d1884/${'e'.repeat(64)}`
      await store.putFile(key, join(other, 'upload'), 9)
      expect(await store.size(key)).toBe(9)
      expect(readdirSync(join(directory, 'apart', '.drafts'))).toEqual([])
    } finally {
      rmSync(other, { recursive: true, force: true })
    }
  })
})

describe.each<[string, () => Promise<BlobStore>]>([
  ['disk', () => openDiskStore(join(directory, 'disk'))],
  ['S3', async () => openS3Store(settings(credentials.secretAccessKey))],
])('blob store on %s', (_, open) => {
  let store: BlobStore
  beforeAll(async () => {
    store = await open()
  })
  const key = (letter: string) => `01a1fc0b-3041-78fc-a432-c753d31d1884/${letter.repeat(64)}`
  const text = async (name: string, range?: { start: number; end: number }) => {
    const stream = await store.read(name, range)
    return stream && (await buffer(stream)).toString()
  }

  it('gives back what was put, whole and in part', async () => {
    await store.putBytes(key('a'), Buffer.from('0123456789'))
    expect(await text(key('a'))).toBe('0123456789')
    expect(await text(key('a'), { start: 2, end: 4 })).toBe('234')
    expect(await store.size(key('a'))).toBe(10)
  })

  it('takes a file, and takes the same content twice', async () => {
    for (let i = 0; i < 2; i++) {
      const file = join(directory, `draft-${i}`)
      writeFileSync(file, 'from a file')
      await store.putFile(key('b'), file, 11)
    }
    expect(await text(key('b'))).toBe('from a file')
  })

  it('knows what is not there', async () => {
    expect(await store.size(key('c'))).toBeUndefined()
    expect(await store.read(key('c'))).toBeUndefined()
    await store.delete(key('c'))
  })

  it('deletes', async () => {
    await store.putBytes(key('d'), Buffer.from('x'))
    await store.delete(key('d'))
    expect(await store.size(key('d'))).toBeUndefined()
  })

  it('says that it is well', async () => {
    await store.ping()
  })
})

it('is refused by S3 with a wrong key', async () => {
  const store = openS3Store(settings('another key'))
  await expect(store.putBytes('x/y', Buffer.from('x'))).rejects.toThrow()
})
