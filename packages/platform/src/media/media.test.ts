import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { MiB, Secret } from '@seaworthy/core'
import { drawPhoto, jpegPhoto, openTestDatabase, type TestDatabase, turnableClock } from '@seaworthy/testkit'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sql } from '../data/index.ts'
import { openDiskStore } from './drivers/disk.ts'
import { createMedia, type MediaRoom } from './media.ts'
import { readMediaUrl, signMediaUrl } from './signed-url.ts'

const HOUR = 3_600_000

describe('media', () => {
  let test: TestDatabase
  let directory: string
  let room: MediaRoom
  const clock = turnableClock(Date.now())
  const secret = new Secret('a media secret of some length 0123456789')
  beforeAll(async () => {
    test = await openTestDatabase()
    directory = mkdtempSync(join(tmpdir(), 'media-'))
    const store = await openDiskStore(join(directory, 'blobs'))
    room = createMedia({
      database: test.database,
      store,
      directory,
      secret,
      urlMs: HOUR,
      quotaBytes: 100_000,
      concurrency: 1,
      clock,
    })
  })
  afterAll(async () => {
    await test.close()
    rmSync(directory, { recursive: true })
  })

  const store = async (bytes: Uint8Array, maxBytes = 30 * MiB) => {
    const account = await test.makeAccount()
    const photo = await room.media.storePhoto(account, Readable.from([bytes]), maxBytes)
    return { account, photo, read: () => room.media.readBytes(account, photo.hash) }
  }
  const refusal = (bytes: Uint8Array, maxBytes?: number) =>
    store(bytes, maxBytes).then(
      () => undefined,
      (error: unknown) => error,
    )

  it('removes every trace of camera and place and keeps the picture upright', async () => {
    const tagged = await drawPhoto(200, 100)
      .jpeg()
      .withExif({
        IFD0: { Make: 'CanaryCam', Copyright: 'Canary' },
        IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '51/1 30/1 3230/100' },
      })
      .withMetadata({ orientation: 6 })
      .toBuffer()
    expect((await sharp(tagged).metadata()).orientation).toBe(6)
    const { photo, read } = await store(tagged)
    const bytes = await read()
    const found = await sharp(bytes).metadata()
    expect([photo.width, photo.height]).toEqual([100, 200])
    expect([found.exif, found.xmp, found.iptc, found.orientation]).toEqual([undefined, undefined, undefined, undefined])
    expect(bytes.includes('Canary')).toBe(false)
  })

  it.each([
    ['a CMYK JPEG', () => drawPhoto().toColourspace('cmyk').jpeg().toBuffer()],
    ['a 16-bit PNG', () => drawPhoto().toColourspace('rgb16').png().toBuffer()],
    ['a PNG with alpha', () => drawPhoto().ensureAlpha(0.5).png().toBuffer()],
    [
      'an animation, by its first frame',
      () =>
        sharp(Buffer.alloc(20 * 40 * 3, 90), { raw: { width: 20, height: 40, channels: 3, pageHeight: 20 } as never })
          .gif()
          .toBuffer(),
    ],
    ['a WebP', () => drawPhoto().webp().toBuffer()],
    ['an AVIF', () => drawPhoto(64, 64).avif({ effort: 0 }).toBuffer()],
    ['a grey JPEG', () => drawPhoto().grayscale().jpeg().toBuffer()],
  ])('takes %s as an 8-bit sRGB photo', async (_, make) => {
    const { read } = await store(await make())
    expect(await sharp(await read()).metadata()).toMatchObject({ depth: 'uchar', space: 'srgb' })
  })

  it.each([
    ['nothing', async () => Buffer.alloc(0)],
    ["text under a photo's name", async () => Buffer.from('not a photo at all, whatever the name says')],
    [
      'a script as SVG',
      async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'),
    ],
    ['the first half of a JPEG', async () => (await jpegPhoto(800, 600)).subarray(0, 4_000)],
    ['a header without a body', async () => Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70, 73, 70])],
    ['a PDF', async () => Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\n')],
  ])('refuses %s, and keeps nothing of it', async (_, make) => {
    expect(await refusal(await make())).toMatchObject({ code: 'unusable_image', status: 422 })
    expect(readdirSync(join(directory, 'drafts'))).toEqual([])
  })

  it('refuses HEIC and says what to do', async () => {
    const heic = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic\0\0\0\0heicmif1'), Buffer.alloc(100)])
    const error = await refusal(heic)
    expect(error).toMatchObject({ code: 'unusable_image' })
    expect((error as { detail: string }).detail).toMatch(/HEIC.*JPEG/)
  })

  it('refuses a picture of a few kilobytes that unfolds into 400 million pixels', async () => {
    const bomb = await sharp({
      create: { width: 20_000, height: 20_000, channels: 3, background: '#000' },
      limitInputPixels: false,
    })
      .png({ compressionLevel: 9 })
      .toBuffer()
    expect(await refusal(bomb)).toMatchObject({ code: 'unusable_image' })
  })

  it('stops reading at the first byte over the limit', async () => {
    let given = 0
    const account = await test.makeAccount()
    const endless = new Readable({
      read() {
        given += 65_536
        this.push(Buffer.alloc(65_536, 1))
      },
    })
    await expect(room.media.storePhoto(account, endless, 1 * MiB)).rejects.toMatchObject({
      code: 'payload_too_large',
      status: 413,
    })
    expect(given).toBeLessThan(2 * MiB)
    expect(readdirSync(join(directory, 'drafts'))).toEqual([])
  })

  it('keeps nothing of an upload that breaks off', async () => {
    const account = await test.makeAccount()
    const broken = new Readable({
      read() {
        this.push(Buffer.alloc(1_000))
        this.destroy(new Error('gone'))
      },
    })
    await expect(room.media.storePhoto(account, broken, MiB)).rejects.toThrow()
    expect(readdirSync(join(directory, 'drafts'))).toEqual([])
  })

  it('stores equal photos of two people apart, and of one person once', async () => {
    const bytes = await jpegPhoto()
    const [a, b] = [await store(bytes), await store(bytes)]
    expect(a.photo.hash).toBe(b.photo.hash)
    await expect(room.media.readBytes(await test.makeAccount(), a.photo.hash)).rejects.toMatchObject({
      code: 'not_found',
    })
    const again = await room.media.storePhoto(a.account, Readable.from([bytes]), MiB)
    expect(again.hash).toBe(a.photo.hash)
  })

  it('sweeps what nothing refers to after a day, and nothing that is kept', async () => {
    const kept = await store(await jpegPhoto(101, 50))
    const loose = await store(await jpegPhoto(102, 50))
    const shared = await store(await jpegPhoto(103, 50))
    await test.database.withCaller(kept.account, (tx) => room.media.keep(tx, kept.photo.hash, 'owner:1'))
    await test.database.withCaller(shared.account, async (tx) => {
      await room.media.keep(tx, shared.photo.hash, 'owner:1')
      await room.media.keep(tx, shared.photo.hash, 'owner:2')
      await room.media.discard(tx, shared.photo.hash, 'owner:1')
    })
    clock.turn(23 * HOUR)
    expect((await room.sweep()).blobs).toBe(0)
    clock.turn(2 * HOUR)
    expect((await room.sweep()).blobs).toBeGreaterThan(0)
    await kept.read()
    await shared.read()
    await expect(loose.read()).rejects.toMatchObject({ code: 'not_found' })
    await test.database.withCaller(shared.account, (tx) => room.media.discard(tx, shared.photo.hash, 'owner:2'))
    const { unused } = await test.database.withCaller(shared.account, (tx) =>
      tx.one(
        sql<{
          unused: boolean
        }>`select unused_since is not null as unused from seaworthy.blobs where hash = ${shared.photo.hash}`,
      ),
    )
    expect(unused).toBe(true)
  })

  it('lets an account keep no more than its quota, however many uploads are kept at the same time', async () => {
    const account = await test.makeAccount()
    const sizes = Array.from({ length: 8 }, (_, i) => new Uint8Array(30_000).fill(i))
    const blobs = await Promise.all(sizes.map((bytes) => room.media.storeBytes(account, bytes, 'image/jpeg')))
    const keep = (hash: string) => test.database.withCaller(account, (tx) => room.media.keep(tx, hash, `proof:${hash}`))
    const outcomes = await Promise.allSettled(blobs.map((blob) => keep(blob.hash)))
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(refused.map((outcome) => outcome.reason.code)).toEqual(Array(5).fill('quota_exceeded'))
    const [first] = blobs.filter((_, i) => outcomes[i]?.status === 'fulfilled')
    await test.database.withCaller(account, (tx) =>
      room.media.discard(tx, first?.hash ?? '', `proof:${first?.hash ?? ''}`),
    )
    await keep(blobs.find((_, i) => outcomes[i]?.status === 'rejected')?.hash ?? '')
  })

  it('refuses to store a file within a transaction, which could not undo it', async () => {
    const account = await test.makeAccount()
    const misuse = test.database.withCaller(account, () =>
      room.media.storeBytes(account, new Uint8Array(10), 'image/jpeg'),
    )
    await expect(misuse).rejects.toThrow(/within a transaction/)
  })

  it('sweeps the others when one cannot be removed, and says that it failed', async () => {
    const [stuck, loose] = [await store(await jpegPhoto(104, 50)), await store(await jpegPhoto(105, 50))]
    await test.database.withCaller(stuck.account, (tx) => room.media.keep(tx, stuck.photo.hash, 'owner:1'))
    await test.admin.query(
      `update seaworthy.blobs set unused_since = now() - interval '1 year' where account_id = $1`,
      [stuck.account.accountId],
    )
    clock.turn(25 * HOUR)
    expect((await room.sweep()).failures).toHaveLength(1)
    await stuck.read()
    await expect(loose.read()).rejects.toMatchObject({ code: 'not_found' })
  })

  it('opens a file by its signed address until it expires, and by no altered one', async () => {
    const account = await test.makeAccount()
    const address = { accountId: account.accountId, hash: 'a'.repeat(64), variant: '640.webp' } as const
    const now = clock.now()
    const url = signMediaUrl(address, secret, now, HOUR)
    expect(readMediaUrl(url, secret, now)).toMatchObject({ ok: true, address })
    expect(readMediaUrl(url, secret, now + 2 * HOUR)).toEqual({ ok: false, reason: 'expired' })
    const later = url.replace(/e=(\d+)/, (_, expires: string) => `e=${Number(expires) + 3_600}`)
    for (const altered of [
      later,
      url.replace('640', '320'),
      url.replace('aaaa', 'aaab'),
      `${url}x`,
      url.replace(account.accountId, account.userId as string),
    ]) {
      expect(readMediaUrl(altered, secret, now), altered).toEqual({ ok: false, reason: 'unknown' })
    }
    expect(signMediaUrl(address, secret, now + 60_000, HOUR).slice(0, 100)).toBe(url.slice(0, 100))
  })
})
