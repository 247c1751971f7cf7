import type { Transaction } from '../data/index.ts'
import type { Reference } from './references.ts'
import { nameOf, type Rows, type Text } from './rows.ts'
import type { ColumnShape, Shape } from './shape.ts'
import { type DifferentRow, placeOf, rowsOf, type Vaults } from './table-difference.ts'
import { hashesOf, insertRows, updateRow } from './write-rows.ts'

/** A row that is to be brought back, with its sealed values opened, and its files. */
export interface Candidate {
  readonly row: DifferentRow
  readonly clear: ReadonlyMap<string, string>
  readonly kept: readonly Reference[]
  readonly discarded: readonly Reference[]
}

/** Rows of one table and of one account. */
export interface Batch<W> {
  readonly work: W
  readonly shape: Shape
  readonly columns: readonly ColumnShape[]
  readonly candidates: readonly Candidate[]
}

/** What was done to one row. */
export interface Piece<W> {
  readonly work: W
  readonly shape: Shape
  readonly candidate: Candidate
  /** What was replaced; undefined when the row was not there. */
  readonly values: Readonly<Record<string, Text>> | undefined
}

/** Told of each row that stays as it is. */
export type Leave<W> = (work: W, why: string) => void

type Seal = Pick<Vaults['live'], 'seal'>

interface Waiting<W> extends Batch<W> {
  rows: readonly { readonly candidate: Candidate; readonly values: readonly Text[] }[]
}

/** Again and again as long as rows find their parents: whatever the order of tables and rows is. */
export async function insertAll<W>(
  seal: Seal,
  tx: Transaction,
  batches: readonly Batch<W>[],
  leave: Leave<W>,
): Promise<readonly Piece<W>[]> {
  const waiting: Waiting<W>[] = []
  for (const batch of batches) waiting.push({ ...batch, rows: await valuesOf(seal, tx, batch) })
  const pieces: Piece<W>[] = []
  for (let before = -1; before < pieces.length; ) {
    before = pieces.length
    for (const one of waiting) pieces.push(...(await insertSome(tx, one)))
  }
  for (const one of waiting) await tellLeft(tx, one, leave)
  return pieces
}

async function valuesOf<W>(seal: Seal, tx: Transaction, batch: Batch<W>): Promise<Waiting<W>['rows']> {
  const rows = []
  for (const candidate of batch.candidates)
    if (candidate.row.kind === 'only then')
      rows.push({ candidate, values: await sealAgain(seal, tx, batch, candidate) })
  return rows
}

async function insertSome<W>(tx: Transaction, one: Waiting<W>): Promise<readonly Piece<W>[]> {
  if (one.rows.length === 0) return []
  const { work, shape, columns } = one
  const given = one.rows.map(({ candidate, values }) => ({ ...candidate.row, values }))
  const there = await insertRows(tx, { shape, columns, rows: rowsOf(shape, columns) }, given)
  const added = one.rows.filter(({ candidate }) => there.has(nameOf(candidate.row)))
  one.rows = one.rows.filter(({ candidate }) => !there.has(nameOf(candidate.row)))
  return added.map(({ candidate }) => ({ work, shape, candidate, values: undefined }))
}

async function tellLeft<W>(
  tx: Transaction,
  { work, shape, columns, rows }: Waiting<W>,
  leave: Leave<W>,
): Promise<void> {
  const named = rows.map(({ candidate }) => candidate.row)
  const taken = await hashesOf(tx, rowsOf(shape, columns), named)
  for (const row of named)
    leave(
      work,
      taken.has(nameOf(row)) ? 'it was made again since' : 'what it belongs to is gone, or another row has its place',
    )
}

/** With the key that the account seals with now. */
async function sealAgain<W>(
  seal: Seal,
  tx: Transaction,
  { shape, columns }: Batch<W>,
  { row, clear }: Candidate,
): Promise<readonly Text[]> {
  const values = [...(row.was ?? [])]
  const rows = rowsOf(shape, columns)
  for (const [i, { name }] of columns.entries()) {
    const text = clear.get(name)
    if (text !== undefined) values[i] = await seal.seal(tx, placeOf(shape.table, name, { rows }, row), text)
  }
  return values
}

/** What is another one now, as long as it is what the difference showed. */
export async function replaceAll<W>(
  seal: Seal,
  tx: Transaction,
  batches: readonly Batch<W>[],
  leave: Leave<W>,
): Promise<readonly Piece<W>[]> {
  const pieces: Piece<W>[] = []
  for (const batch of batches) {
    const changed = batch.candidates.filter(({ row }) => row.kind === 'changed')
    if (changed.length === 0) continue
    const rows = rowsOf(batch.shape, batch.columns)
    // Where nothing may be changed, nothing can be held either.
    const canHold = batch.shape.columns.some(({ isUpdatable }) => isUpdatable)
    const named = changed.map(({ row }) => row)
    const now = canHold ? await hashesOf(tx, rows, named, true) : new Map<string, string>()
    for (const candidate of changed) {
      const piece = await replaceOne(seal, tx, { batch, rows, candidate, hash: now.get(nameOf(candidate.row)) })
      if (typeof piece === 'string') leave(batch.work, piece)
      else pieces.push(piece)
    }
  }
  return pieces
}

interface One<W> {
  readonly batch: Batch<W>
  readonly rows: Rows
  readonly candidate: Candidate
  /** How the row looks in this moment. */
  readonly hash: string | undefined
}

/** Why not, where it stays as it is. */
async function replaceOne<W>(
  seal: Seal,
  tx: Transaction,
  { batch, rows, candidate, hash }: One<W>,
): Promise<Piece<W> | string> {
  const { work, shape, columns } = batch
  const { row } = candidate
  const never = row.differing.find((name) => !shape.columns.find((column) => column.name === name)?.isUpdatable)
  if (never) return `its ${never} is never changed`
  if (hash !== row.hashNow) return 'it was changed while you looked'
  const pick = (from: readonly Text[]): Record<string, Text> =>
    Object.fromEntries(
      row.differing.map((name) => [name, from[columns.findIndex((column) => column.name === name)] ?? null]),
    )
  const values = pick(await sealAgain(seal, tx, batch, candidate))
  if (!(await updateRow(tx, { shape, rows }, row, values))) return 'something is in the way of its values of then'
  return { work, shape, candidate, values: pick(row.is ?? []) }
}
