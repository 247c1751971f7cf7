import { type AccountId, type Caller, fault, newId, type UserId } from '@seaworthy/core'
import { sql, type Transaction, violates } from '../data/index.ts'
import type { Known } from './access-tokens.ts'
import { sendVerification } from './addresses.ts'
import { openChallenge } from './challenges.ts'
import { useOperatorLink } from './operator-link.ts'
import type { Access, Also, Parts, SecondFactorNeeded, SignedIn } from './parts.ts'
import { readRefreshToken } from './refresh-tokens.ts'
import { type Device, type Entry, knownOf, openSession, readSession, revokeSession, rotateSession } from './sessions.ts'
import { hasTotp } from './totp.ts'

export interface Credentials {
  readonly email: string
  readonly password: string
}

export interface SignUpOptions {
  /** From the one-time link: the new user may see how the system runs. */
  readonly operatorToken?: string | undefined
  readonly also?: Also
}

export async function signUp(
  parts: Parts,
  { email, password }: Credentials,
  device: Device,
  { operatorToken, also }: SignUpOptions = {},
): Promise<SignedIn> {
  const { settings } = parts
  await parts.rules.check(password, email)
  const hashed = await parts.passwords.hash(password)
  const owner = { userId: newId() as UserId, accountId: newId() as AccountId }
  const operator = operatorToken !== undefined
  try {
    const opened = await settings.database.withDuty('identity', async (tx) => {
      await tx.run(
        sql`insert into seaworthy.users (id, email, password_hash, operator) values (${owner.userId}, ${email.trim()}, ${hashed}, ${operator})`,
      )
      if (operatorToken !== undefined) await useOperatorLink(tx, operatorToken, owner.userId, settings.clock)
      await tx.run(
        sql`insert into seaworthy.accounts (id, name, personal_user_id) values (${owner.accountId}, 'Personal', ${owner.userId})`,
      )
      await tx.run(
        sql`insert into seaworthy.memberships (account_id, user_id, role) values (${owner.accountId}, ${owner.userId}, 'owner')`,
      )
      await settings.onAccountCreated?.(tx, { id: owner.accountId, personal: true })
      await sendVerification(parts, tx, { userId: owner.userId, email: email.trim() })
      const token = await openSession(tx, parts.sessions, { ...owner, secondFactor: false }, device)
      const caller = callerOf(parts, { ...owner, role: 'owner', operator, secondFactor: false }, token.sessionId)
      await also?.(tx, caller)
      return { caller, token }
    })
    return await present(parts, { caller: opened.caller, version: 0 }, opened.token.text)
  } catch (error) {
    throw violates(error, 'users_email')
      ? fault('email_taken', { detail: 'Sign in instead, or use another address.', cause: error })
      : error
  }
}

interface User extends Entry {
  readonly role: Caller['role']
  readonly operator: boolean
}

const callerOf = (
  { settings }: Parts,
  { userId, accountId, role, operator, secondFactor }: User,
  sessionId: string,
): Caller => ({
  userId,
  accountId,
  role,
  operator,
  secondFactor,
  sessionId,
  authenticatedAtMs: settings.clock.now(),
})

/** Throws `wrong_credentials`. */
export async function signIn(
  parts: Parts,
  given: Credentials,
  device: Device,
  also?: Also,
): Promise<SignedIn | SecondFactorNeeded> {
  const { database, clock } = parts.settings
  const { userId, hash } = await checkPassword(parts, given)
  const ticket = await database.withDuty('identity', async (tx) =>
    (await hasTotp(tx, userId)) ? openChallenge(tx, clock, { kind: 'second_factor', userId }) : undefined,
  )
  return ticket === undefined ? enter(parts, { userId, secondFactor: false, hash }, device, also) : { ticket }
}

/** For somebody who has shown who they are. */
export async function enter(parts: Parts, shown: Shown, device: Device, also?: Also): Promise<SignedIn> {
  const opened = await parts.settings.database.withDuty('identity', async (tx) => {
    if (shown.hash !== undefined) await refuseOldPassword(tx, shown.userId, shown.hash)
    const user = { ...(await readUser(tx, shown.userId)), secondFactor: shown.secondFactor }
    const token = await openSession(tx, parts.sessions, user, device)
    const caller = callerOf(parts, user, token.sessionId)
    await also?.(tx, caller)
    return { caller, token }
  })
  return present(parts, { caller: opened.caller, version: 0 }, opened.token.text)
}

interface Shown extends Pick<Entry, 'userId' | 'secondFactor'> {
  /** Of the password that was right: it must not have been changed since. */
  readonly hash?: string
}

/** Checking took a while. A change of the password waits for us, or we for it: no sign-in slips through between. */
async function refuseOldPassword(tx: Transaction, userId: UserId, hash: string): Promise<void> {
  const same = await tx.many(
    sql`select 1 from seaworthy.users where id = ${userId} and password_hash = ${hash} for share`,
  )
  if (same.length === 0) throw fault('wrong_credentials', { internal: 'the password was changed meanwhile' })
}

/** Throws `blocked`. The row is held: whoever blocks somebody waits for this sign-in, and then ends it. */
async function readUser(tx: Transaction, userId: UserId): Promise<Omit<User, 'secondFactor'>> {
  const { blocked, ...user } = await tx.one<Omit<User, 'secondFactor'> & { blocked: boolean }>(sql`
    select u.id as "userId", u.operator, u.blocked_at is not null as blocked, a.id as "accountId", m.role
    from seaworthy.users u join seaworthy.accounts a on a.personal_user_id = u.id join seaworthy.memberships m on m.account_id = a.id and m.user_id = u.id
    where u.id = ${userId} for share of u`)
  if (blocked) throw fault('blocked')
  return user
}

/** Throws `wrong_credentials`, after the same time for a wrong password and an unknown address. */
async function checkPassword(
  parts: Parts,
  { email, password }: Credentials,
): Promise<{ userId: UserId; hash: string }> {
  const { database } = parts.settings
  const found = await database.withDuty(
    'identity',
    (tx) =>
      tx.maybe<{ id: UserId; hash: string }>(
        sql`select id, password_hash as hash from seaworthy.users where id = seaworthy.user_by_address(${email.trim()})`,
      ),
    { readOnly: true },
  )
  const matches = await parts.passwords.matches(found?.hash, password)
  if (!found || !matches) throw fault('wrong_credentials')
  if (!parts.passwords.needsRehash(found.hash)) return { userId: found.id, hash: found.hash }
  const rehashed = await parts.passwords.hash(password)
  // A password that was changed meanwhile stays changed.
  await database.withDuty('identity', (tx) =>
    tx.run(
      sql`update seaworthy.users set password_hash = ${rehashed} where id = ${found.id} and password_hash = ${found.hash}`,
    ),
  )
  return { userId: found.id, hash: rehashed }
}

/** Throws `unauthenticated`. */
export async function refresh(parts: Parts, text: string, also?: Also): Promise<SignedIn> {
  const given = readRefreshToken(text, parts.settings.refreshSecret)
  if (!given) throw fault('unauthenticated', { internal: 'not a refresh token of ours' })
  const rotated = await parts.settings.database.withDuty('identity', async (tx) => {
    const outcome = await rotateSession(tx, parts.sessions, given)
    if (outcome.ok) await also?.(tx, outcome.value.known.caller)
    return outcome
  })
  if (rotated.ok) return present(parts, rotated.value.known, rotated.value.token.text)
  if (rotated.reason === 'reuse') {
    parts.revocations.add(given.sessionId)
    parts.settings.log.warn('a used refresh token came back: the sign-in was ended', {
      runbook: 'account-misused',
      session: given.sessionId,
    })
  }
  throw fault('unauthenticated', {
    detail: 'Your sign-in has ended. Please sign in again.',
    internal: `refresh: ${rotated.reason}`,
    replayed: rotated.reason === 'reuse',
  })
}

/**
 * Shows again who one is: the sign-in goes on as a new one, in the same account and with the factors it had, and the
 * tokens of the old one end. Throws `wrong_credentials`, `unauthenticated`.
 */
export async function reauthenticate(
  parts: Parts,
  caller: Caller,
  password: string,
  device: Device,
  also?: Also,
): Promise<SignedIn> {
  await confirmPassword(parts, caller, password)
  const renewed = await parts.settings.database.withDuty('identity', async (tx) => {
    const row = await readSession(tx, caller.sessionId)
    if (!row || row.revoked_at) throw fault('unauthenticated')
    await revokeSession(tx, caller.sessionId, 'confirmed')
    const { role, operator, ...entry } = knownOf(row).caller
    const token = await openSession(tx, parts.sessions, entry, device)
    const again = callerOf(parts, { ...entry, role, operator }, token.sessionId)
    await also?.(tx, again)
    return { again, token }
  })
  parts.revocations.add(caller.sessionId)
  return present(parts, { caller: renewed.again, version: 0 }, renewed.token.text)
}

/** Throws `wrong_credentials`. Gives the address of the person. */
export async function confirmPassword(parts: Parts, caller: Caller, password: string): Promise<{ email: string }> {
  const found = await parts.settings.database.withDuty(
    'identity',
    (tx) =>
      tx.maybe<{ hash: string; email: string }>(
        sql`select password_hash as hash, email from seaworthy.users where id = ${caller.userId}`,
      ),
    { readOnly: true },
  )
  const matches = await parts.passwords.matches(found?.hash, password)
  if (!found || !matches) throw fault('wrong_credentials', { detail: 'The password is wrong.' })
  return { email: found.email }
}

export async function accessFor(parts: Parts, known: Known): Promise<Access> {
  const { token, expiresInSeconds } = await parts.tokens.issue(known)
  return { caller: known.caller, accessToken: token, expiresInSeconds }
}

const present = async (parts: Parts, known: Known, refreshToken: string): Promise<SignedIn> => ({
  ...(await accessFor(parts, known)),
  refreshToken,
})
