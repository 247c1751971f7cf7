import { DAY, HOUR } from '@seaworthy/core'
import { describe, expect, it } from 'vitest'
import { findDrillProblem, isDrillDue } from './due.ts'
import type { DrillReport, DrillStatus } from './report.ts'

const now = Date.parse('2026-01-31T12:00:00Z')
const at = (hoursAgo: number): string => new Date(now - hoursAgo * HOUR).toISOString()

const report = (more: Partial<DrillReport>): DrillReport => ({
  at: at(8),
  store: 'one',
  point: 'a',
  pointFrom: at(9),
  outcome: 'passed',
  problem: undefined,
  seconds: {},
  rtoSeconds: 1,
  rpoSeconds: 1,
  tookSeconds: 2,
  bytes: 1,
  segments: 1,
  checked: undefined,
  journeys: [],
  room: undefined,
  ...more,
})
const passed = { point: 'a', pointFrom: at(9), at: at(8) }
const status = (more: Partial<DrillReport> = {}, known: DrillStatus['passed'] = passed): DrillStatus => ({
  last: report(more),
  passed: known,
})
const backup = { verifiedAt: now - 9 * HOUR, since: now - 90 * DAY, point: 'a' }

describe('a trial is due', () => {
  it.each([
    ['never without a point', false, { verifiedAt: undefined, point: undefined }, undefined, 1],
    ['after the first backup', true, backup, undefined, 1],
    ['not again for a point that passed', false, backup, status(), 1],
    [
      'after each backup',
      true,
      { ...backup, verifiedAt: now, point: 'b' },
      status({}, { ...passed, pointFrom: at(23.5) }),
      1,
    ],
    [
      'not within the days of DRILL_EVERY',
      false,
      { ...backup, verifiedAt: now, point: 'b' },
      status({}, { ...passed, pointFrom: at(23.5) }),
      7,
    ],
    [
      'after them',
      true,
      { ...backup, verifiedAt: now, point: 'b' },
      status({}, { ...passed, pointFrom: at(7 * 24 - 1) }),
      7,
    ],
    ['not within an hour of any', false, { ...backup, point: 'b' }, status({ at: at(0.5) }), 1],
    ['again after six hours for one that did not pass', true, backup, status({ at: at(7), outcome: 'unknown' }), 1],
    ['not before them', false, backup, status({ at: at(5), outcome: 'failed' }), 1],
    [
      'at once for a new point after one that failed',
      true,
      { ...backup, point: 'b' },
      status({ at: at(2), outcome: 'failed' }),
      7,
    ],
  ])('%s', (_, isDue, newest, drill, everyDays) => {
    expect(isDrillDue({ now, backup: newest, drill, everyDays })).toBe(isDue)
  })
})

describe('an alarm of trials', () => {
  const find = (drill: DrillStatus | undefined, everyDays = 1, since = backup.since) =>
    findDrillProblem({ now, backup: { ...backup, since }, drill, everyDays })

  it('is silent while the newest point that passed is younger than 26 h, and before the first could have', () => {
    expect(find(status())).toBeUndefined()
    expect(find(status({}, { ...passed, pointFrom: at(25.9) }))).toBeUndefined()
    expect(find(undefined, 1, now - 25 * HOUR)).toBeUndefined()
    expect(find(status({}, { ...passed, pointFrom: at(7 * 24 + 1) }), 7)).toBeUndefined()
  })

  it.each([
    ['none ever was', find(undefined), /no recovery point was ever restored on trial/],
    ['it is older than 26 h', find(status({}, { ...passed, pointFrom: at(27) })), /27 h old/],
    ['the last one failed', find(status({ outcome: 'failed', problem: 'an index' })), /point a could not .* an index/],
    [
      'none could be verified, which is not the same as verified',
      find({ last: report({ outcome: 'unknown', problem: 'no space' }), passed: { ...passed, pointFrom: at(30) } }),
      /30 h old: no space/,
    ],
  ])('says that %s', (_, problem, words) => {
    expect(problem).toMatch(words)
  })
})
