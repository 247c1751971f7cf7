import type { Claim, Limit, Observation } from './claim.ts'

export type VerdictName = 'proven' | 'refuted' | 'could not test' | 'stale' | 'human'

/** One number against its limit. */
export interface Reading {
  readonly measure: string
  readonly value: number
  readonly limit: Limit
  readonly holds: boolean
}

/** What an observation says about its claim. Red when a limit is broken, and when the fault never happened. */
export interface Judgement {
  readonly verdict: 'proven' | 'refuted'
  readonly readings: readonly Reading[]
  /** What should have happened in the experiment and did not. */
  readonly unmet: readonly string[]
}

export function judge(claim: Pick<Claim, 'limits'>, observation: Observation): Judgement {
  const readings = Object.entries(claim.limits).map(([measure, limit]) => {
    const value = observation.measured[measure] ?? Number.NaN
    return { measure, value, limit, holds: isWithin(value, limit) }
  })
  const unmet = Object.entries(observation.met)
    .filter(([, happened]) => !happened)
    .map(([what]) => what)
  // An experiment that checks nothing about itself has shown nothing either.
  if (Object.keys(observation.met).length === 0) unmet.push('the experiment says what must have happened')
  const proven = unmet.length === 0 && readings.length > 0 && readings.every((reading) => reading.holds)
  return { verdict: proven ? 'proven' : 'refuted', readings, unmet }
}

/** Not a number is within no limit. */
function isWithin(value: number, limit: Limit): boolean {
  return value <= (limit.atMost ?? Number.POSITIVE_INFINITY) && value >= (limit.atLeast ?? Number.NEGATIVE_INFINITY)
}

export function showLimit({ atMost, atLeast, unit }: Limit): string {
  if (atMost !== undefined && atMost === atLeast) return `= ${showNumber(atMost)} ${unit}`
  const bounds = [
    atLeast === undefined ? '' : `≥ ${showNumber(atLeast)}`,
    atMost === undefined ? '' : `≤ ${showNumber(atMost)}`,
  ]
  return `${bounds.filter(Boolean).join(', ')} ${unit}`
}

export const showNumber = (value: number): string =>
  Number.isInteger(value) ? value.toLocaleString('en') : value.toLocaleString('en', { maximumSignificantDigits: 3 })
