const units = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

/** "3 hours ago"; "just now" within the minute. */
export function ago(time: string): string {
  const ms = Date.now() - Date.parse(time)
  const format = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })
  for (const [unit, size] of units) if (ms >= size) return format.format(-Math.floor(ms / size), unit)
  return 'just now'
}

/** Day and time: of two alike, which one was it? */
export const moment = (time: string): string =>
  new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' })
