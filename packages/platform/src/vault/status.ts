import { DAY } from '@seaworthy/core'
import { type OwnerSession, sql, sqlName } from '../data/index.ts'
import type { KeyRing } from './key-ring.ts'
import { type SealedColumn, sqlNames } from './sealed-columns.ts'

export interface KeyStatus {
  readonly ringKeys: readonly RingKeyStatus[]
  readonly columns: readonly ColumnStatus[]
}

export interface RingKeyStatus {
  readonly id: string
  readonly isCurrent: boolean
  /** False: the database needs it and it is not here. */
  readonly isInRing: boolean
  readonly ageDays: number
  /** Data keys that it wraps. A key is retired when there are none. */
  readonly wraps: number
  readonly kitVerifiedAt: Date | null
}

export interface ColumnStatus {
  readonly table: string
  readonly column: string
  readonly clear: number
  /** Sealed with a data key that is not its owner's newest. */
  readonly older: number
  readonly total: number
}

/** After so long a ring key should be replaced. */
export const RING_KEY_DAYS_MAX = 90

/** Counts every sealed value: for people, not for anything that is asked often. */
export async function keyStatus(
  session: OwnerSession,
  ring: KeyRing,
  columns: readonly SealedColumn[],
): Promise<KeyStatus> {
  const current = ring.current().id
  const rows = await session.many(sql<{ id: string; created_at: Date; kit_verified_at: Date | null; wraps: number }>`
    select id, created_at, kit_verified_at, (select count(*)::int from seaworthy.account_keys where ring_key = r.id) as wraps
    from seaworthy.ring_keys r order by created_at desc`)
  const ringKeys = rows.map(({ id, created_at, kit_verified_at, wraps }) => ({
    id,
    isCurrent: id === current,
    isInRing: ring.find(id) !== undefined,
    ageDays: Math.floor((Date.now() - created_at.getTime()) / DAY),
    wraps,
    kitVerifiedAt: kit_verified_at,
  }))
  const counted: ColumnStatus[] = []
  for (const column of columns) counted.push(await countColumn(session, column))
  return { ringKeys, columns: counted }
}

async function countColumn(session: OwnerSession, of: SealedColumn): Promise<ColumnStatus> {
  const { table, column, owner } = sqlNames(of)
  const key = sqlName(of.kind === 'account' ? 'account_id' : 'user_id')
  const [row] = await session.many(sql<Omit<ColumnStatus, 'table' | 'column'>>`
    select count(*)::int as total, count(*) filter (where ${column} not like 'sw1.%')::int as clear,
      count(*) filter (where ${column} like 'sw1.%' and split_part(${column}, '.', 2) <> newest.version::text)::int as older
    from ${table} t left join (
      select ${key} as owner, max(version) as version from seaworthy.account_keys where purpose = 'seal' and ${key} is not null group by 1
    ) newest on newest.owner = t.${owner}
    where ${column} is not null`)
  return { table: of.table, column: of.column, ...(row ?? { clear: 0, older: 0, total: 0 }) }
}
