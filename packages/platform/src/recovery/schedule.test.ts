import { DAY, HOUR, MINUTE } from '@seaworthy/core'
import { describe, expect, it } from 'vitest'
import { isBackupDue } from './schedule.ts'

const midnight = Date.parse('2026-01-31T00:00:00Z')
const at = (ms: number, more: Partial<Parameters<typeof isBackupDue>[0]> = {}): boolean =>
  isBackupDue({
    now: midnight + ms,
    atMinutes: 190,
    verifiedAt: undefined,
    triedAt: undefined,
    cutAt: undefined,
    ...more,
  })

describe('a backup is due', () => {
  it('once a day at its time, and later when the machine was off then', () => {
    const verifiedAt = midnight - DAY + 200 * MINUTE
    expect(at(189 * MINUTE, { verifiedAt })).toBe(false)
    expect(at(190 * MINUTE, { verifiedAt })).toBe(true)
    expect(at(9 * HOUR, { verifiedAt })).toBe(true)
    expect(at(9 * HOUR, { verifiedAt: midnight + 191 * MINUTE })).toBe(false)
  })

  it('at once where there is none, and when the archive was cut after the last one', () => {
    expect(at(0)).toBe(true)
    const verifiedAt = midnight + 191 * MINUTE
    expect(at(9 * HOUR, { verifiedAt, cutAt: midnight + 5 * HOUR })).toBe(true)
    expect(at(9 * HOUR, { verifiedAt, cutAt: midnight + 3 * HOUR })).toBe(false)
  })

  it('not again within the hour when it failed', () => {
    expect(at(9 * HOUR, { triedAt: midnight + 8.5 * HOUR })).toBe(false)
    expect(at(9 * HOUR, { triedAt: midnight + 7.5 * HOUR })).toBe(true)
  })
})
