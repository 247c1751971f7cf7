import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeBackupStatus } from './condition.ts'
import { estimateSeconds } from './estimate.ts'
import { readOverview } from './overview.ts'
import { placesOf } from './places.ts'
import type { Plan } from './restore-plan.ts'

describe('what an operator sees', () => {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'overview-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it('is there before anything is, and names no instant that cannot be had', async () => {
    const places = placesOf(directory)
    const empty = await readOverview(places, Date.now(), 1)
    expect(empty).toMatchObject({ earliest: undefined, latest: undefined, stores: [], drills: [] })
    expect(empty.problem).toMatch(/no verified recovery point/)
    await writeBackupStatus(places, { verifiedAt: Date.now(), point: 'a', problem: undefined })
    expect((await readOverview(places, Date.now(), 1)).problem).toMatch(/nothing ships/)
  })
})

describe('an estimate of a restore', () => {
  const plan = (bytes: number, segments: number): Plan =>
    ({
      point: { base: { bytes }, log: { segmentBytes: 1 }, blobs: { bytes: 0 } },
      chain: { segments: Array.from({ length: segments }, () => '') },
    }) as unknown as Plan

  it('goes by the last trial on this machine, and grows with what is restored', () => {
    expect(estimateSeconds(plan(0, 0))).toBe(5)
    expect(estimateSeconds(plan(600_000_000, 100))).toBe(16)
    const last = { rtoSeconds: 15, bytes: 0, segments: 0 } as Parameters<typeof estimateSeconds>[1]
    expect(estimateSeconds(plan(0, 0), last)).toBe(15)
    expect(estimateSeconds(plan(300_000_000, 0), last)).toBe(30)
  })
})
