import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { placesOf } from '../places.ts'
import { type DrillReport, readDrillHistory, readDrillStatus, recordDrill, trendOf } from './report.ts'

const report = (point: string, from: string, more: Partial<DrillReport> = {}): DrillReport => ({
  at: from,
  store: 'one',
  point,
  pointFrom: from,
  outcome: 'passed',
  problem: undefined,
  seconds: {},
  rtoSeconds: 10,
  rpoSeconds: undefined,
  tookSeconds: 12,
  bytes: 1,
  segments: 1,
  checked: undefined,
  journeys: [],
  room: undefined,
  ...more,
})

describe('what trials gave', () => {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'reports-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it('is remembered: the newest point that passed, whatever is tried after it', async () => {
    const places = placesOf(directory)
    await recordDrill(places, report('b', '2026-01-02T00:00:00Z'))
    await recordDrill(places, report('a', '2026-01-01T00:00:00Z'))
    await recordDrill(places, report('c', '2026-01-03T00:00:00Z', { outcome: 'unknown', problem: 'no space' }))
    const status = await readDrillStatus(places)
    expect([status?.last.point, status?.passed?.point]).toEqual(['c', 'b'])
    expect((await readDrillHistory(places)).map(({ point }) => point)).toEqual(['b', 'a', 'c'])
  })

  it('is kept for a hundred trials', async () => {
    const places = placesOf(directory)
    for (let i = 0; i < 103; i++) await recordDrill(places, report(String(i), '2026-01-02T00:00:00Z'))
    const history = await readDrillHistory(places)
    expect([history.length, history[0]?.point, history.at(-1)?.point]).toEqual([100, '3', '102'])
  })

  it('shows when a restore became slower', () => {
    const took = (rtoSeconds: number) => report('a', '2026-01-01T00:00:00Z', { rtoSeconds })
    expect(trendOf([took(9)])).toBeUndefined()
    expect(trendOf([took(9), took(10), took(11), took(30)])).toEqual({ median: 10, ratio: 3 })
    const failed = report('a', '2026-01-01T00:00:00Z', { outcome: 'failed', rtoSeconds: 1 })
    expect(trendOf([took(10), failed, took(10)])?.ratio).toBe(1)
  })
})
