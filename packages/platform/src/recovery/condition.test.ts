import { HOUR, MINUTE } from '@seaworthy/core'
import { describe, expect, it } from 'vitest'
import { findProblem } from './condition.ts'
import type { DrillReport } from './drill/report.ts'

const now = Date.parse('2026-01-31T12:00:00Z')
const backup = { verifiedAt: now - 5 * HOUR, point: 'a', problem: undefined }
const shipping = {
  at: now - 1_000,
  waitingBytes: 0,
  waitingSince: undefined,
  cutAt: undefined,
  problems: [],
  isIdle: false,
}

describe('an alarm of recovery', () => {
  it('is silent while what would be lost is what was promised', () => {
    expect(findProblem(backup, shipping, now)).toBeUndefined()
    expect(findProblem(backup, { ...shipping, cutAt: now - 6 * HOUR, waitingSince: now - 20_000 }, now)).toBeUndefined()
  })

  it.each([
    ['there is no verified point', undefined, shipping, /no verified recovery point/],
    ['the first one fails', { ...backup, verifiedAt: undefined, problem: 'no kit' }, shipping, /no kit/],
    ['the last one is older than 26 h', { ...backup, verifiedAt: now - 27 * HOUR }, shipping, /27 h old/],
    ['nothing ships', backup, { ...shipping, at: now - 2 * MINUTE }, /nothing ships/],
    ['nothing ever shipped', backup, undefined, /nothing ships/],
    ['the archive was cut since', backup, { ...shipping, cutAt: now - HOUR }, /cut/],
    ['a store is away', backup, { ...shipping, waitingSince: now - 2 * MINUTE }, /waits for a store/],
    ['one of two stores has no new point', { ...backup, problem: 'two: away' }, shipping, /two: away/],
  ])('says that %s', (_, one, two, words) => {
    expect(findProblem(one, two, now)).toMatch(words)
  })

  it('says that the last trial failed, and that nothing was tried for too long', () => {
    const last = { at: '2026-01-31T11:00:00Z', point: 'a', outcome: 'failed', problem: 'an index' } as DrillReport
    const drill = { last: { last, passed: undefined }, everyDays: 1 }
    expect(findProblem(backup, shipping, now, drill)).toMatch(/could not be restored on trial: an index/)
    expect(findProblem({ ...backup, since: now - 27 * HOUR }, shipping, now)).toMatch(/ever restored on trial/)
  })
})
