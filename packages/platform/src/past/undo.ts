import type { AccountId } from '@seaworthy/core'
import { recordEvent } from '../audit/index.ts'
import { type Database, sql, type Transaction } from '../data/index.ts'
import type { MediaRoom } from '../media/index.ts'
import type { Erasure } from '../privacy/index.ts'
import type { KeyRing } from '../vault/index.ts'
import { erasedIds, holdAccount } from './people.ts'
import { nameOf, speakPlainly } from './rows.ts'
import { readShape } from './shape.ts'
import { rowsOf } from './table-difference.ts'
import { readUndo, removeUndo, type Touched } from './undo-file.ts'
import { deleteRows, hashesOf, updateRow } from './write-rows.ts'

interface UndoParts {
  readonly live: Database
  readonly media: MediaRoom
  readonly ring: KeyRing
  readonly dataDirectory: string
  readonly readErasures: () => Promise<readonly Erasure[]>
}

export interface Undone {
  readonly removed: number
  readonly putBack: number
  /** Changed since the merge, in use by what came after it, or its file is gone: left as they are. */
  readonly left: number
}

/** Makes undone what a merge did, as far as nobody has touched it since. In one transaction. */
export async function undo(parts: UndoParts, id: string): Promise<Undone> {
  const { touched } = await readUndo(parts.dataDirectory, parts.ring, id)
  const erased = erasedIds(await parts.readErasures())
  const accounts = [...new Set(touched.map(({ account }) => account))].filter((account) => !erased.has(account))
  const [first] = accounts
  if (!first) throw new Error('Whose rows these were was erased: there is nothing to undo.')
  const sum = await parts.live.withCaller({ accountId: first as AccountId }, async (tx) => {
    await speakPlainly(tx)
    const total = { removed: 0, putBack: 0 }
    for (const account of accounts) {
      await holdAccount(tx, account)
      const mine = touched.filter((one) => one.account === account).reverse()
      const removed = await removeAll(
        parts,
        tx,
        mine.filter(({ before }) => before === undefined),
      )
      const putBack = await putBackAll(
        parts,
        tx,
        mine.filter(({ before }) => before !== undefined),
      )
      if (removed + putBack > 0)
        await recordEvent(tx, {
          action: 'past_undone',
          outcome: 'done',
          accountId: account as AccountId,
          resource: id,
          details: { removed, putBack },
        })
      total.removed += removed
      total.putBack += putBack
    }
    return total
  })
  await removeUndo(parts.dataDirectory, id)
  return { ...sum, left: touched.length - sum.removed - sum.putBack }
}

/** What refers to a row goes before it: again and again, as long as something goes. */
async function removeAll(parts: UndoParts, tx: Transaction, brought: readonly Touched[]): Promise<number> {
  let left = brought
  for (let before = -1; before !== left.length; ) {
    before = left.length
    for (const table of new Set(left.map((one) => one.table))) {
      const gone = await removeSome(tx, table, left)
      left = left.filter((one) => !gone.has(one))
      for (const one of gone) for (const { hash, owner } of one.kept) await parts.media.media.discard(tx, hash, owner)
    }
  }
  return brought.length - left.length
}

/** Those of one table that look as they were left, and that nothing refers to. */
async function removeSome(tx: Transaction, table: string, all: readonly Touched[]): Promise<ReadonlySet<Touched>> {
  const shape = await readShape(tx, table)
  if (!shape) return new Set()
  const rows = rowsOf(shape, shape.columns)
  const mine = all.filter((one) => one.table === table)
  const now = await hashesOf(tx, rows, mine)
  const names = await deleteRows(
    tx,
    { shape, rows },
    mine.filter((one) => now.get(nameOf(one)) === one.hash),
  )
  return new Set(mine.filter((one) => names.has(nameOf(one))))
}

async function putBackAll(parts: UndoParts, tx: Transaction, replaced: readonly Touched[]): Promise<number> {
  let putBack = 0
  for (const one of replaced) {
    const shape = await readShape(tx, one.table)
    if (!shape || !one.before || !(await hasFiles(tx, one))) continue
    const rows = rowsOf(shape, shape.columns)
    if ((await hashesOf(tx, rows, [one], true)).get(nameOf(one)) !== one.hash) continue
    if (!(await updateRow(tx, { shape, rows }, one, one.before))) continue
    for (const { hash, owner } of one.discarded) await parts.media.media.keep(tx, hash, owner)
    for (const { hash, owner } of one.kept) await parts.media.media.discard(tx, hash, owner)
    putBack++
  }
  return putBack
}

/** A day after nobody refers to a file any more it is removed. */
async function hasFiles(tx: Transaction, { discarded }: Touched): Promise<boolean> {
  for (const { hash } of discarded)
    if (
      !(await tx.maybe(sql`select 1 from seaworthy.blobs where account_id = seaworthy.account_id() and hash = ${hash}`))
    )
      return false
  return true
}
