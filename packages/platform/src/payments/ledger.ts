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

export interface LedgerLine {
  readonly id: string
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

/** Newest first, keyset by id: pass the last id of a page to get the next. */
export async function readLines(tx: Transaction, limit: number, before?: string): Promise<LedgerLine[]> {
  return tx.many<LedgerLine>(sql`
    select id, kind, amount, reference, created_at as "createdAt" from seaworthy.ledger
    where ${before ?? null}::uuid is null or id < ${before ?? null}::uuid
    order by id desc limit ${limit}`)
}

async function settle(tx: Transaction, hold: string, how: 'capture' | 'release'): Promise<boolean> {
  const { settled } = await tx.one<{ settled: boolean }>(
    sql`select seaworthy.ledger_settle(${newId()}, ${hold}, ${how}) as settled`,
  )
  return settled
}
