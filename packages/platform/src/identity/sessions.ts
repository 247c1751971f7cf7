import { type Caller, type Clock, newId, no, ok, type Result, SECOND, type Secret } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'
import type { Known } from './access-tokens.ts'
import { makeRefreshToken, type RefreshToken, successorOf } from './refresh-tokens.ts'
import type { Revocations } from './revocations.ts'

/** Where a sign-in came from, as its owner will see it in the list of devices. */
export interface Device {
  /** The caller's network, masked. */
  readonly network: string
  readonly name: string
}

export interface SessionSettings {
  readonly secret: Secret
  /** Without use. */
  readonly lifeMs: number
  /** Whatever use is made of it. */
  readonly lifeMsMax: number
  readonly clock: Clock
}

interface SessionRow {
  readonly id: string
  readonly refresh_hash: Buffer
  readonly previous_hash: Buffer | null
  readonly rotated_at: Date
  readonly expires_at: Date
  readonly created_at: Date
  readonly revoked_at: Date | null
  readonly authenticated_at: Date
  readonly second_factor: boolean
  readonly version: number
  readonly user_id: Caller['userId']
  readonly account_id: Caller['accountId']
  readonly role: Caller['role']
  readonly operator: boolean
}

export type WhyEnded =
  | 'signed_out'
  | 'reuse'
  | 'ended'
  | 'ended_by_operator'
  | 'password_changed'
  | 'confirmed'
  | 'too_many'
  | 'blocked'

/** What a new sign-in is made of. */
export interface Entry {
  readonly userId: Caller['userId']
  readonly accountId: Caller['accountId']
  /** More than a password was shown. */
  readonly secondFactor: boolean
}

/** Of one person at a time. The one that was unused for longest ends when another begins. */
const SESSIONS_MAX = 50

/** The person has just shown who they are. */
export async function openSession(
  tx: Transaction,
  settings: SessionSettings,
  owner: Entry,
  device: Device,
): Promise<RefreshToken> {
  const token = makeRefreshToken(newId(), settings.secret)
  const now = settings.clock.now()
  await tx.run(sql`
    insert into seaworthy.sessions (id, user_id, account_id, refresh_hash, expires_at, network, device, created_at, rotated_at, authenticated_at, second_factor)
    values (${token.sessionId}, ${owner.userId}, ${owner.accountId}, ${token.hash}, ${endOf(now, now, settings)}, ${device.network}, ${device.name.slice(0, 200)},
      ${new Date(now)}, ${new Date(now)}, ${new Date(now)}, ${owner.secondFactor})`)
  await tx.run(sql`
    update seaworthy.sessions set revoked_at = clock_timestamp(), revoked_why = 'too_many' where id in (
      select id from seaworthy.sessions where user_id = ${owner.userId} and revoked_at is null and id <> ${token.sessionId}
      order by rotated_at desc offset ${SESSIONS_MAX - 1})`)
  return token
}

const endOf = (now: number, createdMs: number, { lifeMs, lifeMsMax }: SessionSettings): Date =>
  new Date(Math.min(now + lifeMs, createdMs + lifeMsMax))

/** An answer that got lost is asked for again within seconds; whoever comes later has stolen something. */
const REPEAT_MS = 10 * SECOND

/**
 * A new refresh token for the current one; for ten seconds the same one again for the token before it. Any older one
 * means that somebody has a copy, and the sign-in ends for both. The row is locked: several at once go one by one.
 */
export async function rotateSession(
  tx: Transaction,
  settings: SessionSettings,
  given: RefreshToken,
): Promise<Result<{ token: RefreshToken; known: Known }, 'ended' | 'reuse'>> {
  const { secret, clock } = settings
  const row = await readSession(tx, given.sessionId)
  if (!row || row.revoked_at || row.expires_at.getTime() <= clock.now()) return no('ended')
  const token = successorOf(given, secret)
  const isRepeat = row.previous_hash?.equals(given.hash) && clock.now() - row.rotated_at.getTime() < REPEAT_MS
  if (row.refresh_hash.equals(given.hash)) {
    await tx.run(sql`
      update seaworthy.sessions set refresh_hash = ${token.hash}, previous_hash = ${given.hash}, rotated_at = ${new Date(clock.now())},
        expires_at = ${endOf(clock.now(), row.created_at.getTime(), settings)} where id = ${row.id}`)
  } else if (!isRepeat) {
    await revokeSession(tx, row.id, 'reuse')
    return no('reuse')
  }
  return ok({ token, known: knownOf(row) })
}

/** Locked until the transaction ends. */
export async function readSession(tx: Transaction, sessionId: string): Promise<SessionRow | undefined> {
  return tx.maybe<SessionRow>(sql`
    select s.id, s.refresh_hash, s.previous_hash, s.rotated_at, s.expires_at, s.created_at, s.revoked_at, s.authenticated_at, s.second_factor, s.version,
      s.user_id, s.account_id, m.role, u.operator
    from seaworthy.sessions s
    join seaworthy.users u on u.id = s.user_id
    join seaworthy.memberships m on m.user_id = s.user_id and m.account_id = s.account_id
    where s.id = ${sessionId} for update of s`)
}

export const knownOf = (row: SessionRow): Known => ({
  version: row.version,
  caller: {
    userId: row.user_id,
    accountId: row.account_id,
    role: row.role,
    sessionId: row.id,
    authenticatedAtMs: row.authenticated_at.getTime(),
    secondFactor: row.second_factor,
    operator: row.operator,
  },
})

export async function revokeSession(tx: Transaction, sessionId: string, why: WhyEnded): Promise<void> {
  await tx.run(
    sql`update seaworthy.sessions set revoked_at = clock_timestamp(), revoked_why = ${why} where id = ${sessionId} and revoked_at is null`,
  )
}

/** All sign-ins of a person, or all but one. Their ids. */
export async function revokeSessionsOf(
  tx: Transaction,
  userId: Caller['userId'],
  why: WhyEnded,
  except?: string,
): Promise<readonly string[]> {
  const ended = await tx.many<{ id: string }>(sql`
    update seaworthy.sessions set revoked_at = clock_timestamp(), revoked_why = ${why}
    where user_id = ${userId} and revoked_at is null and id is distinct from ${except ?? null} returning id`)
  return ended.map(({ id }) => id)
}

/** For an operator at the machine. Every process hears of it within a second. */
export const endSignInsOf = (tx: Transaction, userId: Caller['userId']): Promise<readonly string[]> =>
  revokeSessionsOf(tx, userId, 'ended_by_operator')

/** Of whom, and where they work. */
type SessionsOf = Pick<Caller, 'userId' | 'accountId'>

export interface ChangedSession {
  readonly id: string
  readonly version: number
}

/** More than the password was shown in this sign-in: its next tokens say so. */
export async function upgradeSession(
  tx: Transaction,
  sessionId: string,
  revocations: Pick<Revocations, 'change'>,
): Promise<void> {
  const row = await tx.maybe<{ version: number }>(sql`
    update seaworthy.sessions set second_factor = true, version = version + 1, changed_at = clock_timestamp()
    where id = ${sessionId} and not second_factor returning version`)
  if (row) tx.afterCommit(() => revocations.change(sessionId, row.version))
}

/** What these sign-ins may do has changed: their access tokens are refused, and the next ones know it. */
export const outdateSessions = (tx: Transaction, of: SessionsOf): Promise<ChangedSession[]> =>
  tx.many<ChangedSession>(sql`
    update seaworthy.sessions set version = version + 1, changed_at = clock_timestamp()
    where user_id = ${of.userId} and account_id = ${of.accountId} and revoked_at is null returning id, version`)

/** Sign-ins that worked in an account go on in the person's own. */
export const moveSessionsHome = (tx: Transaction, of: SessionsOf): Promise<ChangedSession[]> =>
  tx.many<ChangedSession>(sql`
    update seaworthy.sessions s set account_id = a.id, version = s.version + 1, changed_at = clock_timestamp()
    from seaworthy.accounts a
    where a.personal_user_id = s.user_id and s.user_id = ${of.userId} and s.account_id = ${of.accountId} and s.revoked_at is null
    returning s.id, s.version`)

export interface SessionListed {
  readonly id: string
  readonly device: string
  readonly network: string
  readonly createdAt: Date
  readonly usedAt: Date
}

/** The newest first; at most two hundred. */
export async function listSessions(tx: Transaction, userId: Caller['userId'], clock: Clock): Promise<SessionListed[]> {
  return tx.many<SessionListed>(sql`
    select id, device, network, created_at as "createdAt", rotated_at as "usedAt" from seaworthy.sessions
    where user_id = ${userId} and revoked_at is null and expires_at > ${new Date(clock.now())} order by rotated_at desc, id desc limit 200`)
}
