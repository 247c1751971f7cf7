import { asText, type Session } from './session.ts'
import type { Table } from './tables.ts'

const ROWS = 500
const PARAMETERS_MAX = 60_000

/**
 * All rows of a table as the session sees them, in the text that the server itself writes and reads. How many there were.
 * @param tell Told after each piece how many rows have been copied.
 */
export async function copyTable(
  from: Session,
  to: Session,
  { name, columns }: Table,
  tell: (rows: number) => void = () => undefined,
): Promise<number> {
  if (columns.length === 0) return 0
  const list = columns.join(', ')
  const size = Math.max(1, Math.min(ROWS, Math.floor(PARAMETERS_MAX / columns.length)))
  await from.query(`declare copied no scroll cursor for select ${list} from ${name}`)
  let count = 0
  for (;;) {
    const { rows } = await from.query<(string | null)[]>({
      text: `fetch ${size} from copied`,
      rowMode: 'array',
      types: asText,
    })
    if (rows.length === 0) break
    await to.query(
      `insert into ${name} (${list}) overriding system value values ${places(rows.length, columns.length)}`,
      rows.flat(),
    )
    count += rows.length
    tell(count)
  }
  await from.query('close copied')
  return count
}

function places(rows: number, columns: number): string {
  let next = 0
  const row = (): string => `(${Array.from({ length: columns }, () => `$${++next}`).join()})`
  return Array.from({ length: rows }, row).join()
}
