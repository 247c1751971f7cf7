import { pause, SECOND } from '@seaworthy/core'
import { type OwnerSession, type Query, sql } from '../data/index.ts'
import type { DataKey } from './data-keys.ts'
import type { KeyRing } from './key-ring.ts'
import { openOwnerKeys } from './owner-keys.ts'
import type { Place } from './place.ts'
import { type SealedColumn, sqlNames } from './sealed-columns.ts'
import { isSealed, openWith, sealWith, versionOf } from './sealed-text.ts'

export interface RefreshSettings {
  /** At most so many rows in a second, so that others keep the database. */
  readonly rowsPerSecond: number
  readonly onProgress?: (progress: Refreshed) => void
}

export interface Refreshed {
  readonly table: string
  readonly column: string
  /** Rows that were looked at, were clear and are sealed now, were sealed with an older key and are with the newest now. */
  readonly seen: number
  readonly sealed: number
  readonly resealed: number
  /** Rows that do not open: changed by somebody, or their key is gone. They stay as they are. */
  readonly unreadable: readonly string[]
}

interface Row {
  readonly row: string
  readonly owner: string
  readonly value: string
}

const BATCH = 2_000
const UNREADABLE_MAX = 100
const FIRST = '00000000-0000-0000-0000-000000000000'

/**
 * Brings every value of a column under the newest data key of its owner, whether it was clear or sealed with an older
 * one. Values say themselves what they are, so a run that was killed is run again. A row that somebody changes in
 * between keeps their value: only what was read is replaced.
 */
export async function refreshColumn(
  session: OwnerSession,
  ring: KeyRing,
  column: SealedColumn,
  { rowsPerSecond, onProgress }: RefreshSettings,
): Promise<Refreshed> {
  const keys = openOwnerKeys(session, ring)
  let total: Refreshed = { table: column.table, column: column.column, seen: 0, sealed: 0, resealed: 0, unreadable: [] }
  // The server reads the next rows and stores the ones before while these are worked on here.
  let reading = begin(session.many(selectBatch(column, FIRST)))
  let storing = begin(session.run(updateBatch(column, [])))
  for (;;) {
    const started = performance.now()
    const rows = await reading
    const last = rows.at(-1)
    if (!last) break
    reading = begin(session.many(selectBatch(column, last.row)))
    const known = await keys.load(column.kind, [...new Set(rows.map((row) => row.owner))])
    const changes = rows.map((row) => ({ row, next: refresh(column, row, known.get(row.owner) ?? []) }))
    const updates = changes.flatMap(toUpdate)
    await storing
    storing = begin(session.run(updateBatch(column, updates)))
    total = add(total, changes)
    onProgress?.(total)
    await pause(Math.max(0, (updates.length * SECOND) / rowsPerSecond - (performance.now() - started)))
  }
  await storing
  return total
}

/** Under way while something else is done; what it throws is thrown where it is waited for. */
function begin<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined)
  return work
}

type Next = string | 'as it is' | undefined
interface Change {
  readonly row: Row
  /** The value to store; undefined when this one does not open. */
  readonly next: Next
}

function refresh(column: SealedColumn, { row, owner, value }: Row, keys: readonly DataKey[]): Next {
  const place: Place = {
    table: column.table,
    column: column.column,
    row,
    ...(column.kind === 'account' ? { accountId: owner } : { userId: owner }),
  }
  const [newest] = keys
  if (!newest) return undefined
  if (!isSealed(value)) return sealWith(newest, place, value)
  if (versionOf(value) === newest.version) return 'as it is'
  const text = openWith(keys, place, value)
  return text === undefined ? undefined : sealWith(newest, place, text)
}

const toUpdate = ({ row, next }: Change) => (next && next !== 'as it is' ? [{ ...row, next }] : [])

function add(total: Refreshed, changes: readonly Change[]): Refreshed {
  const changed = changes.filter(({ next }) => next && next !== 'as it is')
  const sealed = changed.filter(({ row }) => !isSealed(row.value)).length
  const lost = changes.filter(({ next }) => next === undefined).map(({ row }) => row.row)
  return {
    ...total,
    seen: total.seen + changes.length,
    sealed: total.sealed + sealed,
    resealed: total.resealed + changed.length - sealed,
    unreadable: [...total.unreadable, ...lost].slice(0, UNREADABLE_MAX),
  }
}

function selectBatch(of: SealedColumn, after: string): Query<Row> {
  const { table, column, row, owner } = sqlNames(of)
  return sql<Row>`
    select ${row}::text as row, ${owner}::text as owner, ${column} as value from ${table}
    where ${row} > ${after}::uuid and ${column} is not null order by ${row} limit ${BATCH}`
}

function updateBatch(of: SealedColumn, rows: readonly (Row & { readonly next: string })[]): Query<unknown> {
  const { table, column, row } = sqlNames(of)
  return sql`
    update ${table} t set ${column} = v.next
    from unnest(${rows.map((r) => r.row)}::uuid[], ${rows.map((r) => r.value)}::text[], ${rows.map((r) => r.next)}::text[]) as v(row, value, next)
    where t.${row} = v.row and t.${column} = v.value`
}
