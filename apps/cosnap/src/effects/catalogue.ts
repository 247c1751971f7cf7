import { type Credits, credits } from '@seaworthy/core'
import { cartoon, halftone, oil, pixelArt, sketch } from './art.ts'
import { colourPop, glitch, tiltShift } from './lens.ts'
import type { Effect } from './pixels.ts'
import { cyanotype, duotone, film, glow, goldenHour, noir, rescue, vignette } from './tone.ts'

/** An effect people can choose. To add one: write it beside its relatives and give it a line here. */
export interface EffectSpec {
  readonly name: string
  readonly line: string
  readonly group: 'Tone' | 'Art' | 'Lens'
  readonly cost: Credits
  /** What the slider starts at, 0 to 100. */
  readonly strength: number
  readonly apply: Effect
}

const one = credits(1)
const two = credits(2)

export const effects = {
  rescue: {
    name: 'Photo rescue',
    line: 'Levels, colour cast, shadows and noise put right',
    group: 'Tone',
    cost: two,
    strength: 70,
    apply: rescue,
  },
  noir: {
    name: 'Noir',
    line: 'Black and white with deep shadows',
    group: 'Tone',
    cost: one,
    strength: 85,
    apply: noir,
  },
  'golden-hour': {
    name: 'Golden hour',
    line: 'Amber light of the last hour of sun',
    group: 'Tone',
    cost: one,
    strength: 70,
    apply: goldenHour,
  },
  film: { name: 'Film', line: 'Seventies slide film with grain', group: 'Tone', cost: one, strength: 80, apply: film },
  duotone: {
    name: 'Duotone',
    line: 'Shadows in one ink, lights in another',
    group: 'Tone',
    cost: one,
    strength: 95,
    apply: duotone,
  },
  cyanotype: {
    name: 'Cyanotype',
    line: 'Prussian blue on paper',
    group: 'Tone',
    cost: one,
    strength: 95,
    apply: cyanotype,
  },
  glow: { name: 'Glow', line: 'Light blooms around itself', group: 'Tone', cost: one, strength: 60, apply: glow },
  vignette: {
    name: 'Vignette',
    line: 'Corners fall into a warm dark',
    group: 'Tone',
    cost: one,
    strength: 60,
    apply: vignette,
  },
  oil: { name: 'Oil', line: 'Areas flow together, edges stay', group: 'Art', cost: two, strength: 60, apply: oil },
  sketch: { name: 'Pencil sketch', line: 'Graphite on paper', group: 'Art', cost: two, strength: 60, apply: sketch },
  cartoon: {
    name: 'Cartoon',
    line: 'Flat colours within dark outlines',
    group: 'Art',
    cost: two,
    strength: 75,
    apply: cartoon,
  },
  halftone: {
    name: 'Halftone',
    line: 'Dots of ink on newsprint',
    group: 'Art',
    cost: one,
    strength: 50,
    apply: halftone,
  },
  'pixel-art': {
    name: 'Pixel art',
    line: 'A few fat pixels in a few colours',
    group: 'Art',
    cost: one,
    strength: 60,
    apply: pixelArt,
  },
  'tilt-shift': {
    name: 'Tilt-shift',
    line: 'Streets become toys',
    group: 'Lens',
    cost: one,
    strength: 60,
    apply: tiltShift,
  },
  'colour-pop': {
    name: 'Colour pop',
    line: 'The strongest colour stays, the rest turns grey',
    group: 'Lens',
    cost: one,
    strength: 90,
    apply: colourPop,
  },
  glitch: {
    name: 'Glitch',
    line: 'Channels drift as on a tired tape',
    group: 'Lens',
    cost: one,
    strength: 55,
    apply: glitch,
  },
} as const satisfies Record<string, EffectSpec>

export type EffectId = keyof typeof effects
export const effectIds = Object.keys(effects) as [EffectId, ...EffectId[]]
