import { type Caller, type Clock, newId, no, ok, type Result, SECOND, type Secret } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'
import { makeRefreshToken, type RefreshToken, successorOf } from './tokens.ts'

/** Where a sign-in came from, as its owner will see it in the list of devices. */
export interface Device {
  /** The caller's network, masked. */
  readonly network: string
  readonly name: string
}

export interface SessionSettings {
  readonly secret: Secret
  readonly lifeMs: number
  readonly clock: Clock
}

interface SessionRow {
  readonly id: string
  readonly refresh_hash: Buffer
  readonly previous_hash: Buffer | null
  readonly rotated_at: Date
  readonly expires_at: Date
  readonly revoked_at: Date | null
  readonly user_id: Caller['userId']
  readonly account_id: Caller['accountId']
  readonly role: Caller['role']
  readonly operator: boolean
}

export async function openSession(
  tx: Transaction,
  settings: SessionSettings,
  owner: Pick<Caller, 'userId' | 'accountId'>,
  device: Device,
): Promise<RefreshToken> {
  const token = makeRefreshToken(newId(), settings.secret)
  await tx.run(sql`
    insert into seaworthy.sessions (id, user_id, account_id, refresh_hash, expires_at, network, device)
    values (${token.sessionId}, ${owner.userId}, ${owner.accountId}, ${token.hash}, ${new Date(settings.clock.now() + settings.lifeMs)}, ${device.network}, ${device.name.slice(0, 200)})`)
  return token
}

/** An answer that got lost is asked for again within seconds; whoever comes later has stolen something. */
const REPEAT_MS = 10 * SECOND

/**
 * A new refresh token for the current one; for ten seconds the same one again for the token before it. Any older one
 * means that somebody has a copy, and the sign-in ends for both. The row is locked: several at once go one by one.
 */
export async function rotateSession(
  tx: Transaction,
  { secret, lifeMs, clock }: SessionSettings,
  given: RefreshToken,
): Promise<Result<{ token: RefreshToken; caller: Caller }, 'ended' | 'reuse'>> {
  const row = await tx.maybe<SessionRow>(sql`
    select s.id, s.refresh_hash, s.previous_hash, s.rotated_at, s.expires_at, s.revoked_at, s.user_id, s.account_id, m.role, u.operator
    from seaworthy.sessions s
    join seaworthy.users u on u.id = s.user_id
    join seaworthy.memberships m on m.user_id = s.user_id and m.account_id = s.account_id
    where s.id = ${given.sessionId} for update of s`)
  if (!row || row.revoked_at || row.expires_at.getTime() <= clock.now()) return no('ended')
  const token = successorOf(given, secret)
  const isRepeat = row.previous_hash?.equals(given.hash) && clock.now() - row.rotated_at.getTime() < REPEAT_MS
  if (row.refresh_hash.equals(given.hash)) {
    await tx.run(sql`
      update seaworthy.sessions set refresh_hash = ${token.hash}, previous_hash = ${given.hash}, rotated_at = ${new Date(clock.now())},
        expires_at = ${new Date(clock.now() + lifeMs)} where id = ${row.id}`)
  } else if (!isRepeat) {
    await revokeSession(tx, row.id, 'reuse')
    return no('reuse')
  }
  return ok({ token, caller: callerOf(row) })
}

const callerOf = (row: SessionRow): Caller => ({
  userId: row.user_id,
  accountId: row.account_id,
  role: row.role,
  sessionId: row.id,
  operator: row.operator,
})

export async function revokeSession(
  tx: Transaction,
  sessionId: string,
  why: 'signed_out' | 'reuse' | 'ended',
): Promise<void> {
  await tx.run(
    sql`update seaworthy.sessions set revoked_at = clock_timestamp(), revoked_why = ${why} where id = ${sessionId} and revoked_at is null`,
  )
}
