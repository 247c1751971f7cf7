import { type Caller, fault, type UserId } from '@seaworthy/core'
import type { JWK } from 'jose'
import { sql, type Transaction } from '../data/index.ts'
import { createAccessTokens, type Known } from './access-tokens.ts'
import { type Accounts, accountsOf } from './accounts.ts'
import { type Addresses, addressesOf } from './addresses.ts'
import { type ApiKeys, isApiKey, openApiKeys } from './api-keys.ts'
import { createBackground } from './background.ts'
import {
  type Credentials,
  confirmPassword,
  enter,
  reauthenticate,
  refresh,
  type SignUpOptions,
  signIn,
  signUp,
} from './entry.ts'
import { type Invitations, invitationsOf } from './invitations.ts'
import { type Members, membersOf } from './members.ts'
import type { Also, IdentitySettings, Parts, SecondFactorNeeded, SignedIn } from './parts.ts'
import { checkPasskey, type Passkeys, passkeysOf } from './passkeys.ts'
import { type PasswordChanges, passwordChangesOf } from './password-changes.ts'
import { createPasswordRules } from './password-rules.ts'
import { createPasswords } from './passwords.ts'
import { watchRevocations } from './revocations.ts'
import { checkSecondFactor, type SecondFactor, secondFactorOf } from './second-factor.ts'
import { type Device, listSessions, revokeSession, revokeSessionsOf, type SessionListed } from './sessions.ts'
import { openSigningKeys } from './signing-keys.ts'

export interface Identity {
  /** Throws `email_taken`, `link_expired`. With an operator link the new user may see how the system runs. */
  signUp(credentials: Credentials, device: Device, options?: SignUpOptions): Promise<SignedIn>
  /** Throws `wrong_credentials`, after the same time for a wrong password and an unknown address. */
  signIn(credentials: Credentials, device: Device, also?: Also): Promise<SignedIn | SecondFactorNeeded>
  /** With the code that the sign-in waited for. Throws `challenge_expired`, `wrong_code`, `too_many_requests`. */
  signInWithCode(given: { ticket: string; code: string }, device: Device, also?: Also): Promise<SignedIn>
  /** Throws `challenge_expired`, `wrong_credentials`. */
  signInWithPasskey(given: { ticket: string; answer: unknown }, device: Device, also?: Also): Promise<SignedIn>
  /** Throws `unauthenticated`. */
  refresh(refreshToken: string, also?: Also): Promise<SignedIn>
  /** The sign-in goes on as a new one whose owner has just shown who they are. Throws `wrong_credentials`. */
  reauthenticate(caller: Caller, password: string, device: Device, also?: Also): Promise<SignedIn>
  /** That it is the caller who asks. Throws `wrong_credentials`. */
  confirmPassword(caller: Caller, password: string): Promise<void>
  signOut(sessionId: string, also?: (tx: Transaction) => Promise<void>): Promise<void>
  /** Throws `unauthenticated` or `token_expired`. Synchronous for tokens and API keys that were seen before. */
  identify(tokenOrKey: string): Caller | Promise<Caller>
  /** Told when a sign-in has ended, or may do something else than before. */
  onSessionChanged(listener: (sessionId: string) => void): void
  profile(caller: Caller): Promise<{ email: string; emailVerified: boolean }>
  readonly passwords: PasswordChanges
  readonly addresses: Addresses
  readonly sessions: Sessions
  readonly secondFactor: SecondFactor
  readonly passkeys: Passkeys
  readonly apiKeys: ApiKeys
  readonly accounts: Accounts
  readonly members: Members
  readonly invitations: Invitations
  /** For whoever verifies our tokens, as RFC 7517 writes them. */
  publicKeys(): Promise<{ keys: JWK[] }>
  /** Waits for what people were promised. */
  stop(): Promise<void>
}

/** The sign-ins of people: where, since when, and their end. */
interface Sessions {
  list(caller: Caller): Promise<readonly SessionListed[]>
  /** One of the caller's own. Throws `not_found`. */
  end(caller: Caller, sessionId: string, also?: Also): Promise<void>
  /** All of the caller's but this one. How many. */
  endOthers(caller: Caller, also?: Also): Promise<number>
  /** All of anybody's, for operators. How many. Throws `not_found`. */
  endAllOf(userId: UserId, also?: (tx: Transaction) => Promise<void>): Promise<number>
  /** Ends all of theirs, and lets them in no more until they are unblocked. API keys too. Throws `not_found`. */
  block(userId: UserId, also?: (tx: Transaction) => Promise<void>): Promise<void>
  unblock(userId: UserId, also?: (tx: Transaction) => Promise<void>): Promise<void>
}

export async function openIdentity(settings: IdentitySettings): Promise<Identity> {
  const { database, clock, log } = settings
  const { parts, keys } = await openParts(settings)
  const { revocations } = parts
  const apiKeys = openApiKeys({ database, clock, log, onKeyChanged: revocations.onKeyChanged })
  return {
    signUp: (credentials, device, options) => signUp(parts, credentials, device, options),
    signIn: (credentials, device, also) => signIn(parts, credentials, device, also),
    signInWithCode: async (given, device, also) =>
      enter(parts, { userId: await checkSecondFactor(parts, given), secondFactor: true }, device, also),
    signInWithPasskey: async (given, device, also) =>
      enter(parts, { userId: await checkPasskey(parts, given), secondFactor: true }, device, also),
    refresh: (token, also) => refresh(parts, token, also),
    reauthenticate: (caller, password, device, also) => reauthenticate(parts, caller, password, device, also),
    confirmPassword: async (caller, password) => {
      await confirmPassword(parts, caller, password)
    },
    signOut: async (sessionId, also) => {
      await database.withDuty('identity', async (tx) => {
        await revokeSession(tx, sessionId, 'signed_out')
        await also?.(tx)
      })
      parts.revocations.add(sessionId)
    },
    identify: (text) => {
      if (isApiKey(text)) return apiKeys.identify(text)
      const known = parts.tokens.verify(text)
      return known instanceof Promise
        ? known.then((verified) => refuseRevoked(parts, verified))
        : refuseRevoked(parts, known)
    },
    onSessionChanged: revocations.onChanged,
    profile: (caller) =>
      database.withDuty(
        'identity',
        (tx) =>
          tx.one<{ email: string; emailVerified: boolean }>(
            sql`select email, email_verified_at is not null as "emailVerified" from seaworthy.users where id = ${caller.userId}`,
          ),
        { readOnly: true },
      ),
    passwords: passwordChangesOf(parts),
    addresses: addressesOf(parts),
    sessions: sessionsOf(parts),
    secondFactor: secondFactorOf(parts),
    passkeys: passkeysOf(parts),
    apiKeys,
    accounts: accountsOf(parts),
    members: membersOf(parts),
    invitations: invitationsOf(parts),
    publicKeys: keys.publicKeys,
    stop: async () => {
      revocations.stop()
      keys.stop()
      apiKeys.stop()
      await parts.background.settle()
    },
  }
}

async function openParts(settings: IdentitySettings) {
  const { database, clock, log, accessMs } = settings
  const keys = await openSigningKeys({
    database,
    clock,
    log,
    accessMs,
    secret: settings.accessSecret,
    rotateMs: settings.signingKeyMs,
  })
  const parts: Parts = {
    settings,
    passwords: createPasswords(),
    rules: createPasswordRules(settings.contextWords ?? []),
    background: createBackground(log),
    tokens: createAccessTokens({ keys, lifeMs: accessMs, clock }),
    sessions: {
      secret: settings.refreshSecret,
      lifeMs: settings.refreshMs,
      lifeMsMax: settings.sessionMs,
      clock,
    },
    revocations: watchRevocations({ database, accessMs, clock, log }),
  }
  return { parts, keys }
}

function refuseRevoked({ revocations }: Parts, { caller, version }: Known): Caller {
  if (revocations.has(caller.sessionId))
    throw fault('unauthenticated', { internal: 'the session was ended', replayed: true })
  if (revocations.isOutdated(caller.sessionId, version))
    throw fault('token_expired', { internal: 'what the session may do has changed' })
  return caller
}

function sessionsOf(parts: Parts): Sessions {
  const { database, clock } = parts.settings
  const endMany = async (work: (tx: Transaction) => Promise<readonly string[]>): Promise<number> => {
    const ended = await database.withDuty('identity', work)
    for (const id of ended) parts.revocations.add(id)
    return ended.length
  }
  return {
    list: (caller) => database.withDuty('identity', (tx) => listSessions(tx, caller.userId, clock), { readOnly: true }),
    end: async (caller, sessionId, also) => {
      await endMany(async (tx) => {
        await tx.one(
          sql`select 1 from seaworthy.sessions where id = ${sessionId} and user_id = ${caller.userId} and revoked_at is null`,
        )
        await revokeSession(tx, sessionId, 'ended')
        await also?.(tx, caller)
        return [sessionId]
      })
    },
    endOthers: (caller, also) =>
      endMany(async (tx) => {
        const ended = await revokeSessionsOf(tx, caller.userId, 'ended', caller.sessionId)
        await also?.(tx, caller)
        return ended
      }),
    endAllOf: (userId, also) =>
      endMany(async (tx) => {
        await tx.one(sql`select 1 from seaworthy.users where id = ${userId}`)
        const ended = await revokeSessionsOf(tx, userId, 'ended_by_operator')
        await also?.(tx)
        return ended
      }),
    block: async (userId, also) => {
      await endMany(async (tx) => {
        await tx.one(sql`update seaworthy.users set blocked_at = now() where id = ${userId} returning id`)
        await tx.run(sql`
          update seaworthy.api_keys set revoked_at = clock_timestamp(), changed_at = clock_timestamp() where user_id = ${userId} and revoked_at is null`)
        const ended = await revokeSessionsOf(tx, userId, 'blocked')
        await also?.(tx)
        return ended
      })
    },
    unblock: (userId, also) =>
      database.withDuty('identity', async (tx) => {
        await tx.one(sql`update seaworthy.users set blocked_at = null where id = ${userId} returning id`)
        await also?.(tx)
      }),
  }
}
