import type { AccountId, UserId } from '@seaworthy/core'
import { type Fragment, sql } from '../data/index.ts'
import { lengthPrefixed } from './cipher.ts'

/** Whose key it is: an account's, a person's (what belongs to nobody's account), or the installation's own. */
export type Owner =
  | { readonly accountId: AccountId | string }
  | { readonly userId: UserId | string }
  | { readonly installation: true }

/** Where a sealed value stands. It opens there and nowhere else. */
export type Place = Owner & {
  /** With its schema: `seaworthy.provider_keys`. */
  readonly table: string
  readonly column: string
  /** The primary key of the row. */
  readonly row: string
}

export type Purpose = 'seal' | 'index'

export interface OwnerColumns {
  readonly account: string | null
  readonly user: string | null
}

export const columnsOf = (owner: Owner): OwnerColumns => ({
  account: 'accountId' in owner ? owner.accountId : null,
  user: 'userId' in owner ? owner.userId : null,
})

/** The rows of this owner in `seaworthy.account_keys`, in a form that its index answers. */
export const ownedBy = ({ account, user }: OwnerColumns): Fragment =>
  account
    ? sql`account_id = ${account} and user_id is null`
    : user
      ? sql`account_id is null and user_id = ${user}`
      : sql`account_id is null and user_id is null`

/** One text per owner, for caches and for binding. */
export const nameOf = ({ account, user }: OwnerColumns): string =>
  account ? `account ${account}` : user ? `user ${user}` : 'installation'

export const FORMAT = 'sw1'

/** What a value is bound to besides its key. */
export const contextOf = (place: Place, version: number): Buffer =>
  lengthPrefixed(FORMAT, String(version), place.table, place.column, place.row, nameOf(columnsOf(place)))

/** What a data key is bound to besides the key that wraps it. */
export const wrapContextOf = (owner: OwnerColumns, purpose: Purpose, version: number): Buffer =>
  lengthPrefixed('swk1', 'seaworthy.account_keys', nameOf(owner), purpose, String(version))
