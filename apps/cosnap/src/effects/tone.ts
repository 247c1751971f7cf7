import {
  blend,
  clamp,
  curve,
  type Effect,
  luminance,
  mix,
  noise,
  type Pixels,
  paintEach,
  scaleOf,
  smoothstep,
} from './pixels.ts'

/** Distance from the centre, 0 there and 1 in the corners. */
function fromCentre(image: Pixels, x: number, y: number): number {
  const dx = (x / image.width) * 2 - 1
  const dy = (y / image.height) * 2 - 1
  return Math.sqrt((dx * dx + dy * dy) / 2)
}

/** Grain of film: stronger in the middle tones, in clumps that grow with the picture. */
function grainAt(image: Pixels, x: number, y: number, level: number, amount: number): number {
  const size = Math.max(1, scaleOf(image) * 0.9)
  const middle = 1 - Math.abs(level - 128) / 160
  return noise(Math.floor(x / size), Math.floor(y / size)) * amount * middle
}

/** Black and white with deep shadows, lit from the middle. */
export const noir: Effect = (image, { strength }) => {
  const contrast = curve((level) => 255 * smoothstep(0.08, 0.9, level / 255))
  return paintEach(image, (data, at, out, x, y) => {
    const [r = 0, g = 0, b = 0] = [data[at], data[at + 1], data[at + 2]]
    // Red is weighted up as through an orange filter: skin glows, skies darken.
    const grey = contrast[Math.round(clamp(0.42 * r + 0.45 * g + 0.13 * b))] ?? 0
    const level = grey * (1 - 0.55 * smoothstep(0.45, 1, fromCentre(image, x, y))) + grainAt(image, x, y, grey, 14)
    out[at] = mix(r, level, strength)
    out[at + 1] = mix(g, level, strength)
    out[at + 2] = mix(b, level, strength)
  })
}

const indigo = [34, 22, 84] as const
const coral = [247, 95, 90] as const
const cream = [255, 236, 206] as const

/** Shadows in one ink, lights in another. */
export const duotone: Effect = (image, { strength }) => {
  const inks = [0, 1, 2].map((c) =>
    curve((level) => {
      const t = smoothstep(0.05, 0.95, level / 255)
      return t < 0.55
        ? mix(indigo[c] ?? 0, coral[c] ?? 0, t / 0.55)
        : mix(coral[c] ?? 0, cream[c] ?? 0, (t - 0.55) / 0.45)
    }),
  )
  return paintEach(image, (data, at, out) => {
    const level = Math.round(luminance(data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0))
    for (let c = 0; c < 3; c++) out[at + c] = mix(data[at + c] ?? 0, inks[c]?.[level] ?? 0, strength)
  })
}

/** Slide film of the seventies: lifted blacks, teal shadows, warm lights, grain. */
export const film: Effect = (image, { strength }) => {
  const red = curve((level) => 18 + 232 * smoothstep(-0.05, 1.02, level / 255))
  const green = curve((level) => 16 + 226 * (level / 255) ** 0.96)
  const blue = curve((level) => 38 + 186 * (level / 255) ** 0.92)
  return paintEach(image, (data, at, out, x, y) => {
    const [r = 0, g = 0, b = 0] = [data[at], data[at + 1], data[at + 2]]
    const grain = grainAt(image, x, y, luminance(r, g, b), 26)
    out[at] = mix(r, (red[r] ?? 0) + grain, strength)
    out[at + 1] = mix(g, (green[g] ?? 0) + grain, strength)
    out[at + 2] = mix(b, (blue[b] ?? 0) + grain, strength)
  })
}

/** Corners fall into a warm dark, the middle stays. */
export const vignette: Effect = (image, { strength }) =>
  paintEach(image, (data, at, out, x, y) => {
    const shade = 1 - 0.85 * strength * smoothstep(0.35, 1.05, fromCentre(image, x, y))
    out[at] = (data[at] ?? 0) * (shade + (1 - shade) * 0.08)
    out[at + 1] = (data[at + 1] ?? 0) * shade
    out[at + 2] = (data[at + 2] ?? 0) * shade * (0.94 + 0.06 * shade)
  })

/** The last hour of sun: amber lights, violet shadows, and a leak of light from the upper left. */
export const goldenHour: Effect = (image, { strength }) =>
  paintEach(image, (data, at, out, x, y) => {
    const [r = 0, g = 0, b = 0] = [data[at], data[at + 1], data[at + 2]]
    const light = luminance(r, g, b) / 255
    const leak = smoothstep(1.1, 0, Math.hypot(x / image.width - 0.08, y / image.height - 0.05)) ** 2 * 120
    out[at] = mix(r, r * 1.06 + 26 * light + 12 * (1 - light) + leak, strength)
    out[at + 1] = mix(g, g * 0.98 + 12 * light + leak * 0.58, strength)
    out[at + 2] = mix(b, b * 0.8 + 22 * (1 - light) + leak * 0.14, strength)
  })

/** The blue prints of 1842: Prussian blue on paper. */
export const cyanotype: Effect = (image, { strength }) =>
  paintEach(image, (data, at, out, x, y) => {
    const [r = 0, g = 0, b = 0] = [data[at], data[at + 1], data[at + 2]]
    const size = Math.max(1, scaleOf(image) * 1.6)
    const paper = noise(Math.floor(x / size), Math.floor(y / size)) * 7
    const t = smoothstep(0.04, 0.96, luminance(r, g, b) / 255)
    out[at] = mix(r, mix(14, 240, t ** 1.35) + paper, strength)
    out[at + 1] = mix(g, mix(42, 243, t ** 0.95) + paper, strength)
    out[at + 2] = mix(b, mix(96, 236, t ** 0.72) + paper, strength)
  })

/** Light blooms around itself, as through a stocking on the lens. */
export const glow: Effect = async (image, { strength, blur }) => {
  const soft = await blur(image, 14 * scaleOf(image))
  return paintEach(image, (data, at, out) => {
    for (let c = 0; c < 3; c++) {
      const sharp = data[at + c] ?? 0
      const bloom = (soft.data[at + c] ?? 0) * 0.85
      const screen = 255 - ((255 - sharp) * (255 - bloom)) / 255
      // Screening lifts everything; a soft curve brings the shadows back.
      out[at + c] = mix(sharp, screen * (0.72 + 0.28 * (screen / 255)), strength)
    }
  })
}

/** Levels, colour cast, shadows and noise, put right as far as the picture itself tells. */
export const rescue: Effect = async (image, { strength, blur, median }) => {
  const balanced = balance(await median(image, 3))
  const around = await blur(balanced, 40 * scaleOf(image))
  const lifted = paintEach(balanced, (data, at, out) => {
    const [r = 0, g = 0, b = 0] = [around.data[at], around.data[at + 1], around.data[at + 2]]
    const light = luminance(r, g, b) / 255
    // Dark places are lifted as a whole; what differs from its surroundings differs a little more.
    const lift = 1 + 0.7 * smoothstep(0.5, 0.02, light)
    for (let c = 0; c < 3; c++) {
      const level = data[at + c] ?? 0
      out[at + c] = level * lift + 0.22 * (level - light * 255)
    }
  })
  return blend(image, lifted, strength)
}

/** Each channel's darkest and brightest half percent become black and white, two thirds of the way. */
function balance(image: Pixels): Pixels {
  const counts = [new Uint32Array(256), new Uint32Array(256), new Uint32Array(256)]
  for (let at = 0; at < image.data.length; at++) {
    const channel = counts[at % 3]
    const level = image.data[at] ?? 0
    if (channel) channel[level] = (channel[level] ?? 0) + 1
  }
  const tables = counts.map((channel) => {
    const [low, high] = ends(channel, image.data.length / 3)
    return curve((level) => mix(level, ((level - low) / Math.max(1, high - low)) * 255, 0.67))
  })
  return paintEach(image, (data, at, out) => {
    for (let c = 0; c < 3; c++) out[at + c] = tables[c]?.[data[at + c] ?? 0] ?? 0
  })
}

const END_SHARE = 0.005

function ends(counts: Uint32Array, total: number): readonly [number, number] {
  const level = (order: readonly number[]): number => {
    let seen = 0
    for (const candidate of order) {
      seen += counts[candidate] ?? 0
      if (seen > total * END_SHARE) return candidate
    }
    return 0
  }
  const up = Array.from({ length: 256 }, (_, i) => i)
  return [level(up), level(up.toReversed())]
}
