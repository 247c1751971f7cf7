import { styleText } from 'node:util'

const levelStyle = { debug: 'gray', info: 'cyan', warn: 'yellow', error: 'red' } as const
const hidden = new Set(['level', 'time', 'message', 'process', 'trace', 'bytes'])
const FIELD_MAX = 300

/** A JSON log line for people: time, process, message, then what else it says. Other lines come through as they are. */
export function prettyLine(line: string): string {
  let entry: Record<string, unknown>
  try {
    entry = JSON.parse(line) as Record<string, unknown>
  } catch {
    return line
  }
  const level =
    (entry.level as keyof typeof levelStyle) in levelStyle ? (entry.level as keyof typeof levelStyle) : 'info'
  const time = String(entry.time ?? '').slice(11, 23)
  const fields = Object.entries(entry)
    .filter(([key]) => !hidden.has(key))
    .map(([key, value]) => `${styleText('gray', `${key}=`)}${showField(value)}`)
  return `${styleText('gray', time)} ${styleText(levelStyle[level], level.padEnd(5))} ${String(entry.process ?? '').padEnd(8)} ${String(entry.message ?? '')} ${fields.join(' ')}`.trimEnd()
}

function showField(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'message' in value) {
    const { name, message, stack } = value as { name?: string; message?: string; stack?: string }
    return `${name ?? 'Error'}: ${message}${stack ? `\n${stack}` : ''}`
  }
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > FIELD_MAX ? `${text.slice(0, FIELD_MAX)}...` : text
}
