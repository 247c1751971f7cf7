import { createHash, randomBytes } from 'node:crypto'
import { type AccountId, type Caller, type Clock, DAY, fault, newId, type Secret, type UserId } from '@seaworthy/core'
import { type Database, sql, type Transaction, violates } from '../data/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { createPasswords, type Passwords } from './passwords.ts'
import { type Revocations, watchRevocations } from './revocations.ts'
import { type Device, openSession, revokeSession, rotateSession, type SessionSettings } from './sessions.ts'
import { type AccessTokens, createAccessTokens, readRefreshToken } from './tokens.ts'

export interface Credentials {
  readonly email: string
  readonly password: string
}

/** What signing in gives: a short token for requests, a long one for a cookie that scripts cannot read. */
export interface SignedIn {
  readonly caller: Caller
  readonly accessToken: string
  readonly expiresInSeconds: number
  readonly refreshToken: string
}

/** What else belongs into the transaction that changes a sign-in, such as its audit line. */
type Also = (tx: Transaction, caller: Caller) => Promise<void>

interface SignUpOptions {
  /** From the one-time link: the new user may see how the system runs. */
  readonly operatorToken?: string | undefined
  readonly also?: Also
}

export interface Identity {
  /** Throws `email_taken`, `link_expired`. With an operator link the new user may see how the system runs. */
  signUp(credentials: Credentials, device: Device, options?: SignUpOptions): Promise<SignedIn>
  /** Throws `wrong_credentials`, after the same time for a wrong password and an unknown address. */
  signIn(credentials: Credentials, device: Device, also?: Also): Promise<SignedIn>
  /** Throws `unauthenticated`. */
  refresh(refreshToken: string, also?: Also): Promise<SignedIn>
  /** That it is the caller who asks. Throws `wrong_credentials`. */
  reauthenticate(caller: Caller, password: string): Promise<void>
  signOut(sessionId: string, also?: (tx: Transaction) => Promise<void>): Promise<void>
  /** Throws `unauthenticated` or `token_expired`. Synchronous for tokens that were seen before. */
  identify(accessToken: string): Caller | Promise<Caller>
  onSessionEnded(listener: (sessionId: string) => void): void
  profile(caller: Caller): Promise<{ email: string }>
  stop(): void
}

export interface IdentitySettings {
  readonly database: Database
  readonly accessSecret: Secret
  readonly refreshSecret: Secret
  readonly accessMs: number
  readonly refreshMs: number
  readonly clock: Clock
  readonly log: Logger
  /** In the transaction that makes an account: gifts, first rows. */
  readonly onAccountCreated?: (tx: Transaction, accountId: AccountId) => Promise<void>
}

interface Parts {
  readonly settings: IdentitySettings
  readonly passwords: Passwords
  readonly tokens: AccessTokens
  readonly sessions: SessionSettings
  readonly revocations: Revocations
}

export async function openIdentity(settings: IdentitySettings): Promise<Identity> {
  const parts: Parts = {
    settings,
    passwords: await createPasswords(),
    tokens: createAccessTokens(settings.accessSecret, settings.accessMs, settings.clock),
    sessions: { secret: settings.refreshSecret, lifeMs: settings.refreshMs, clock: settings.clock },
    revocations: watchRevocations(settings.database, settings.accessMs, settings.clock, settings.log),
  }
  return {
    signUp: (credentials, device, options) => signUp(parts, credentials, device, options),
    signIn: (credentials, device, also) => signIn(parts, credentials, device, also),
    refresh: (token, also) => refresh(parts, token, also),
    reauthenticate: (caller, password) => confirmPassword(parts, caller, password),
    signOut: async (sessionId, also) => {
      await settings.database.withDuty('identity', async (tx) => {
        await revokeSession(tx, sessionId, 'signed_out')
        await also?.(tx)
      })
      parts.revocations.add(sessionId)
    },
    identify: (token) => {
      const caller = parts.tokens.verify(token)
      return caller instanceof Promise
        ? caller.then((known) => refuseRevoked(parts, known))
        : refuseRevoked(parts, caller)
    },
    onSessionEnded: (listener) => parts.revocations.onRevoked(listener),
    profile: (caller) =>
      settings.database.withDuty(
        'identity',
        (tx) => tx.one<{ email: string }>(sql`select email from seaworthy.users where id = ${caller.userId}`),
        { readOnly: true },
      ),
    stop: () => parts.revocations.stop(),
  }
}

function refuseRevoked(parts: Parts, caller: Caller): Caller {
  if (parts.revocations.has(caller.sessionId)) throw fault('unauthenticated', { internal: 'the session was ended' })
  return caller
}

async function signUp(
  parts: Parts,
  { email, password }: Credentials,
  device: Device,
  { operatorToken, also }: SignUpOptions = {},
): Promise<SignedIn> {
  const { settings } = parts
  const hashed = await parts.passwords.hash(password)
  const owner = { userId: newId() as UserId, accountId: newId() as AccountId }
  try {
    const opened = await settings.database.withDuty('identity', async (tx) => {
      await tx.run(
        sql`insert into seaworthy.users (id, email, password_hash, operator) values (${owner.userId}, ${email.trim()}, ${hashed}, ${operatorToken !== undefined})`,
      )
      if (operatorToken !== undefined) await useOperatorLink(tx, operatorToken, owner.userId, settings.clock)
      await tx.run(
        sql`insert into seaworthy.accounts (id, name, personal_user_id) values (${owner.accountId}, 'Personal', ${owner.userId})`,
      )
      await tx.run(
        sql`insert into seaworthy.memberships (account_id, user_id, role) values (${owner.accountId}, ${owner.userId}, 'owner')`,
      )
      await settings.onAccountCreated?.(tx, owner.accountId)
      const token = await openSession(tx, parts.sessions, owner, device)
      const caller = {
        ...owner,
        role: 'owner' as const,
        sessionId: token.sessionId,
        operator: operatorToken !== undefined,
      }
      await also?.(tx, caller)
      return { caller, token }
    })
    return await present(parts, opened.caller, opened.token.text)
  } catch (error) {
    throw violates(error, 'users_email')
      ? fault('email_taken', { detail: 'Sign in instead, or use another address.', cause: error })
      : error
  }
}

async function confirmPassword({ settings, passwords }: Parts, caller: Caller, password: string): Promise<void> {
  const user = await settings.database.withDuty(
    'identity',
    (tx) =>
      tx.maybe<{ password_hash: string }>(sql`select password_hash from seaworthy.users where id = ${caller.userId}`),
    { readOnly: true },
  )
  if (!(await passwords.matches(user?.password_hash, password))) throw fault('wrong_credentials')
}

interface UserRow {
  readonly id: UserId
  readonly password_hash: string
  readonly operator: boolean
  readonly account_id: AccountId
  readonly role: Caller['role']
}

async function signIn(parts: Parts, { email, password }: Credentials, device: Device, also?: Also): Promise<SignedIn> {
  const { database } = parts.settings
  const user = await database.withDuty(
    'identity',
    (tx) =>
      tx.maybe<UserRow>(sql`
    select u.id, u.password_hash, u.operator, a.id as account_id, m.role
    from seaworthy.users u join seaworthy.accounts a on a.personal_user_id = u.id join seaworthy.memberships m on m.account_id = a.id and m.user_id = u.id
    where lower(u.email) = lower(${email.trim()})`),
    { readOnly: true },
  )
  const matches = await parts.passwords.matches(user?.password_hash, password)
  if (!user || !matches) throw fault('wrong_credentials')
  const owner = { userId: user.id, accountId: user.account_id }
  const rehashed = parts.passwords.needsRehash(user.password_hash) ? await parts.passwords.hash(password) : undefined
  const opened = await database.withDuty('identity', async (tx) => {
    if (rehashed) await tx.run(sql`update seaworthy.users set password_hash = ${rehashed} where id = ${user.id}`)
    const token = await openSession(tx, parts.sessions, owner, device)
    const caller = { ...owner, role: user.role, sessionId: token.sessionId, operator: user.operator }
    await also?.(tx, caller)
    return { caller, token }
  })
  return present(parts, opened.caller, opened.token.text)
}

async function refresh(parts: Parts, text: string, also?: Also): Promise<SignedIn> {
  const given = readRefreshToken(text, parts.settings.refreshSecret)
  if (!given) throw fault('unauthenticated', { internal: 'not a refresh token of ours' })
  const rotated = await parts.settings.database.withDuty('identity', async (tx) => {
    const outcome = await rotateSession(tx, parts.sessions, given)
    if (outcome.ok) await also?.(tx, outcome.value.caller)
    return outcome
  })
  if (rotated.ok) return present(parts, rotated.value.caller, rotated.value.token.text)
  if (rotated.reason === 'reuse') {
    parts.revocations.add(given.sessionId)
    parts.settings.log.warn('a used refresh token came back: the sign-in was ended', { session: given.sessionId })
  }
  throw fault('unauthenticated', {
    detail: 'Your sign-in has ended. Please sign in again.',
    internal: `refresh: ${rotated.reason}`,
  })
}

async function present(parts: Parts, caller: Caller, refreshToken: string): Promise<SignedIn> {
  const { token, expiresInSeconds } = await parts.tokens.issue(caller)
  return { caller, accessToken: token, expiresInSeconds, refreshToken }
}

const LINK_MS = 7 * DAY
const hashLink = (token: string): Buffer => createHash('sha256').update(token).digest()

/** A one-time link for the first operator. Undefined when there is an operator already. */
export async function makeFirstOperatorLink(database: Database, clock: Clock): Promise<string | undefined> {
  return database.withDuty('identity', async (tx) => {
    const found = await tx.many(sql`select 1 from seaworthy.users where operator limit 1`)
    if (found.length) return undefined
    const token = randomBytes(24).toString('base64url')
    await tx.run(
      sql`insert into seaworthy.operator_links (token_hash, expires_at) values (${hashLink(token)}, ${new Date(clock.now() + LINK_MS)})`,
    )
    return token
  })
}

async function useOperatorLink(tx: Transaction, token: string, userId: UserId, clock: Clock): Promise<void> {
  const used = await tx.run(sql`
    update seaworthy.operator_links set used_at = now(), used_by = ${userId}
    where token_hash = ${hashLink(token)} and used_at is null and expires_at > ${new Date(clock.now())}
      and not exists (select 1 from seaworthy.users where operator and id <> ${userId})`)
  if (used === 0)
    throw fault('link_expired', { detail: 'Start the server again to get a new link, if there is no operator yet.' })
}
