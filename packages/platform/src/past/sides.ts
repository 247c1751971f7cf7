import type { AccountId } from '@seaworthy/core'
import { type Database, onPurpose, sql, type Transaction } from '../data/index.ts'
import { speakPlainly } from './rows.ts'

/** The database of then and the one that runs, each seen as the app and as the owner of the tables. */
export interface Sides {
  /** Its login may do everything: each look takes the role that it needs. */
  readonly past: Database
  /** As the app, under row-level security. */
  readonly live: Database
  /** As the owner of the tables, who changes nothing here. */
  readonly liveOwner: Database
}

/** Both at one instant each, to be read: as this account, under row-level security, or all rows as the owner. */
export function lookAtBoth<T>(
  { past, live, liveOwner }: Sides,
  accountId: AccountId | undefined,
  work: (past: Transaction, live: Transaction) => Promise<T>,
): Promise<T> {
  const look = { isolation: 'repeatable read', readOnly: true } as const
  const prepared = (role: string | undefined, inner: (tx: Transaction) => Promise<T>) => async (tx: Transaction) => {
    if (role) await tx.run(sql`select set_config('role', ${role}, true)`)
    await speakPlainly(tx)
    return inner(tx)
  }
  if (accountId)
    return past.withCaller(
      { accountId },
      prepared('seaworthy_app', (then) =>
        onPurpose(() =>
          live.withCaller(
            { accountId },
            prepared(undefined, (now) => work(then, now)),
            look,
          ),
        ),
      ),
      look,
    )
  return past.withDuty(
    'operations',
    prepared('seaworthy_owner', (then) =>
      onPurpose(() =>
        liveOwner.withDuty(
          'operations',
          prepared('seaworthy_owner', (now) => work(then, now)),
          look,
        ),
      ),
    ),
    look,
  )
}
