import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { DamagedStreamError, sealStream, unsealStream } from './stream.ts'

const [key, context] = [randomBytes(32), Buffer.from('a name')]
const seal = (plain: Buffer): Promise<Buffer> => buffer(sealStream(key, context, [plain]))
const open = (sealed: Buffer, by = key, as = context): Promise<Buffer> => buffer(unsealStream(by, as, [sealed]))

describe('a sealed stream', () => {
  it.each([0, 1, 65_535, 65_536, 65_537, 200_000])(
    'of %i bytes opens to what went in, however it is cut',
    async (size) => {
      const plain = randomBytes(size)
      const sealed = await seal(plain)
      expect((await open(sealed)).equals(plain)).toBe(true)
      const crumbs = Array.from({ length: Math.ceil(sealed.length / 1_111) }, (_, i) =>
        sealed.subarray(i * 1_111, (i + 1) * 1_111),
      )
      expect((await buffer(unsealStream(key, context, crumbs))).equals(plain)).toBe(true)
    },
  )

  it('does not open when it ends early, also between two frames, or goes on', async () => {
    const sealed = await seal(randomBytes(65_536 * 2))
    for (const end of [0, 3, 20, 21, 36, 20 + 65_552, sealed.length - 1])
      await expect(open(sealed.subarray(0, end))).rejects.toThrow(DamagedStreamError)
    await expect(open(Buffer.concat([sealed, Buffer.alloc(1)]))).rejects.toThrow(DamagedStreamError)
  })

  it('does not open when one bit of it, its name or its key is another, or two frames changed places', async () => {
    const sealed = await seal(randomBytes(65_536 * 3))
    for (const at of [0, 5, 30, 70_000, sealed.length - 1]) {
      const changed = Buffer.from(sealed)
      changed[at] = (changed[at] ?? 0) ^ 1
      await expect(open(changed)).rejects.toThrow(DamagedStreamError)
    }
    await expect(open(sealed, randomBytes(32))).rejects.toThrow(DamagedStreamError)
    await expect(open(sealed, key, Buffer.from('another name'))).rejects.toThrow(DamagedStreamError)
    const [first, second] = [sealed.subarray(20, 65_572), sealed.subarray(65_572, 131_124)]
    const swapped = Buffer.concat([sealed.subarray(0, 20), second, first, sealed.subarray(131_124)])
    await expect(open(swapped)).rejects.toThrow(DamagedStreamError)
  })
})
