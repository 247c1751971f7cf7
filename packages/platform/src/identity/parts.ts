import type { AccountId, Caller, Clock, Secret } from '@seaworthy/core'
import type { Database, Transaction } from '../data/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { Vault } from '../vault/index.ts'
import type { AccessTokens } from './access-tokens.ts'
import type { Background } from './background.ts'
import type { PasswordRules } from './password-rules.ts'
import type { Passwords } from './passwords.ts'
import type { Revocations } from './revocations.ts'
import type { SessionSettings } from './sessions.ts'

export interface IdentitySettings {
  readonly database: Database
  readonly vault: Vault
  /** Passkeys belong to it, and links in mail lead to it. */
  readonly publicUrl: string
  /** What a guesser tries first here: the names of the product and its apps. No password is little more than one of them. */
  readonly contextWords?: readonly string[]
  /** Encrypts the keys that sign access tokens. */
  readonly accessSecret: Secret
  readonly refreshSecret: Secret
  readonly accessMs: number
  /** Life of a sign-in without use. */
  readonly refreshMs: number
  /** Life of a sign-in, whatever use is made of it. */
  readonly sessionMs: number
  readonly signingKeyMs: number
  readonly clock: Clock
  readonly log: Logger
  /** In the transaction that makes an account: gifts, first rows. */
  readonly onAccountCreated?: (tx: Transaction, account: NewAccount) => Promise<void>
}

export interface NewAccount {
  readonly id: AccountId
  /** Every person has exactly one of these, made with the sign-up. */
  readonly personal: boolean
}

/** What the files of this room share. */
export interface Parts {
  readonly settings: IdentitySettings
  readonly passwords: Passwords
  readonly rules: PasswordRules
  readonly background: Background
  readonly tokens: AccessTokens
  readonly sessions: SessionSettings
  readonly revocations: Revocations
}

/** What else belongs into the transaction that changes a sign-in, such as its audit line. */
export type Also = (tx: Transaction, caller: Caller) => Promise<void>

/** A short token for requests. */
export interface Access {
  readonly caller: Caller
  readonly accessToken: string
  readonly expiresInSeconds: number
}

/** What signing in gives: beside the short token a long one, for a cookie that scripts cannot read. */
export interface SignedIn extends Access {
  readonly refreshToken: string
}

/** The password was right; the ticket waits five minutes for a code. */
export interface SecondFactorNeeded {
  readonly ticket: string
}
