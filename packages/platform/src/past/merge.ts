import { type AccountId, AppError, newId } from '@seaworthy/core'
import { recordEvent } from '../audit/index.ts'
import { onPurpose, type Sealed, sql, type Transaction } from '../data/index.ts'
import type { MediaRoom } from '../media/index.ts'
import type { Erasure } from '../privacy/index.ts'
import type { Plan } from '../recovery/index.ts'
import type { KeyRing } from '../vault/index.ts'
import { type Batch, type Candidate, insertAll, type Leave, replaceAll } from './bring-rows.ts'
import type { Difference } from './difference.ts'
import { bringFiles, fileNameOf } from './files.ts'
import { holdAccount } from './people.ts'
import { type Reference, referencesFor } from './references.ts'
import { nameOf, speakPlainly } from './rows.ts'
import { sealedColumnsOf } from './rules.ts'
import { readShape } from './shape.ts'
import type { Sides } from './sides.ts'
import { type DifferentRow, placeOf, rowsOf, type TableDifference, type Vaults } from './table-difference.ts'
import { removeUndo, type Touched, writeUndo } from './undo-file.ts'
import { hashesOf } from './write-rows.ts'

export interface MergeParts {
  readonly sides: Sides
  readonly vaults: Vaults
  readonly media: MediaRoom
  /** Where files of then are. */
  readonly plan: Pick<Plan, 'store' | 'point'>
  readonly ring: KeyRing
  readonly dataDirectory: string
  /** Who was erased, also in this moment. */
  readonly readErasures: () => Promise<readonly Erasure[]>
  /** As the operator named the instant. */
  readonly to: string
}

export interface MergedTable {
  readonly table: string
  readonly brought: number
  readonly replaced: number
  /** How many rows of then were left alone, by why. */
  readonly left: Readonly<Record<string, number>>
}

export interface Merged {
  /** For `--undo`; undefined when nothing was changed. */
  readonly id: string | undefined
  readonly tables: readonly MergedTable[]
}

interface Work {
  readonly of: TableDifference
  readonly candidates: readonly Candidate[]
  readonly left: Map<string, number>
}

/**
 * Brings back what is not there any more, and with `takePast` what is another one now; what came since stays. Files
 * come first, then everything in one transaction, as the account whose rows they are. What it did is written down
 * before the commit, sealed, so that it can be undone.
 */
export async function merge(parts: MergeParts, difference: Difference, takePast: boolean): Promise<Merged> {
  const works: Work[] = []
  for (const table of difference.tables) works.push(await prepare(parts, difference, table, takePast))
  const accounts = [...new Set(works.flatMap(({ candidates }) => candidates.map(({ row }) => row.account)))]
  const [first] = accounts
  if (!first) return { id: undefined, tables: works.map((work) => told(work, [])) }
  const id = newId()
  try {
    const { touched, left } = await parts.sides.live.withCaller({ accountId: first as AccountId }, async (tx) => {
      const done: Done = { touched: [], left: new Map() }
      await speakPlainly(tx)
      for (const account of accounts) await mergeAccount(parts, tx, { account, works, done, id })
      if (done.touched.length)
        await writeUndo(parts.dataDirectory, parts.ring, { id, at: new Date().toISOString(), touched: done.touched })
      await refuseErased(parts, accounts)
      return done
    })
    for (const work of works) for (const [why, count] of left.get(work) ?? []) add(work.left, why, count)
    return { id: touched.length ? id : undefined, tables: works.map((work) => told(work, touched)) }
  } catch (error) {
    // Where nobody knows whether the commit arrived, what it would have done stays written down.
    if (!(error instanceof AppError && error.code === 'unavailable')) await removeUndo(parts.dataDirectory, id)
    throw error
  }
}

interface Done {
  readonly touched: Touched[]
  readonly left: Map<Work, Map<string, number>>
}

const add = (counts: Map<string, number>, why: string, more = 1): void =>
  void counts.set(why, (counts.get(why) ?? 0) + more)

function told({ of, left }: Work, touched: readonly Touched[]): MergedTable {
  const mine = touched.filter(({ table }) => table === of.table.name)
  const brought = mine.filter(({ before }) => before === undefined).length
  return { table: of.table.name, brought, replaced: mine.length - brought, left: Object.fromEntries(left) }
}

/** Which rows, with their sealed values opened and their files in place. */
async function prepare(
  parts: MergeParts,
  { references }: Difference,
  of: TableDifference,
  takePast: boolean,
): Promise<Work> {
  const left = new Map<string, number>()
  const chosen: Omit<Candidate, 'clear'>[] = []
  for (const row of of.rows) {
    if (row.kind === 'only now') continue
    const why = row.left ?? (row.kind === 'changed' && !takePast ? 'it was changed since' : undefined)
    if (why) add(left, why)
    else chosen.push({ row, ...filesOf(of, references, row) })
  }
  const missing = await bringFiles(
    { live: parts.sides.live, media: parts.media, store: parts.plan.store },
    chosen.flatMap(({ kept }) => kept),
  )
  const whole = chosen.filter(({ kept }) => !kept.some((file) => missing.has(fileNameOf(file))))
  if (whole.length < chosen.length) add(left, 'its file is nowhere any more', chosen.length - whole.length)
  return { of, left, candidates: await openSealed(parts, of, whole) }
}

/** Files that the row refers to again, and those that it does not any more. */
function filesOf({ shape }: TableDifference, { was, is }: Difference['references'], row: DifferentRow) {
  const [before, after] = [referencesFor(was, shape, row), referencesFor(is, shape, row)]
  const without = (all: readonly Reference[], others: readonly Reference[]): readonly Reference[] =>
    all.filter((one) => !others.some(({ hash, owner }) => hash === one.hash && owner === one.owner))
  return { kept: without(before, after), discarded: without(after, before) }
}

/** With the keys of then: they may have been changed since. */
function openSealed(
  { sides, vaults }: MergeParts,
  of: TableDifference,
  chosen: readonly Omit<Candidate, 'clear'>[],
): Promise<Candidate[]> {
  const sealed = sealedColumnsOf(of.table)
  const rows = rowsOf(of.shape, of.columns)
  return sides.past.withDuty(
    'operations',
    async (tx) => {
      await tx.run(sql`set local role seaworthy_owner`)
      const opened: Candidate[] = []
      for (const one of chosen) {
        const clear = new Map<string, string>()
        for (const [i, { name }] of of.columns.entries()) {
          const value = one.row.was?.[i]
          if (!sealed.has(name) || typeof value !== 'string') continue
          clear.set(
            name,
            await vaults.past.openOrClear(tx, placeOf(of.table.name, name, { rows }, one.row), value as Sealed),
          )
        }
        opened.push({ ...one, clear })
      }
      return opened
    },
    { readOnly: true },
  )
}

interface Step {
  readonly account: string
  readonly works: readonly Work[]
  readonly done: Done
  readonly id: string
}

async function mergeAccount(parts: MergeParts, tx: Transaction, { account, works, done, id }: Step): Promise<void> {
  await holdAccount(tx, account)
  const batches: Batch<Work>[] = []
  for (const work of works) {
    const candidates = work.candidates.filter(({ row }) => row.account === account)
    const shape = candidates.length ? await readShape(tx, work.of.table.name) : undefined
    if (shape) batches.push({ work, shape, columns: work.of.columns, candidates })
  }
  const leave: Leave<Work> = (work, why) => {
    const counts = done.left.get(work) ?? new Map<string, number>()
    done.left.set(work, counts)
    add(counts, why)
  }
  const before = done.touched.length
  const seal = parts.vaults.live
  const pieces = [...(await insertAll(seal, tx, batches, leave)), ...(await replaceAll(seal, tx, batches, leave))]
  for (const { work, shape, candidate, values } of pieces) {
    for (const { hash, owner } of candidate.kept) await parts.media.media.keep(tx, hash, owner)
    for (const { hash, owner } of candidate.discarded) await parts.media.media.discard(tx, hash, owner)
    const { key } = candidate.row
    const after = await hashesOf(tx, rowsOf(shape, shape.columns), [candidate.row])
    done.touched.push({
      table: work.of.table.name,
      account,
      key,
      hash: after.get(nameOf({ key })) ?? '',
      before: values,
      kept: candidate.kept,
      discarded: candidate.discarded,
    })
  }
  const brought = pieces.filter(({ values }) => values === undefined).length
  if (done.touched.length === before) return
  const details = { to: parts.to, point: parts.plan.point.id, brought, replaced: pieces.length - brought }
  await recordEvent(tx, {
    action: 'past_brought_back',
    outcome: 'done',
    accountId: account as AccountId,
    resource: id,
    details,
  })
}

/** The last look before the commit: who asks to be erased is written down first, outside the database. */
async function refuseErased({ readErasures }: MergeParts, accounts: readonly string[]): Promise<void> {
  const erased = new Set((await onPurpose(readErasures)).flatMap(({ accountIds }): readonly string[] => accountIds))
  const gone = accounts.find((account) => erased.has(account))
  if (gone) throw new Error(`The account ${gone} was erased meanwhile: nothing of it comes back.`)
}
