import type { AuditLine } from './line.ts'

export const auditFormats = ['csv', 'jsonl'] as const
export type AuditFormat = (typeof auditFormats)[number]

type Shown = Omit<AuditLine, 'details' | 'errorText'> & { readonly details: unknown }

/** What its account may see of a line: internal words are for operators. */
export function showLine({ details, errorText: _, ...line }: AuditLine): Shown {
  return { ...line, details: details === null ? null : JSON.parse(details) }
}

const names = [
  'at',
  'kind',
  'action',
  'outcome',
  'status',
  'errorCode',
  'resource',
  'userId',
  'accountId',
  'method',
  'route',
  'path',
  'durationMs',
  'network',
  'userAgent',
  'requestId',
  'details',
  'id',
] as const satisfies readonly (keyof Shown)[]

export const csvHeader = `${names.join(',')}\r\n`

/** RFC 4180. */
export const toCsv = (lines: readonly AuditLine[]): string =>
  lines.map((line) => `${names.map((name) => cell(line[name])).join(',')}\r\n`).join('')

/** One JSON object a line. */
export const toJsonLines = (lines: readonly AuditLine[]): string =>
  lines.map((line) => `${JSON.stringify(showLine(line))}\n`).join('')

/** What a spreadsheet would run as a formula gets an apostrophe in front, and is text. */
const formula = /^[=+\-@\t\r\n＝＋－＠]/

function cell(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  return `"${(formula.test(value) ? `'${value}` : value).replaceAll('"', '""')}"`
}
