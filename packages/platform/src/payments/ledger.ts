import { type AccountId, type Credits, fault, newId } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'

/** Credits of the caller's account. Every change is a line that moves them from one book to another. */
export interface Balance {
  /** Can be spent. */
  readonly available: number
  /** Set aside for work under way. */
  readonly held: number
  readonly spent: number
}

/** A gift, or a hold together with what became of it. */
export interface LedgerEntry {
  readonly id: string
  /** Where it stands: a hold that was settled is a capture or a release. */
  readonly kind: 'grant' | 'hold' | 'capture' | 'release'
  readonly amount: number
  readonly reference: string
  readonly createdAt: Date
}

/** On duty for identity only: a gift to a new account. The same reference counts once. */
export async function grantCredits(
  tx: Transaction,
  accountId: AccountId,
  amount: Credits,
  reference: string,
): Promise<void> {
  await tx.run(sql`select seaworthy.ledger_grant(${newId()}, ${accountId}, ${amount}, ${reference})`)
}

/** Sets credits aside before the work. Throws `insufficient_credits`; the same reference gives the same hold. Returns its id. */
export async function holdCredits(tx: Transaction, amount: Credits, reference: string): Promise<string> {
  const { hold } = await tx.one<{ hold: string | null }>(
    sql`select seaworthy.ledger_hold(${newId()}, ${amount}, ${reference}) as hold`,
  )
  if (hold === null)
    throw fault('insufficient_credits', { detail: `This costs ${amount} credits, and your account has fewer.` })
  return hold
}

/** The work succeeded: what was held is spent. False when the hold was settled before; then nothing changes. */
export const captureHold = (tx: Transaction, hold: string): Promise<boolean> => settle(tx, hold, 'capture')

/** The work failed or was cancelled: what was held can be spent again. False when the hold was settled before. */
export const releaseHold = (tx: Transaction, hold: string): Promise<boolean> => settle(tx, hold, 'release')

export async function readBalance(tx: Transaction): Promise<Balance> {
  return tx.one<Balance>(sql`
    select seaworthy.ledger_balance(a, 'available') as available, seaworthy.ledger_balance(a, 'held') as held, seaworthy.ledger_balance(a, 'spent') as spent
    from (select seaworthy.account_id() as a) caller`)
}

/**
 * Newest first, keyset by id: pass the last id of a page to get the next. Settling a hold adds a line and no entry, so
 * entries keep their place while somebody pages through them.
 */
export async function readEntries(tx: Transaction, limit: number, before?: string): Promise<LedgerEntry[]> {
  return tx.many<LedgerEntry>(sql`
    select opened.id, coalesce(settled.kind, opened.kind) as kind, opened.amount, opened.reference,
      opened.created_at as "createdAt"
    from seaworthy.ledger opened left join seaworthy.ledger settled on settled.hold_id = opened.id
    where opened.account_id = seaworthy.account_id() and opened.hold_id is null and (${before ?? null}::uuid is null or opened.id < ${before ?? null}::uuid)
    order by opened.id desc limit ${limit}`)
}

async function settle(tx: Transaction, hold: string, how: 'capture' | 'release'): Promise<boolean> {
  const { settled } = await tx.one<{ settled: boolean }>(
    sql`select seaworthy.ledger_settle(${newId()}, ${hold}, ${how}) as settled`,
  )
  return settled
}
