import { fault } from '@seaworthy/core'
import type sharpModule from 'sharp'

/**
 * Pictures live outside the heap that the collector watches: without a word it would keep several until it happens to
 * look. Does nothing where the process was started without `--expose-gc`.
 */
export const forgetPictures = (): void => globalThis.gc?.()

/** The one file of this room that imports sharp; loaded on first use, as it costs a quarter of a second. */
let loading: Promise<typeof sharpModule> | undefined

function loadSharp(): Promise<typeof sharpModule> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    sharp.cache(false)
    sharp.concurrency(2)
    return sharp
  })
  return loading
}

export interface PhotoInfo {
  readonly type: 'image/jpeg' | 'image/png'
  readonly width: number
  readonly height: number
}

/** 50 million: the largest phone cameras fit, a bomb of a few kilobytes does not. */
const PIXELS_MAX = 50_000_000
const JPEG_QUALITY = 92

/**
 * Writes the picture of `source` to `target` upright, in sRGB with 8 bits, first frame only, and with nothing but
 * pixels and a colour profile: no EXIF, no GPS, no XMP, no thumbnail. Throws `unusable_image` with the reason.
 */
export async function writeCleanPhoto(source: string, target: string): Promise<PhotoInfo> {
  const sharp = await loadSharp()
  const input = () => sharp(source, { limitInputPixels: PIXELS_MAX, failOn: 'error', sequentialRead: true, pages: 1 })
  try {
    const { hasAlpha } = await input().metadata()
    const upright = input().autoOrient().toColourspace('srgb').withIccProfile('srgb', { attach: false })
    const written = await (hasAlpha
      ? upright.png({ compressionLevel: 6 })
      : upright.jpeg({ quality: JPEG_QUALITY })
    ).toFile(target)
    return { type: hasAlpha ? 'image/png' : 'image/jpeg', width: written.width, height: written.height }
  } catch (error) {
    throw refusal(error)
  }
}

/** WebP ends at 16,383 pixels a side. */
const HEIGHT_MAX = 16_000

/** Resized to at most `width` and encoded. */
export async function renderDerivative(source: Buffer, width: number, format: 'webp' | 'avif'): Promise<Buffer> {
  const sharp = await loadSharp()
  const resized = sharp(source, { limitInputPixels: PIXELS_MAX }).resize({
    width,
    height: HEIGHT_MAX,
    fit: 'inside',
    withoutEnlargement: true,
  })
  return format === 'avif'
    ? resized.avif({ quality: 55, effort: 2 }).toBuffer()
    : resized.webp({ quality: 80, effort: 3 }).toBuffer()
}

function refusal(error: unknown): Error {
  const message = (error as Error).message
  if (/ENOSPC|No space left/i.test(message)) return fault('storage_full', { internal: message, cause: error })
  const detail = /pixel limit/.test(message)
    ? `The photo has more than ${PIXELS_MAX / 1_000_000} million pixels.`
    : 'The file is damaged or incomplete. Please export it again, or choose another photo.'
  return fault('unusable_image', { detail, internal: message, cause: error })
}
