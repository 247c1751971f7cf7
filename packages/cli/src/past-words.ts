import {
  type Difference,
  type DifferentRow,
  type Merged,
  maskOf,
  type TableDifference,
  UNDO_DAYS,
} from '@seaworthy/platform/past'
import { redactText } from '@seaworthy/platform/telemetry'

const ROWS_SHOWN = 20
const TEXT_SHOWN = 40

/** Rows that would be brought back. */
export const toBring = ({ tables }: Difference, takePast: boolean): number =>
  tables.flatMap(({ rows }) => rows).filter((row) => isBrought(row, takePast)).length

const isBrought = ({ kind, left }: DifferentRow, takePast: boolean): boolean =>
  !left && (kind === 'only then' || (takePast && kind === 'changed'))

export function describeDifference({ tables, untouched }: Difference, takePast: boolean): string {
  const others = untouched.map(
    ({ table, was, is, why }) => `${table}  ${was} rows then, ${is} now: not put back, ${why}`,
  )
  return [...tables.flatMap((table) => describeTable(table, takePast)), ...others].join('\n')
}

function describeTable({ table, columns, rows, same, refusal }: TableDifference, takePast: boolean): readonly string[] {
  const count = (kind: DifferentRow['kind']): number => rows.filter((row) => row.kind === kind).length
  if (refusal) return [`${table.name}  nothing can be put back: ${refusal}`]
  const head = `${table.name}  ${count('only then')} only then, ${count('only now')} only now, ${count('changed')} changed, ${same} the same`
  const shown = rows
    .slice(0, ROWS_SHOWN)
    .map((row) => `  ${markOf(row, takePast)} ${row.key.join(' ')}  ${wordsOf(table, columns, row)}`)
  return [head, ...shown, ...(rows.length > ROWS_SHOWN ? [`    and ${rows.length - ROWS_SHOWN} more`] : [])]
}

const markOf = (row: DifferentRow, takePast: boolean): string =>
  isBrought(row, takePast) ? (row.kind === 'changed' ? '<' : '+') : row.kind === 'only now' ? '=' : '.'

function wordsOf(table: TableDifference['table'], columns: TableDifference['columns'], row: DifferentRow): string {
  const value = (text: string | null | undefined, name: string): string =>
    text === null || text === undefined ? 'nothing' : (maskOf(table, name) ?? shorten(text))
  const words = columns.flatMap(({ name }, i) => {
    if (name === 'account_id' || name === 'id') return []
    if (row.kind !== 'changed') return [`${name}=${value((row.was ?? row.is)?.[i], name)}`]
    return row.differing.includes(name)
      ? [`${name}: ${value(row.is?.[i], name)}, then ${value(row.was?.[i], name)}`]
      : []
  })
  const left = row.left ?? (row.kind === 'only now' ? 'came since, and stays' : undefined)
  return `${row.was || row.is ? words.join('  ') : ''}${left ? `  (${left})` : ''}`
}

/** What people wrote is no command to a terminal. */
function shorten(text: string): string {
  const clean = redactText(text).replace(/\p{Cc}/gu, ' ')
  return clean.length > TEXT_SHOWN ? `${clean.slice(0, TEXT_SHOWN)}...` : clean
}

/** The same for programs, with what is sealed or personal as hidden as there. */
export const viewOf = ({ tables, untouched }: Difference) => ({
  tables: tables.map(({ table, columns, rows, same, refusal }) => ({
    table: table.name,
    same,
    refusal,
    rows: rows.map(({ key, account, kind, left, differing, was, is }) => ({
      key,
      account,
      kind,
      left,
      differing,
      was: was && shownValues(table, columns, was),
      is: is && shownValues(table, columns, is),
    })),
  })),
  untouched,
})

const shownValues = (
  table: TableDifference['table'],
  columns: TableDifference['columns'],
  values: readonly (string | null)[],
) =>
  Object.fromEntries(
    columns.map(({ name }, i) => [name, values[i] === null ? null : (maskOf(table, name) ?? values[i])]),
  )

export function describeMerged({ id, tables }: Merged): string {
  const lines = tables.flatMap(({ table, brought, replaced, left }) => [
    `${table}  ${brought} rows were brought back, ${replaced} are as they were then`,
    ...Object.entries(left).map(([why, count]) => `  ${count} were left: ${why}`),
  ])
  const end = id
    ? [`To undo it, within ${UNDO_DAYS} days: npx seaworthy restore --undo ${id}`]
    : ['Nothing was changed.']
  return [...lines, ...end].join('\n')
}
