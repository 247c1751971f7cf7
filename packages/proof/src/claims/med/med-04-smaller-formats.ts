import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { type DeliveredFile, deliver, mediaUrlsIn } from '../../rig/delivered.ts'
import { likeness } from '../../rig/likeness.ts'
import type { Rig } from '../../rig/rig.ts'
import { patch } from '../../sabotage.ts'

const pictures = ['before-1200', 'after-1200']
const formats = ['webp', 'avif'] as const
const WIDTH = 1_600

export const claim = defineClaim({
  id: 'MED-04',
  says: 'Photos are offered as WebP and AVIF with at least 40 % fewer bytes than the JPEG, and look the same',
  answers: ['M4', 'W6'],
  witness: 'SSIM of the decoded pictures',
  tier: 'full',
  seconds: 10,
  limits: {
    'fewest bytes saved': atLeast(40, '%'),
    'least likeness': atLeast(0.95, 'SSIM'),
    'versions delivered as another type': exactly(0, 'versions'),
    'versions wider than they say': exactly(0, 'versions'),
  },
  experiment: async (rig) => {
    const { url, newcomer } = await rig.service()
    const person = await newcomer()
    const versions: Version[] = []
    for (const picture of pictures) {
      const photo = await person.json('/api/cosnap/photos', { method: 'POST', body: await jpegOf(rig, picture) })
      const files = await Promise.all(mediaUrlsIn(photo).map((one) => deliver(url, one)))
      const original = files.find((file) => file.url.includes('/original'))?.bytes ?? new Uint8Array()
      for (const file of files)
        if (!file.url.includes('/original')) versions.push(await compare(picture, original, file))
    }
    const measured = versions.filter((version) => version.says === WIDTH)
    return {
      measured: {
        'fewest bytes saved': Math.min(...measured.map((one) => one.saved)),
        'least likeness': Math.min(...measured.map((one) => one.likeness)),
        'versions delivered as another type': versions.filter((version) => !version.isOfType).length,
        'versions wider than they say': versions.filter((version) => version.width > version.says).length,
      },
      met: { 'each picture was compared in each format': measured.length === pictures.length * formats.length },
      evidence: measured.map((one) => `${one.what}: ${one.saved.toFixed(1)} % saved, SSIM ${one.likeness.toFixed(4)}`),
    }
  },
  sabotages: [
    patch(
      'quality is set as high as it goes',
      'packages/platform/src/media/drivers/sharp.ts',
      '.webp({ quality: 80, effort: 3 })',
      '.webp({ quality: 100, effort: 3 })',
    ),
    patch(
      'quality is set too low',
      'packages/platform/src/media/drivers/sharp.ts',
      '.avif({ quality: 55, effort: 2 })',
      '.avif({ quality: 3, effort: 2 })',
    ),
  ],
})

interface Version {
  readonly what: string
  /** In its address. */
  readonly says: number
  readonly width: number
  readonly isOfType: boolean
  /** Percent of the original's bytes. */
  readonly saved: number
  /** Only where it has the size of the original. */
  readonly likeness: number
}

async function compare(picture: string, original: Uint8Array, { url, type, bytes }: DeliveredFile): Promise<Version> {
  const [, says = '', format = ''] = /\/(\d+)\.(\w+)\?/.exec(url) ?? []
  const { width } = await sharp(bytes).metadata()
  return {
    what: `${picture} ${format}`,
    says: Number(says),
    width,
    isOfType: type === `image/${format}`,
    saved: 100 * (1 - bytes.length / original.length),
    likeness: width === WIDTH ? await likeness(original, bytes) : Number.NaN,
  }
}

/** A photo of the start page, as large as a camera would give it. */
async function jpegOf(rig: Rig, picture: string): Promise<Uint8Array<ArrayBuffer>> {
  const folder = join(rig.product, 'web', 'dist', 'assets')
  const name = readdirSync(folder).find((file) => file.startsWith(picture) && file.endsWith('.webp'))
  if (!name) throw new Error(`the start page has no picture ${picture}`)
  const bytes = readFileSync(join(folder, name))
  return new Uint8Array(await sharp(bytes).resize(WIDTH).jpeg({ quality: 95 }).toBuffer())
}
