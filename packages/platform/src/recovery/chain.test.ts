import { describe, expect, it } from 'vitest'
import { findChain } from './chain.ts'
import { type Fork, parseHistory, parseSegment, segmentName } from './segments.ts'

const segmentBytes = 1_048_576
const name = (timeline: number, number: number): string => segmentName({ timeline, number }, segmentBytes)
const log = { segmentBytes, timeline: 1, first: name(1, 10), last: name(1, 12) } as never
const many = (timeline: number, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => name(timeline, from + i))
const chainOf = (
  segments: readonly string[],
  more: { head?: string; histories?: [number, readonly Fork[]][]; wanted?: number } = {},
) =>
  findChain(
    { segments: new Set(segments), histories: new Map(more.histories ?? []), head: more.head },
    { log },
    more.wanted,
  )

describe('the chain of segments', () => {
  it('goes on over the end of the low half of a position', () => {
    expect(name(1, 4_095)).toBe('000000010000000000000FFF')
    expect(name(1, 4_096)).toBe('000000010000000100000000')
    expect(parseSegment(name(7, 123_456), segmentBytes)).toEqual({ timeline: 7, number: 123_456 })
  })

  it('is whole from the base to the newest, and what is older does not matter', () => {
    expect(chainOf(many(1, 3, 20))).toMatchObject({ segments: many(1, 10, 20), gap: undefined, timeline: 1 })
  })

  it.each([10, 11, 15, 19])('names segment %i when it is missing', (missing) => {
    const left = many(1, 10, 20).filter((one) => one !== name(1, missing))
    expect(chainOf(left)).toMatchObject({ gap: name(1, missing), segments: many(1, 10, missing - 1) })
  })

  it('names what was cut off at the end: the head knows, and the point its own sentinel', () => {
    expect(chainOf(many(1, 10, 18), { head: name(1, 20) }).gap).toBe(name(1, 19))
    expect(chainOf(many(1, 10, 11)).gap).toBe(name(1, 12))
    expect(chainOf([]).gap).toBe(name(1, 10))
  })

  it('follows a restore onto the timeline that it opened, and the given one instead', () => {
    const histories: [number, readonly Fork[]][] = [[2, parseHistory('1\t0/E00028\tbefore 2026-01-31\n')]]
    const segments = [...many(1, 10, 20), ...many(2, 14, 17)]
    expect(chainOf(segments, { histories })).toMatchObject({
      timeline: 2,
      segments: [...many(1, 10, 13), ...many(2, 14, 17)],
      gap: undefined,
    })
    expect(chainOf(segments, { histories, wanted: 1 }).segments).toEqual(many(1, 10, 20))
    expect(chainOf([...many(1, 10, 20), ...many(2, 15, 17)], { histories }).gap).toBe(name(2, 14))
  })
})
