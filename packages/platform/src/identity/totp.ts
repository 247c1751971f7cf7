import { type Caller, fault, MINUTE, type UserId } from '@seaworthy/core'
import { type Sealed, sql, type Transaction } from '../data/index.ts'
import { makeTotpSecret, totpAddress, totpStepOf } from './drivers/otpauth.ts'
import type { Parts } from './parts.ts'

const ISSUER = 'Seaworthy'
const FAILURES_MAX = 5
const FAILURES_MS = 15 * MINUTE
const placeOf = (userId: UserId) => ({ table: 'seaworthy.totp', column: 'secret', row: userId, userId })

export interface TotpEnrolment {
  /** For typing. */
  readonly secret: string
  /** For the picture: `otpauth://totp/...`. */
  readonly url: string
}

/** A new secret, in place of one that was never confirmed. Throws `conflict` when an app is confirmed already. */
export async function enrolTotp(parts: Parts, tx: Transaction, caller: Caller): Promise<TotpEnrolment> {
  const secret = makeTotpSecret()
  const sealed = await parts.settings.vault.seal(tx, placeOf(caller.userId), secret)
  const written = await tx.run(sql`
    insert into seaworthy.totp (user_id, secret) values (${caller.userId}, ${sealed})
    on conflict (user_id) do update set secret = excluded.secret, failures = 0 where seaworthy.totp.confirmed_at is null`)
  if (written === 0) throw fault('conflict', { detail: 'An authenticator app is set up already. Remove it first.' })
  const { email } = await tx.one<{ email: string }>(sql`select email from seaworthy.users where id = ${caller.userId}`)
  return { secret, url: totpAddress(secret, email, ISSUER) }
}

export type CodeOutcome = 'right' | 'wrong' | 'too_many'

interface TotpRow {
  readonly secret: Sealed
  readonly confirmed: boolean
  readonly last_step: number
  readonly failures: number
  readonly failed_at: Date | null
}

/**
 * Whether the code is one of now that was never used. Wrong ones are counted: return normally from the transaction, so
 * that the count stays. The row is locked: the same code twice at once is right once.
 */
export async function spendTotpCode(parts: Parts, tx: Transaction, userId: UserId, code: string): Promise<CodeOutcome> {
  const { clock, vault } = parts.settings
  const now = clock.now()
  const row = await tx.maybe<TotpRow>(sql`
    select secret, confirmed_at is not null as confirmed, last_step::int as last_step, failures, failed_at from seaworthy.totp
    where user_id = ${userId} for update`)
  if (!row) return 'wrong'
  const recent = row.failed_at && now - row.failed_at.getTime() < FAILURES_MS ? row.failures : 0
  if (recent >= FAILURES_MAX) return 'too_many'
  const step = totpStepOf(await vault.open(tx, placeOf(userId), row.secret), code.replace(/\s/g, ''), now)
  if (step === undefined || step <= row.last_step) {
    await tx.run(
      sql`update seaworthy.totp set failures = ${recent + 1}, failed_at = ${new Date(now)} where user_id = ${userId}`,
    )
    return 'wrong'
  }
  await tx.run(sql`
    update seaworthy.totp set last_step = ${step}, failures = 0, confirmed_at = coalesce(confirmed_at, ${new Date(now)}) where user_id = ${userId}`)
  return 'right'
}

export async function hasTotp(tx: Transaction, userId: UserId): Promise<boolean> {
  const rows = await tx.many(sql`select 1 from seaworthy.totp where user_id = ${userId} and confirmed_at is not null`)
  return rows.length > 0
}

/** Throws `not_found`. */
export async function removeTotp(tx: Transaction, userId: UserId): Promise<void> {
  const removed = await tx.run(sql`delete from seaworthy.totp where user_id = ${userId}`)
  await tx.run(sql`delete from seaworthy.recovery_codes where user_id = ${userId}`)
  if (removed === 0) throw fault('not_found')
}

/** Throws what the outcome means to the person. */
export function refuseWrongCode(outcome: CodeOutcome): void {
  if (outcome === 'too_many')
    throw fault('too_many_requests', {
      detail: 'Too many wrong codes. Wait a quarter of an hour, or use a recovery code.',
      retryAfterSeconds: FAILURES_MS / 1_000,
    })
  if (outcome === 'wrong') throw fault('wrong_code')
}
