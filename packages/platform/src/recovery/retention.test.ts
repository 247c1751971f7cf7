import { DAY } from '@seaworthy/core'
import { describe, expect, it } from 'vitest'
import { newPointId, type Point } from './point.ts'
import { asItCame, choosePointsToForget, chooseSnapshotsToForget } from './retention.ts'

const start = Date.parse('2026-01-01T03:10:00Z')

function pointAt(day: number, isShrunken = false): Point {
  const at = new Date(start + day * DAY)
  const id = newPointId(at, 'abcdef')
  return {
    id,
    from: at.toISOString(),
    begunAt: at.toISOString(),
    isShrunken,
    base: { snapshot: `snapshot ${id}` },
  } as unknown as Point
}

const settings = { retentionMs: 30 * DAY, keep: 3 }

describe('retention', () => {
  it('keeps every instant of thirty days restorable, and nothing that is not needed for it, on each of forty days', () => {
    let points: readonly Point[] = []
    for (let day = 0; day < 40; day++) {
      points = [...points, pointAt(day)]
      const now = start + day * DAY + 1_000
      const gone = choosePointsToForget(points, { ...settings, now })
      points = points.filter((point) => !gone.includes(point))
      const oldestNeeded = Math.max(start, now - 30 * DAY)
      expect(Date.parse(points[0]?.from ?? '')).toBeLessThanOrEqual(oldestNeeded)
      expect(points.length).toBeLessThanOrEqual(32)
    }
    expect(points).toHaveLength(31)
  })

  it('never lets the newest few go, however old they are', () => {
    const points = [0, 1, 2, 3, 4].map((day) => pointAt(day))
    const gone = choosePointsToForget(points, { ...settings, now: start + 400 * DAY })
    expect(gone).toEqual(points.slice(0, 2))
    expect(choosePointsToForget([pointAt(0)], { ...settings, now: start + 400 * DAY })).toEqual([])
  })

  it('lets nothing go because of points that shrank', () => {
    const points = [pointAt(0), pointAt(1), ...[300, 301, 302, 303].map((day) => pointAt(day, true))]
    expect(choosePointsToForget(points, { ...settings, now: start + 400 * DAY })).toEqual([])
  })

  it('lets nothing go for a point that says it is old and has just come', () => {
    const points = [28, 29, 30].map((day) => pointAt(day))
    const now = start + 31 * DAY
    const forged = [31, 32, 33].map((day) => ({ ...pointAt(day), from: new Date(start - 40 * DAY).toISOString() }))
    const chosen = (all: readonly Point[]) => choosePointsToForget(all, { ...settings, now })
    expect(chosen([...points, ...forged])).toHaveLength(3)
    expect(chosen([...points, ...forged.map((point) => asItCame(point, now))])).toEqual([])
    const [sound] = points
    expect(sound && asItCame(sound, Date.parse(sound.from) + 3_600_000)).toBe(sound)
  })

  it('removes copies that belong to no point, and none that somebody else has put there', () => {
    const kept = [pointAt(5)]
    const snapshots = [
      { id: 'a', tags: [kept[0]?.id ?? ''] },
      { id: 'b', tags: [pointAt(4).id] },
      { id: 'c', tags: [] },
      { id: 'd', tags: ['mine'] },
      { id: kept[0]?.base.snapshot ?? '', tags: [pointAt(3).id] },
    ]
    expect(chooseSnapshotsToForget(snapshots, kept)).toEqual(['b'])
  })
})
