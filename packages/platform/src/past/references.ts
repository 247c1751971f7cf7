import { type Query, sql, type Transaction } from '../data/index.ts'
import type { Named } from './rows.ts'
import type { Shape } from './shape.ts'

/** Who refers to a file: `owner` ends with the id of a row, as in `cosnap.photo:<id>`. */
export interface Reference {
  readonly account: string
  readonly hash: string
  readonly owner: string
  readonly type: string
}

const referencesOf = (accounts: readonly string[]): Query<Reference> => sql<Reference>`
  select r.account_id::text as account, r.hash, r.owner, b.type from seaworthy.blob_references r
  join seaworthy.blobs b on b.account_id = r.account_id and b.hash = r.hash where r.account_id = any (${accounts}::uuid[])`

/** References by the row that has them. */
export type ByRow = ReadonlyMap<string, readonly Reference[]>

export async function readReferences(tx: Transaction, accounts: readonly string[]): Promise<ByRow> {
  const byRow = new Map<string, Reference[]>()
  for (const one of await tx.many(referencesOf(accounts))) {
    const row = `${one.account} ${one.owner.slice(one.owner.lastIndexOf(':') + 1)}`
    byRow.set(row, [...(byRow.get(row) ?? []), one])
  }
  return byRow
}

/** What a row of such a key refers to. */
export function referencesFor(byRow: ByRow, { key }: Pick<Shape, 'key'>, row: Named): readonly Reference[] {
  const ids = row.key.filter((_, i) => key[i] !== 'account_id')
  return (ids.length === 1 && byRow.get(`${row.account} ${ids[0]}`)) || []
}
