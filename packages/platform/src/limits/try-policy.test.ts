import { HOUR, MINUTE, SECOND } from '@seaworthy/core'
import { describe, expect, it } from 'vitest'
import { codes, delayAfter, judgeTry, knownDevice, strangers, type Tries, type TryPolicy } from './try-policy.ts'

/** Guesses as soon as it may, for so long: how many tries were allowed. */
function guessFor(policy: TryPolicy, ms: number, stepMs = 100): number {
  let tries: Tries | undefined
  let allowed = 0
  for (let now = 0; now < ms; now += stepMs) {
    const judgement = judgeTry(policy, tries, now)
    if (!judgement.allowed) continue
    tries = judgement.after
    allowed++
  }
  return allowed
}

describe('tries at a secret', () => {
  it('lets five through at once, and then makes each wait twice as long as the one before', () => {
    let tries: Tries | undefined
    const waits: number[] = []
    for (let now = 0, i = 0; i < 9; i++) {
      let judgement = judgeTry(strangers, tries, now)
      waits.push(judgement.allowed ? 0 : judgement.retryMs)
      if (!judgement.allowed) now += judgement.retryMs
      judgement = judgeTry(strangers, tries, now)
      if (judgement.allowed) tries = judgement.after
    }
    expect(waits).toEqual([0, 0, 0, 0, 0, 1_000, 2_000, 4_000, 8_000])
    expect(delayAfter(strangers, 60)).toBe(15 * MINUTE)
  })

  it('gives whoever guesses without a pause at most twenty in fifteen minutes, and a few a day after that', () => {
    expect(guessFor(strangers, 15 * MINUTE)).toBeLessThanOrEqual(20)
    expect(guessFor(strangers, 24 * HOUR, SECOND)).toBeLessThanOrEqual(120)
    expect(guessFor(knownDevice, 15 * MINUTE)).toBeLessThanOrEqual(10)
    expect(guessFor(codes, 15 * MINUTE)).toBe(5)
  })

  it('changes nothing by a try that it refuses, so that waiting helps', () => {
    const now = 100 * MINUTE
    const tries = { failures: 7, windowMs: now, used: 7, lastMs: now }
    expect(judgeTry(strangers, tries, now + 3_999)).toEqual({ allowed: false, retryMs: 1 })
    expect(judgeTry(strangers, tries, now + 4_000)).toMatchObject({ allowed: true, after: { failures: 8, used: 8 } })
  })

  it('bounds the window also when the waits were forgiven', () => {
    const tries = { failures: 0, windowMs: 0, used: 20, lastMs: MINUTE }
    expect(judgeTry(strangers, tries, 2 * MINUTE)).toEqual({ allowed: false, retryMs: 13 * MINUTE })
    expect(judgeTry(strangers, tries, 15 * MINUTE)).toMatchObject({ allowed: true, after: { used: 1 } })
  })

  it('forgets failures after a day', () => {
    const tries = { failures: 30, windowMs: 0, used: 3, lastMs: 0 }
    expect(judgeTry(strangers, tries, 24 * HOUR)).toMatchObject({ allowed: true, after: { failures: 1, used: 1 } })
  })
})
