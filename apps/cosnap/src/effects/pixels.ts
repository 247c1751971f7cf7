/** A picture as plain bytes: red, green, blue of each pixel, row by row. */
export interface Pixels {
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
}

/** What an effect may use besides the pixels. */
export interface Studio {
  /** 0 is the photo itself, 1 the effect at full strength. */
  readonly strength: number
  /** Blurred by a Gaussian of this sigma, in pixels. */
  blur(image: Pixels, sigma: number): Promise<Pixels>
  resize(image: Pixels, width: number, height: number, how: 'smooth' | 'nearest'): Promise<Pixels>
  /** Median of a square window: takes noise away and keeps edges. */
  median(image: Pixels, size: number): Promise<Pixels>
  /** At most `colours` colours, chosen from the picture. */
  palette(image: Pixels, colours: number): Promise<Pixels>
}

export type Effect = (image: Pixels, studio: Studio) => Promise<Pixels> | Pixels

/** Rec. 709 luminance, 0 to 255. */
export const luminance = (r: number, g: number, b: number): number => 0.2126 * r + 0.7152 * g + 0.0722 * b

export const clamp = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value)

export const mix = (a: number, b: number, share: number): number => a + (b - a) * share

/** From 0 to 1, smoothly, as x goes from `from` to `to`. */
export function smoothstep(from: number, to: number, x: number): number {
  const t = Math.min(1, Math.max(0, (x - from) / (to - from)))
  return t * t * (3 - 2 * t)
}

/** The same for the same pixel every time: a preview and the result show the same grain. From -1 to 1. */
export function noise(x: number, y: number): number {
  let h = Math.imul(x, 374761393) + Math.imul(y, 668265263)
  h = Math.imul(h ^ (h >>> 13), 1274126177)
  return ((h ^ (h >>> 16)) >>> 0) / 2147483647.5 - 1
}

/** A new picture, each pixel computed from the old one; `paint` writes three bytes at `at`. */
export function paintEach(
  image: Pixels,
  paint: (data: Uint8Array, at: number, out: Uint8ClampedArray, x: number, y: number) => void,
): Pixels {
  const out = new Uint8ClampedArray(image.data.length)
  let at = 0
  for (let y = 0; y < image.height; y++) {
    for (let x = 0; x < image.width; x++, at += 3) paint(image.data, at, out, x, y)
  }
  return { ...image, data: new Uint8Array(out.buffer) }
}

/** `share` of the second picture over the first. */
export function blend(under: Pixels, over: Pixels, share: number): Pixels {
  if (share >= 1) return over
  const out = new Uint8Array(under.data.length)
  for (let i = 0; i < out.length; i++) out[i] = Math.round(mix(under.data[i] ?? 0, over.data[i] ?? 0, share))
  return { ...under, data: out }
}

/** A table for each of 256 levels; looked up three times a pixel. */
export const curve = (of: (level: number) => number): Uint8ClampedArray =>
  Uint8ClampedArray.from({ length: 256 }, (_, level) => of(level))

/** How big a detail is that should look the same on a phone's and on a camera's photo: shares of the long side. */
export const scaleOf = (image: Pixels): number => Math.max(image.width, image.height) / 1_000
