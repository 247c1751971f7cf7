/** `13.6 s`, `4 min`. */
export function showSeconds(seconds: number | null): string {
  if (seconds === null) return 'not measured'
  return seconds < 120
    ? `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
    : `${Math.round(seconds / 60)} min`
}

const sizes = [
  ['GB', 1_000_000_000],
  ['MB', 1_000_000],
  ['kB', 1_000],
] as const

export function showSize(bytes: number | null): string {
  if (bytes === null) return 'unknown size'
  for (const [unit, size] of sizes)
    if (bytes >= size) return `${(bytes / size).toFixed(bytes >= 10 * size ? 0 : 1)} ${unit}`
  return `${bytes} bytes`
}

/** Day and time to the second: an instant that one goes back to. */
export const instant = (time: string): string =>
  new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' })

/** As a field for day and time has it: local, without a zone. */
export function toField(time: string): string {
  const at = new Date(time)
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
}

export const outcomeWords = { passed: 'verified', failed: 'failed', unknown: 'could not verify' } as const
export const outcomeKind = { passed: 'good', failed: 'bad', unknown: undefined } as const
