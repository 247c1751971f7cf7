import { type Effect, luminance, mix, type Pixels, paintEach, scaleOf, smoothstep } from './pixels.ts'

/** A strip stays sharp and the rest swims: streets become toys. */
export const tiltShift: Effect = async (image, { strength, blur }) => {
  const soft = await blur(image, mix(3, 12, strength) * scaleOf(image))
  return paintEach(image, (data, at, out, _x, y) => {
    const away = smoothstep(0.1, 0.38, Math.abs(y / image.height - 0.56))
    const [r = 0, g = 0, b = 0] = [0, 1, 2].map((c) => mix(data[at + c] ?? 0, soft.data[at + c] ?? 0, away))
    const light = luminance(r, g, b)
    const vivid = 1 + 0.35 * strength
    out[at] = light + (r - light) * vivid
    out[at + 1] = light + (g - light) * vivid
    out[at + 2] = light + (b - light) * vivid
  })
}

const HUES = 36

/** The picture's strongest colour stays, everything else turns grey. */
export const colourPop: Effect = (image, { strength }) => {
  const kept = strongestHue(image)
  return paintEach(image, (data, at, out) => {
    const [r = 0, g = 0, b = 0] = [data[at], data[at + 1], data[at + 2]]
    const { hue, chroma } = hueOf(r, g, b)
    const apart = Math.abs(((hue - kept + 540) % 360) - 180)
    const keep = smoothstep(48, 22, apart) * smoothstep(0.1, 0.22, chroma)
    const grey = luminance(r, g, b)
    const share = strength * (1 - keep)
    const vivid = 1 + 0.25 * strength * keep
    out[at] = mix(grey + (r - grey) * vivid, grey, share)
    out[at + 1] = mix(grey + (g - grey) * vivid, grey, share)
    out[at + 2] = mix(grey + (b - grey) * vivid, grey, share)
  })
}

/** Degrees; weighted by how colourful a pixel is and how near the middle it lies. */
function strongestHue(image: Pixels): number {
  const weights = new Float64Array(HUES)
  const step = Math.max(1, Math.floor(Math.min(image.width, image.height) / 240))
  for (let y = 0; y < image.height; y += step) {
    for (let x = 0; x < image.width; x += step) {
      const at = (y * image.width + x) * 3
      const { hue, chroma } = hueOf(image.data[at] ?? 0, image.data[at + 1] ?? 0, image.data[at + 2] ?? 0)
      const middle = 1.3 - Math.hypot(x / image.width - 0.5, y / image.height - 0.5)
      const bin = Math.floor(hue / (360 / HUES)) % HUES
      weights[bin] = (weights[bin] ?? 0) + chroma ** 2 * middle
    }
  }
  return (weights.indexOf(Math.max(...weights)) + 0.5) * (360 / HUES)
}

function hueOf(r: number, g: number, b: number): { hue: number; chroma: number } {
  const high = Math.max(r, g, b)
  const spread = high - Math.min(r, g, b)
  if (spread === 0) return { hue: 0, chroma: 0 }
  const sector = high === r ? ((g - b) / spread + 6) % 6 : high === g ? (b - r) / spread + 2 : (r - g) / spread + 4
  return { hue: sector * 60, chroma: spread / 255 }
}

/** Channels drift apart and rows slip, as on a tired tape. */
export const glitch: Effect = (image, { strength }) => {
  const { width, height, data } = image
  const drift = Math.round(mix(2, 14, strength) * scaleOf(image))
  const band = Math.max(2, Math.round(22 * scaleOf(image)))
  return paintEach(image, (_, at, out, x, y) => {
    const row = Math.floor(y / band)
    const wild = Math.sin(row * 12.9898) * 43758.5453
    const slip =
      wild - Math.floor(wild) > 1 - 0.35 * strength
        ? Math.round(Math.sin(row * 7.1) * 26 * scaleOf(image) * strength)
        : 0
    const pick = (c: number, dx: number): number =>
      data[(y * width + Math.min(width - 1, Math.max(0, x + dx + slip))) * 3 + c] ?? 0
    const line = y % Math.max(2, Math.round(3 * scaleOf(image))) === 0 ? 1 - 0.14 * strength : 1
    out[at] = pick(0, -drift) * line
    out[at + 1] = pick(1, 0) * line
    out[at + 2] = pick(2, drift) * line * (y < height ? 1 : 0)
  })
}
