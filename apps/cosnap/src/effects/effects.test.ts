import { drawPhoto } from '@seaworthy/testkit'
import { describe, expect, it } from 'vitest'
import { type EffectId, effectIds, effects } from './catalogue.ts'
import type { Pixels } from './pixels.ts'
import { applyEffect, decode } from './studio.ts'

const photo = async (width = 180, height = 120): Promise<Pixels> =>
  decode(await drawPhoto(width, height).png().toBuffer())

/** Mean difference of all bytes, 0 to 255. */
function difference(a: Pixels, b: Pixels): number {
  let sum = 0
  for (let i = 0; i < a.data.length; i++) sum += Math.abs((a.data[i] ?? 0) - (b.data[i] ?? 0))
  return sum / a.data.length
}

describe.each(effectIds)('effect %s', (id: EffectId) => {
  it('changes the picture and keeps its size', async () => {
    const before = await photo()
    const after = await applyEffect(id, before, effects[id].strength)
    expect([after.width, after.height, after.data.length]).toEqual([180, 120, before.data.length])
    expect(difference(before, after)).toBeGreaterThan(1)
  })

  it('leaves the original alone and makes the same from the same', async () => {
    const before = await photo()
    const copy = Uint8Array.from(before.data)
    const [one, two] = [await applyEffect(id, before, 70), await applyEffect(id, before, 70)]
    expect(difference(one, two)).toBe(0)
    expect(Buffer.compare(before.data, copy)).toBe(0)
  })

  it('works on the narrowest and the smallest picture, at both ends of the slider', async () => {
    for (const [width, height] of [
      [1, 1],
      [1, 40],
      [40, 1],
      [3, 2],
    ] as const) {
      for (const strength of [0, 100]) {
        const made = await applyEffect(id, await photo(width, height), strength)
        expect([made.width, made.height]).toEqual([width, height])
      }
    }
  })

  it('does more at full strength than at little', async () => {
    const before = await photo()
    const [little, full] = [await applyEffect(id, before, 10), await applyEffect(id, before, 100)]
    expect(difference(before, full)).toBeGreaterThan(difference(before, little) * 0.9)
  })
})
