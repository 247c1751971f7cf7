import { blend, clamp, type Effect, luminance, mix, type Pixels, paintEach, scaleOf, smoothstep } from './pixels.ts'

/** Graphite on paper: what differs from its surroundings becomes a line. */
export const sketch: Effect = async (image, { strength, blur }) => {
  const grey = paintEach(image, (data, at, out) => {
    out[at] = out[at + 1] = out[at + 2] = 255 - luminance(data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0)
  })
  const soft = await blur(grey, mix(2, 9, strength) * scaleOf(image))
  return paintEach(image, (data, at, out) => {
    const level = 255 - (grey.data[at] ?? 0)
    // Colour dodge: the paper stays white where nothing changes.
    const dodge = clamp((level * 255) / Math.max(1, 255 - (soft.data[at] ?? 0)))
    const line = 255 * (dodge / 255) ** 1.7
    for (let c = 0; c < 3; c++) out[at + c] = mix(line, (line * (data[at + c] ?? 0)) / 255, 0.12)
  })
}

/** How strongly brightness changes at each pixel, 0 to about 1. */
function edges(image: Pixels): Float32Array {
  const { width, height, data } = image
  const light = new Float32Array(width * height)
  for (let i = 0, at = 0; i < light.length; i++, at += 3)
    light[i] = luminance(data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0) / 255
  const out = new Float32Array(width * height)
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x
      const at = (dx: number, dy: number): number => light[i + dy * width + dx] ?? 0
      const gx = at(1, -1) + 2 * at(1, 0) + at(1, 1) - at(-1, -1) - 2 * at(-1, 0) - at(-1, 1)
      const gy = at(-1, 1) + 2 * at(0, 1) + at(1, 1) - at(-1, -1) - 2 * at(0, -1) - at(1, -1)
      out[i] = Math.hypot(gx, gy) / 2
    }
  }
  return out
}

/** Flat colours within dark outlines. */
export const cartoon: Effect = async (image, { strength, blur, median }) => {
  const flat = await median(image, Math.max(3, Math.min(9, Math.round(5 * scaleOf(image)) | 1)))
  const ink = edges(await blur(flat, Math.max(0.6, 0.9 * scaleOf(image))))
  const steps = Math.round(mix(12, 5, strength))
  const drawn = paintEach(flat, (data, at, out) => {
    const light = luminance(data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0) || 1
    const ratio = ((Math.floor((light / 256) * steps) + 0.5) * (255 / steps)) / light
    const line = 1 - smoothstep(0.07, 0.2, ink[at / 3] ?? 0)
    for (let c = 0; c < 3; c++) {
      const vivid = light + ((data[at + c] ?? 0) - light) * 1.35
      out[at + c] = vivid * ratio * line
    }
  })
  return blend(image, drawn, Math.min(1, strength * 1.4))
}

/**
 * Oil by Kuwahara's filter: of four windows around a pixel the calmest gives its mean, so areas flow together and edges
 * stay. The four windows are one box filter looked at from four corners, which keeps it linear in the pixels.
 */
export const oil: Effect = (image, { strength }) => {
  const radius = Math.max(1, Math.round(mix(1.5, 5, strength) * scaleOf(image)))
  const mean = boxMean(image, radius)
  const unrest = boxUnrest(image, radius)
  const { width, height } = image
  return paintEach(image, (_, at, out, x, y) => {
    const left = Math.max(0, x - radius)
    const right = Math.min(width - 1, x + radius)
    const above = Math.max(0, y - radius) * width
    const below = Math.min(height - 1, y + radius) * width
    const upper = calmer(unrest, above + left, above + right)
    const lower = calmer(unrest, below + left, below + right)
    const best = calmer(unrest, upper, lower) * 3
    for (let c = 0; c < 3; c++) {
      const paint = mean.data[best + c] ?? 0
      out[at + c] = 128 + (paint - 128) * 1.08
    }
  })
}

const calmer = (unrest: Float32Array, a: number, b: number): number => ((unrest[a] ?? 0) <= (unrest[b] ?? 0) ? a : b)

/** Means over squares of side 2r+1, by running sums: the cost does not grow with the radius. */
function boxMean(image: Pixels, radius: number): Pixels {
  const { width, height, data } = image
  const across = new Uint8Array(data.length)
  for (let y = 0; y < height; y++) slide(data, across, y * width * 3, 3, width, radius, 3)
  const down = new Uint8Array(data.length)
  for (let x = 0; x < width; x++) slide(across, down, x * 3, width * 3, height, radius, 3)
  return { width, height, data: down }
}

/** The variance of brightness over the same squares. */
function boxUnrest(image: Pixels, radius: number): Float32Array {
  const { width, height, data } = image
  const light = new Float32Array(width * height)
  const squared = new Float32Array(width * height)
  for (let i = 0, at = 0; i < light.length; i++, at += 3) {
    const value = luminance(data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0)
    light[i] = value
    squared[i] = value * value
  }
  const spare = new Float32Array(width * height)
  for (const plane of [light, squared]) {
    for (let y = 0; y < height; y++) slide(plane, spare, y * width, 1, width, radius, 1)
    for (let x = 0; x < width; x++) slide(spare, plane, x, width, height, radius, 1)
  }
  for (let i = 0; i < light.length; i++) squared[i] = (squared[i] ?? 0) - (light[i] ?? 0) ** 2
  return squared
}

/** One line of a running mean; at the ends the window is cut. */
type Plane = Uint8Array | Float32Array

function slide(
  from: Plane,
  to: Plane,
  start: number,
  stride: number,
  count: number,
  radius: number,
  channels: number,
): void {
  for (let c = 0; c < channels; c++) slideChannel(from, to, start + c, stride, count, radius)
}

function slideChannel(from: Plane, to: Plane, start: number, stride: number, count: number, radius: number): void {
  let sum = 0
  let size = 0
  for (let i = -radius; i < count; i++) {
    const enter = i + radius
    const leave = enter - 2 * radius - 1
    if (enter < count) {
      sum += from[start + enter * stride] ?? 0
      size++
    }
    if (leave >= 0) {
      sum -= from[start + leave * stride] ?? 0
      size--
    }
    if (i >= 0) to[start + i * stride] = sum / size
  }
}

/** A few fat pixels in a few colours. */
export const pixelArt: Effect = async (image, { strength, resize, palette }) => {
  const across = Math.round(mix(180, 48, strength))
  const long = Math.max(image.width, image.height)
  const size = (side: number): number => Math.max(1, Math.round((side / long) * across))
  const small = await resize(image, size(image.width), size(image.height), 'smooth')
  const vivid = paintEach(small, (data, at, out) => {
    const light = luminance(data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0)
    for (let c = 0; c < 3; c++) out[at + c] = light + ((data[at + c] ?? 0) - light) * 1.25
  })
  return resize(await palette(vivid, Math.round(mix(48, 16, strength))), image.width, image.height, 'nearest')
}

/** Dots of ink on newsprint, at the angles printers use. */
export const halftone: Effect = (image, { strength }) => {
  const pitch = Math.max(3, mix(4, 11, strength) * scaleOf(image))
  const screens = [15, 75, 0].map((degrees) => ({
    cos: Math.cos((degrees * Math.PI) / 180) / pitch,
    sin: Math.sin((degrees * Math.PI) / 180) / pitch,
  }))
  const paper = [250, 245, 232] as const
  return paintEach(image, (data, at, out, x, y) => {
    for (let c = 0; c < 3; c++) {
      const screen = screens[c] ?? { cos: 1, sin: 0 }
      const u = x * screen.cos + y * screen.sin
      const v = y * screen.cos - x * screen.sin
      const dot = (Math.cos(u * 2 * Math.PI) + Math.cos(v * 2 * Math.PI)) / 4 + 0.5
      const ink = smoothstep(-0.12, 0.12, 1 - (data[at + c] ?? 0) / 255 - dot)
      out[at + c] = (paper[c] ?? 255) * (1 - ink * 0.92)
    }
  })
}
