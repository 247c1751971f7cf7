declare const accountIdMark: unique symbol
declare const userIdMark: unique symbol

/** The owner of data. Cache entries, limits, blobs, channels and jobs take one; there is no default. */
export type AccountId = string & { readonly [accountIdMark]: true }
export type UserId = string & { readonly [userIdMark]: true }

/** What a person may do inside an account, from least to most. */
export const roles = ['viewer', 'member', 'admin', 'owner'] as const
export type Role = (typeof roles)[number]

/** Somebody who was identified: made by the identity room only. */
export interface Caller {
  readonly userId: UserId
  readonly accountId: AccountId
  readonly role: Role
  /** The sign-in, or the API key, that this came with. */
  readonly sessionId: string
  /** When a password, code or passkey was last asked for. 0 for an API key, which is never fresh. */
  readonly authenticatedAtMs: number
  /** More than a password was shown: a code of an app, or a passkey. */
  readonly secondFactor: boolean
  /** What an API key may be used for, such as `cosnap:read`. Absent for a person who signed in. */
  readonly scopes?: readonly string[]
  /** May see how the whole system runs. Says nothing about other people's data. */
  readonly operator: boolean
}

/** The account's own work outside any request, such as its jobs. */
export interface AccountCaller {
  readonly accountId: AccountId
}

export const roleAtLeast = (role: Role, needed: Role): boolean => roles.indexOf(role) >= roles.indexOf(needed)
