import type { Sharp } from 'sharp'
import { type EffectId, effects } from './catalogue.ts'
import type { Pixels, Studio } from './pixels.ts'

const PIXELS_MAX = 50_000_000
const JPEG_QUALITY = 92

/** Loaded when the first picture comes: a process that never sees one does without its 30 MB. */
const loadSharp = async () => (await import('sharp')).default

/** The photo's pixels, upright, without alpha; at most `longest` pixels long when given. */
export async function decode(bytes: Uint8Array, longest?: number): Promise<Pixels> {
  const sharp = await loadSharp()
  const image = sharp(bytes, { limitInputPixels: PIXELS_MAX }).toColourspace('srgb').flatten({ background: '#fff' })
  const sized = longest
    ? image.resize({ width: longest, height: longest, fit: 'inside', withoutEnlargement: true })
    : image
  return toPixels(sized)
}

export const encodeJpeg = async (image: Pixels): Promise<Buffer> =>
  (await open(image)).jpeg({ quality: JPEG_QUALITY }).toBuffer()

export const encodePreview = async (image: Pixels): Promise<Buffer> =>
  (await open(image)).webp({ quality: 72, effort: 2 }).toBuffer()

/** The effect on these pixels. `strength` is 0 to 100. */
export async function applyEffect(id: EffectId, image: Pixels, strength: number): Promise<Pixels> {
  return effects[id].apply(image, studioFor(strength / 100))
}

const studioFor = (strength: number): Studio => ({
  strength,
  blur,
  resize: async (image, width, height, how) => {
    const kernel = how === 'nearest' ? 'nearest' : 'lanczos3'
    return toPixels((await open(image)).resize({ width, height, fit: 'fill', kernel }))
  },
  median: async (image, size) =>
    size > Math.min(image.width, image.height) ? image : toPixels((await open(image)).median(size)),
  palette: async (image, colours) => {
    const reduced = await (await open(image)).png({ palette: true, colours, dither: 0 }).toBuffer()
    return decode(reduced)
  },
})

/** A wide blur holds no detail: it is made on a smaller picture, where it costs the same however wide it is. */
const SIGMA_MAX = 6

async function blur(image: Pixels, sigma: number): Promise<Pixels> {
  if (sigma < 0.3) return image
  if (sigma <= SIGMA_MAX) return toPixels((await open(image)).blur(sigma))
  const factor = sigma / SIGMA_MAX
  const [width, height] = [image.width, image.height].map((side) => Math.max(1, Math.round(side / factor)))
  const reduced = (await open(image)).resize({ width, height, fit: 'fill', kernel: 'linear' })
  const small = await open(await toPixels(reduced.blur(SIGMA_MAX)))
  return toPixels(small.resize({ width: image.width, height: image.height, fit: 'fill', kernel: 'cubic' }))
}

async function open({ data, width, height }: Pixels): Promise<Sharp> {
  const sharp = await loadSharp()
  return sharp(data, { raw: { width, height, channels: 3 } })
}

async function toPixels(image: Sharp): Promise<Pixels> {
  const { data, info } = await image.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true })
  return { data, width: info.width, height: info.height }
}
