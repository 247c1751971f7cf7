import { createHmac, randomInt } from 'node:crypto'
import type { Clock, Secret, UserId } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'

const CODES = 10
/** Without characters that look alike: 32 of them, so a code holds 140 bits and a fast hash of it tells nothing. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'
const LENGTH = 28
const GROUP = /(.{4})(?=.)/g

/** New ones in place of all older ones. Shown once. */
export async function makeRecoveryCodes(tx: Transaction, userId: UserId, secret: Secret): Promise<readonly string[]> {
  const codes = Array.from({ length: CODES }, makeCode)
  await tx.run(sql`delete from seaworthy.recovery_codes where user_id = ${userId}`)
  for (const code of codes)
    await tx.run(
      sql`insert into seaworthy.recovery_codes (user_id, hash) values (${userId}, ${hashOf(code, userId, secret)})`,
    )
  return codes.map((code) => code.replace(GROUP, '$1-'))
}

const makeCode = (): string => Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')

/** True when it was one of theirs and had not been used: it is now. */
export async function consumeRecoveryCode(
  tx: Transaction,
  userId: UserId,
  given: string,
  { secret, clock }: { readonly secret: Secret; readonly clock: Clock },
): Promise<boolean> {
  const code = given.toUpperCase().replace(/[^A-Z0-9]/g, '')
  if (code.length !== LENGTH) return false
  const used = await tx.run(sql`
    update seaworthy.recovery_codes set used_at = ${new Date(clock.now())}
    where user_id = ${userId} and hash = ${hashOf(code, userId, secret)} and used_at is null`)
  return used === 1
}

export async function countRecoveryCodes(tx: Transaction, userId: UserId): Promise<number> {
  const { left } = await tx.one<{ left: number }>(
    sql`select count(*)::int as left from seaworthy.recovery_codes where user_id = ${userId} and used_at is null`,
  )
  return left
}

const hashOf = (code: string, userId: UserId, secret: Secret): Buffer =>
  createHmac('sha256', secret.reveal()).update(`recovery code\0${userId}\0${code}`).digest()
