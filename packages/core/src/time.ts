export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

const unitMs = { ms: 1, s: SECOND, m: MINUTE, h: HOUR, d: DAY } as const

/** `15m`, `7d`, `900s`, `250ms` or a bare number of milliseconds, as milliseconds; undefined when it is none of them. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,12})(ms|s|m|h|d)?$/.exec(text.trim())
  if (!match) return undefined
  const unit = (match[2] ?? 'ms') as keyof typeof unitMs
  return Number(match[1]) * unitMs[unit]
}

/** Where code takes the time from, so that a test can turn it. Milliseconds since 1970. */
export interface Clock {
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }
